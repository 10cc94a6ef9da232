package mockkindly

import (
	"cmp"
	"encoding/json"
	"math"
	"time"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// The form in which the API and stores hold events, both ways: credentials are left
// out, and what is read back lacks them, and what only Go values hold.

// MarshalJSON takes the signature off whatever looks like a token, also in
// what a visitor wrote.
func (e Event) MarshalJSON() ([]byte, error) {
	type plain Event
	var breaks []string
	for _, b := range e.Breaches() {
		breaks = append(breaks, b.ID)
	}
	type with struct {
		plain
		Breaks []string `json:"breaks,omitempty"`
	}
	var v any = with{plain(e), breaks}
	if e.Delivery != nil {
		v = struct { // at once, as every level would be read again
			with
			Delivery deliveryJSON `json:"delivery"`
		}{with{plain(e), breaks}, e.Delivery.json()}
	}
	text, err := redact.JSON(v)
	if err != nil {
		return nil, err
	}
	return e.redact.JSON(text, 1), nil // kind and bot stay, also where a secret is spelled so
}

// MarshalJSON gives the time in milliseconds, and what would help.
func (c CallbackReport) MarshalJSON() ([]byte, error) {
	type plain CallbackReport
	return redact.JSON(struct {
		plain
		ElapsedMS int64  `json:"elapsed_ms"`
		Fix       string `json:"fix,omitempty"`
	}{plain(c), c.Elapsed.Milliseconds(), c.Fix()})
}

type tokenJSON struct {
	Reason     string            `json:"reason"`
	Token      string            `json:"token"`
	Accepted   bool              `json:"accepted"`
	SignedBy   string            `json:"signed_by,omitempty"`
	Violations []token.Violation `json:"violations"`
	Unjudged   []token.Unjudged  `json:"unjudged"`
	Truncated  bool              `json:"truncated,omitempty"`
	Repeated   bool              `json:"repeated,omitempty"`
	OnPurpose  bool              `json:"on_purpose,omitempty"`
}

// MarshalJSON shows the token without its signature, and what it breaks.
func (t TokenReport) MarshalJSON() ([]byte, error) {
	v := tokenJSON{
		Reason: t.Reason, Token: cmp.Or(t.shown, t.Raw.String()), Accepted: t.Accepted, Truncated: t.Truncated,
		Violations: listed(t.Result.Violations), Unjudged: listed(t.Result.Unjudged),
		Repeated: t.Repeated, OnPurpose: t.OnPurpose,
	}
	if t.Result.SignedBy != nil {
		v.SignedBy = t.Result.SignedBy.Name
	}
	return redact.JSON(v)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *CallbackReport) UnmarshalJSON(text []byte) error {
	type plain CallbackReport
	v := struct {
		*plain
		ElapsedMS float64 `json:"elapsed_ms"`
	}{plain: (*plain)(c)}
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	c.Elapsed = milliseconds(v.ElapsedMS)
	return nil
}

// UnmarshalJSON reads what MarshalJSON wrote. Raw comes without its signature.
func (t *TokenReport) UnmarshalJSON(text []byte) error {
	var v tokenJSON
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	*t = TokenReport{
		Reason: v.Reason, Raw: token.Raw(v.Token), Accepted: v.Accepted,
		Truncated: v.Truncated, Repeated: v.Repeated, OnPurpose: v.OnPurpose,
		shown: v.Token,
	}
	t.Result.Violations, t.Result.Unjudged = v.Violations, v.Unjudged
	if v.SignedBy != "" {
		t.Result.SignedBy = &token.Key{Name: v.SignedBy}
	}
	return nil
}

// listed is a list that JSON writes as one, also if it is empty.
func listed[T any](list []T) []T { return append([]T{}, list...) }

// milliseconds reads a page's measurement, which may be any number.
func milliseconds(ms float64) time.Duration {
	return time.Duration(math.Min(math.Max(ms, 0), 24*3600*1000)) * time.Millisecond
}
