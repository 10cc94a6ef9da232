package mockkindly

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// The form in which the API and stores hold deliveries, both ways: credentials are left
// out, and what is read back lacks them, and what only Go values hold.

type headerJSON struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type requestJSON struct {
	Method    string       `json:"method"`
	URL       string       `json:"url"`
	ConnectTo string       `json:"connect_to,omitempty"`
	Headers   []headerJSON `json:"headers"`
	Body      string       `json:"body"`
	Redacted  bool         `json:"redacted,omitempty"` // credentials were taken out of the body
}

type responseJSON struct {
	Status    int          `json:"status"`
	Headers   []headerJSON `json:"headers"`
	Body      string       `json:"body"`
	Truncated bool         `json:"truncated,omitempty"`
}

type decisionJSON struct {
	Allowed      bool   `json:"allowed"`
	Pattern      string `json:"pattern,omitempty"`
	Reason       string `json:"reason"`
	Ambiguous    string `json:"ambiguous,omitempty"`
	SharedTenant string `json:"shared_tenant,omitempty"`
}

type deliveryJSON struct {
	replyJSON
	URL        string        `json:"url"`
	Decision   decisionJSON  `json:"decision"`
	At         time.Time     `json:"at"`
	DurationMS int64         `json:"duration_ms"`
	Request    requestJSON   `json:"request"`
	Response   *responseJSON `json:"response,omitempty"`
	Truncated  bool          `json:"truncated,omitempty"`
	ResendOf   uint64        `json:"resend_of,omitempty"`
	TokenState TokenState    `json:"token_state,omitempty"`
	Rotated    bool          `json:"rotated_secret,omitempty"`
	Heard      *Heard        `json:"heard,omitempty"`
}

// MarshalJSON shows both sides of the exchange without credentials.
func (d Delivery) MarshalJSON() ([]byte, error) { return d.marshal(d.json()) }

// marshal is marshal without what is known to be secret in any string.
func (d Delivery) marshal(v any) ([]byte, error) {
	text, err := redact.JSON(v)
	if err != nil {
		return nil, err
	}
	return d.redact.JSON(text, 0), nil
}

// json is what MarshalJSON shows, before it is searched for credentials.
func (d Delivery) json() deliveryJSON {
	req := d.Exchange.Request
	body := string(d.shownBody(req.Body))
	v := deliveryJSON{
		replyJSON: d.reply(), URL: redact.URL(d.URL), Decision: decisionJSON(d.Decision),
		At: d.Exchange.At, DurationMS: d.Exchange.Duration.Milliseconds(), Truncated: d.Truncated,
		ResendOf: d.ResendOf, TokenState: d.TokenState, Rotated: d.Rotated, Heard: d.Heard,
		Request: requestJSON{
			Method: req.Method, URL: redact.URL(req.URL), ConnectTo: redact.URL(req.ConnectTo),
			Headers: d.headers(req.Header), Body: body, Redacted: d.redacted || body != string(req.Body),
		},
	}
	if r := d.Exchange.Response; r != nil {
		v.Response = &responseJSON{r.Status, d.headers(r.Header), string(d.shownBody(r.Body)), r.Truncated}
	}
	return v
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
		Dialogue: v.Dialogue, ResendOf: v.ResendOf, TokenState: v.TokenState, Rotated: v.Rotated, Heard: v.Heard,
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

// headers lists a header by name, without credentials.
func (d Delivery) headers(h http.Header) []headerJSON {
	out := []headerJSON{}
	for name, values := range h {
		for _, v := range values {
			if !strings.EqualFold(name, webhook.HeaderHMAC) { // of this body alone, and what a webhook's author looks for
				v = d.redact.Header(name, v)
			}
			out = append(out, headerJSON{name, v})
		}
	}
	slices.SortStableFunc(out, func(a, b headerJSON) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// replyJSON is what a webhook answered.
type replyJSON struct {
	Dialogue  string `json:"dialogue,omitempty"`
	Webhook   string `json:"webhook"`
	WithToken bool   `json:"with_token"`
	Reason    string `json:"reason"` // of with_token
	Status    int    `json:"status"` // 0 without an answer
	Error     string `json:"error,omitempty"`
	webhook.Answer
	Bubbles      []string      `json:"bubbles,omitempty"`
	AnswerError  string        `json:"answer_error,omitempty"`
	ContextError string        `json:"context_error,omitempty"`
	Problems     []problemJSON `json:"problems,omitempty"`
}

func (d Delivery) reply() replyJSON {
	v := replyJSON{
		Dialogue: d.Dialogue, Webhook: d.Webhook, WithToken: d.WithToken, Reason: d.Reason, Status: d.Exchange.Status(),
		Answer: d.Answer, Bubbles: d.Bubbles, Problems: problemsJSON(d.Problems),
	}
	for text, err := range map[*string]error{&v.Error: d.Exchange.Err, &v.AnswerError: d.AnswerErr, &v.ContextError: d.ContextError} {
		if err != nil {
			*text = err.Error()
		}
	}
	return v
}

// widgetReply is reply for the page, which may be anybody's: it does not tell
// where the webhook is, nor what exactly went wrong on the way there.
func (d Delivery) widgetReply() replyJSON {
	v := d.reply()
	if strings.Contains(d.Webhook, "://") { // it has no name
		if u, err := url.Parse(d.Webhook); err == nil && u.Host != "" {
			v.Webhook = u.Host
		}
	}
	if strings.Contains(v.Reason, "=") {
		v.Reason = strings.ReplaceAll(v.Reason, "="+redact.URL(d.URL), "=LOCAL")
	}
	if d.Exchange.Err != nil {
		v.Error = "no answer: " + string(d.Exchange.Kind())
	}
	return v
}

// problemJSON is a field of the answer that Kindly would not take.
type problemJSON struct {
	ID       string `json:"id"`
	Level    string `json:"level"`
	Path     string `json:"path"`
	Expected string `json:"expected"`
	Actual   string `json:"actual"`
	Fix      string `json:"fix"`
}

func problemsJSON(ps []webhook.Problem) []problemJSON {
	out := make([]problemJSON, len(ps))
	for i, p := range ps {
		out[i] = problemJSON{p.Rule.ID, string(p.Level), p.Path, p.Expected, p.Actual, p.Fix}
	}
	return out
}
