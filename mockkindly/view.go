package mockkindly

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// The JSON forms of deliveries and tokens: what the API shows and stores keep. They
// are separate from the Go values, which hold credentials.

// MarshalJSON shows the keys by their fingerprints.
func (b Bot) MarshalJSON() ([]byte, error) {
	type key struct {
		Name        string   `json:"name"`
		Fingerprint string   `json:"fingerprint"`
		Format      string   `json:"format"`
		Notes       []string `json:"notes,omitempty"`
	}
	v := struct {
		Key            string         `json:"key"`
		ID             int            `json:"id"`
		OrganizationID int            `json:"organization_id"`
		PublicKeys     []key          `json:"public_keys"`
		Webhooks       []Webhook      `json:"webhooks"`
		Dialogues      []dialogueJSON `json:"dialogues"`
	}{b.Key, b.ID, b.OrganizationID, []key{}, slices.Concat([]Webhook{}, b.Webhooks), dialoguesJSON(b.Dialogues)}
	for _, k := range b.PublicKeys {
		v.PublicKeys = append(v.PublicKeys, key{k.Name, k.Fingerprint, k.Format, k.Notes})
	}
	return marshal(v)
}

// MarshalJSON says whether there is a secret, not which.
func (w Webhook) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		Name      string `json:"name"`
		URL       string `json:"url"`
		ConnectTo string `json:"connect_to,omitempty"`
		Signed    bool   `json:"signed"`
	}{w.label(), redact.URL(w.URL), redact.URL(w.ConnectTo), w.Secret != ""})
}

// MarshalJSON takes the signature off whatever looks like a token, also in
// what a visitor wrote.
func (e Event) MarshalJSON() ([]byte, error) {
	type plain Event
	var v any = plain(e)
	if e.Delivery != nil {
		v = struct { // at once, as every level would be read again
			plain
			Delivery deliveryJSON `json:"delivery"`
		}{plain(e), e.Delivery.json()}
	}
	text, err := marshal(v)
	if err != nil {
		return nil, err
	}
	return e.redact.JSON(text, 1), nil // kind and bot stay, also where a secret is spelled so
}

// MarshalJSON gives the time in milliseconds.
func (c CallbackReport) MarshalJSON() ([]byte, error) {
	type plain CallbackReport
	return marshal(struct {
		plain
		ElapsedMS int64 `json:"elapsed_ms"`
	}{plain(c), c.Elapsed.Milliseconds()})
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
	return marshal(v)
}

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
}

// MarshalJSON shows both sides of the exchange without credentials.
func (d Delivery) MarshalJSON() ([]byte, error) { return d.marshal(d.json()) }

// marshal is marshal without what is known to be secret in any string.
func (d Delivery) marshal(v any) ([]byte, error) {
	text, err := marshal(v)
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
		ResendOf: d.ResendOf, TokenState: d.TokenState, Rotated: d.Rotated,
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

// listed is a list that JSON writes as one, also if it is empty.
func listed[T any](list []T) []T { return append([]T{}, list...) }

// headers lists a header by name, without credentials.
func (d Delivery) headers(h http.Header) []headerJSON {
	out := []headerJSON{}
	for name, values := range h {
		for _, v := range values {
			if name != webhook.HeaderHMAC { // of this body alone, and what a webhook's author looks for
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

type dialogueJSON struct {
	Slug     string   `json:"slug"`
	Phrases  []string `json:"phrases,omitempty"`
	Webhook  string   `json:"webhook,omitempty"`
	Fallback bool     `json:"fallback,omitempty"`
}

func dialoguesJSON(ds []Dialogue) []dialogueJSON {
	out := make([]dialogueJSON, len(ds))
	for i, d := range ds {
		out[i] = dialogueJSON{d.label(), d.Phrases, d.Webhook, d.Fallback}
	}
	return out
}
