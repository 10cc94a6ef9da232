package token

import (
	"encoding/json"

	"github.com/kindlytest/kindlytest/internal/plainjson"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// violationJSON is the form in which answers and stores hold a Violation.
type violationJSON struct {
	ID          string        `json:"id"`
	Level       rule.Level    `json:"level"`
	Fidelity    rule.Fidelity `json:"fidelity"`
	Refused     rule.Fidelity `json:"refused,omitempty"` // how we know that Kindly refuses a token for this
	Requirement string        `json:"requirement"`
	Expected    string        `json:"expected"`
	Actual      string        `json:"actual"`
	Fix         string        `json:"fix"`
	// Diagnosis is the mistake that it comes from, where that can be told.
	Diagnosis *diagnosisJSON `json:"diagnosis,omitempty"`
}

type diagnosisJSON struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// MarshalJSON takes of the rule what its readers need.
func (v Violation) MarshalJSON() ([]byte, error) {
	out := violationJSON{
		ID: v.Rule.ID, Level: v.Level, Fidelity: v.Rule.Fidelity, Requirement: v.Rule.Text,
		Expected: v.Expected, Actual: v.Actual, Fix: v.Fix,
	}
	if v.Refused() {
		out.Refused = v.Rule.Refused
	}
	if d := v.Diagnosis; d.ID != "" {
		out.Diagnosis = &diagnosisJSON{d.ID, d.Title}
	}
	return plainjson.Marshal(out)
}

// refusedRules is how we know that Kindly refuses tokens, by the rule's ID.
// Journals that an older version kept don't tell.
var refusedRules = func() map[string]rule.Fidelity {
	out := map[string]rule.Fidelity{}
	for _, r := range Rules() {
		out[r.ID] = r.Refused
	}
	return out
}()

// UnmarshalJSON reads what MarshalJSON wrote; the rest of the rule stays empty.
func (v *Violation) UnmarshalJSON(text []byte) error {
	var in violationJSON
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	*v = Violation{
		Rule:  rule.Rule{ID: in.ID, Fidelity: in.Fidelity, Text: in.Requirement, Refused: refusedRules[in.ID]},
		Level: in.Level, Expected: in.Expected, Actual: in.Actual, Fix: in.Fix,
	}
	if d := in.Diagnosis; d != nil {
		v.Diagnosis = Diagnosis{ID: d.ID, Title: d.Title, Fix: in.Fix}
	}
	return nil
}

type unjudgedJSON struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// MarshalJSON names the rule by its ID.
func (u Unjudged) MarshalJSON() ([]byte, error) {
	return plainjson.Marshal(unjudgedJSON{u.Rule.ID, u.Reason})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (u *Unjudged) UnmarshalJSON(text []byte) error {
	var in unjudgedJSON
	err := json.Unmarshal(text, &in)
	u.Rule.ID, u.Reason = in.ID, in.Reason
	return err
}
