package webhook

import (
	"fmt"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// The rules that judge an answer's body.
var (
	RespJSON = rule.Rule{
		ID: "RESP-JSON", Level: rule.Must, Fidelity: rule.Documented,
		Text:   "The body is a JSON object; application/json is a warning.",
		Source: rule.Webhooks,
		Fix:    "Answer with a JSON object, {} at least, as application/json.",
	}
	RespFields = rule.Rule{
		ID: "RESP-FIELDS", Level: rule.Must, Fidelity: rule.Documented,
		Text:   "The fields that Kindly reads have the types it documents.",
		Source: rule.Webhooks,
		Fix:    "Give the field the documented type, or leave it out.",
	}
	RespFieldNames = rule.Rule{
		ID: "RESP-FIELD-NAMES", Level: rule.Should, Fidelity: rule.Assumed,
		Text:   "No field is a look-alike that Kindly ignores.",
		Source: rule.Webhooks,
		Fix:    "Rename the field to the documented one.",
	}
	RespEmpty = rule.Rule{
		ID: "RESP-EMPTY", Level: rule.Should, Fidelity: rule.Documented,
		Text:   "It says something: a body without any field that Kindly reads is noted.",
		Source: rule.Webhooks,
		Fix:    "Answer with reply, exchange_slug, new_context, buttons, image_carousel or aiReply.",
	}
)

// Rules returns the rules that judge an answer's body.
func Rules() []rule.Rule { return []rule.Rule{RespJSON, RespFields, RespFieldNames, RespEmpty} }

// A Problem is one rule that an answer does not keep. It quotes no value of
// the answer: a webhook may well echo the token.
type Problem struct {
	Rule     rule.Rule
	Level    rule.Level // may be milder than the rule's
	Path     string     // "buttons[1].value"; empty: the whole body
	Expected string
	Actual   string
	Fix      string
}

// String is one line for people.
func (p Problem) String() string {
	path := p.Path
	if path == "" {
		path = "the body"
	}
	return fmt.Sprintf("%s %s: %s: expected %s, got %s", p.Rule.ID, p.Level, path, p.Expected, p.Actual)
}
