package mockkindly

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// What is read back here was written by MarshalJSON: into the store, or to a
// test that asks the API. Credentials are gone, and so is what only Go values
// hold, such as the decoded claims of a token.

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

// UnmarshalJSON reads what MarshalJSON wrote.
func (d *Delivery) UnmarshalJSON(text []byte) error {
	var v deliveryJSON
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	*d = Delivery{
		Webhook: v.Webhook, URL: v.URL, WithToken: v.WithToken, Reason: v.Reason,
		Decision: allowlist.Decision(v.Decision),
		Answer:   v.Answer, AnswerErr: errorOf(v.AnswerError), Problems: problemsFrom(v.Problems),
		Bubbles: v.Bubbles, ContextError: errorOf(v.ContextError), Truncated: v.Truncated,
		Dialogue: v.Dialogue, ResendOf: v.ResendOf, TokenState: v.TokenState, Rotated: v.Rotated,
		Exchange: v.exchange(), redacted: v.Request.Redacted,
	}
	return nil
}

func (v deliveryJSON) exchange() wire.Exchange {
	ex := wire.Exchange{
		At: v.At, Err: errorOf(v.Error), Duration: time.Duration(v.DurationMS) * time.Millisecond,
		Request: wire.Request{
			Method: v.Request.Method, URL: v.Request.URL, ConnectTo: v.Request.ConnectTo,
			Header: headerFrom(v.Request.Headers), Body: []byte(v.Request.Body),
		},
	}
	if r := v.Response; r != nil {
		ex.Response = &wire.Response{Status: r.Status, Header: headerFrom(r.Headers), Body: []byte(r.Body), Truncated: r.Truncated}
	}
	return ex
}

func headerFrom(list []headerJSON) http.Header {
	h := http.Header{}
	for _, line := range list {
		h[line.Name] = append(h[line.Name], line.Value) // spelled as it was
	}
	return h
}

func problemsFrom(ps []problemJSON) []webhook.Problem {
	out := make([]webhook.Problem, len(ps))
	for i, p := range ps {
		out[i] = webhook.Problem{Rule: rule.Rule{ID: p.ID}, Level: rule.Level(p.Level), Path: p.Path, Expected: p.Expected, Actual: p.Actual, Fix: p.Fix}
	}
	return out
}

func errorOf(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// milliseconds reads a page's measurement, which may be any number.
func milliseconds(ms float64) time.Duration {
	return time.Duration(math.Min(math.Max(ms, 0), 24*3600*1000)) * time.Millisecond
}
