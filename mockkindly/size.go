package mockkindly

import (
	"crypto/tls"
	"errors"
	"net/http"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// What chats and events take in memory is counted by the bytes of the texts in
// them, and these for the rest, in bytes, rather too much than too little.
const (
	chatSize      = 1 << 10
	eventSize     = 1 << 10
	violationSize = 512 // with its rule, which is shared
	headerSize    = 128 // of a line
	elementSize   = 256 // a button, or an item of a carousel
	errorSize     = 512
	certSize      = 4 << 10 // taken apart, beside four times its text
	valueSize     = 40      // of a value in decoded JSON
	objectSize    = 256     // of an object that has members
	memberSize    = 120     // of a member in a decoded token
)

// jsonSize is what decoded JSON takes: [{},{},…] thirty times its length.
func jsonSize(v any) int {
	n := valueSize
	switch v := v.(type) {
	case string:
		n += len(v)
	case []any:
		for _, item := range v {
			n += jsonSize(item)
		}
	case map[string]any:
		if n += valueSize; len(v) > 0 {
			n += objectSize
		}
		for key, item := range v {
			n += valueSize + len(key) + jsonSize(item)
		}
	}
	return n
}

// membersSize is what the members of a decoded token take beside its text.
func membersSize(v token.Value) int {
	n := 0
	for _, m := range v.Members() {
		n += memberSize + membersSize(m.Value)
	}
	return n
}

// textSize is what texts take.
func textSize(texts ...string) int {
	n := 16 * len(texts)
	for _, t := range texts {
		n += len(t)
	}
	return n
}

func (c *Chat) size() int {
	n := chatSize + textSize(c.BotKey, c.UserID, c.Web.Host, c.Web.Path, c.Web.URL, string(c.Token), c.User.Subject, c.User.Name,
		c.User.Email, c.User.Phone, c.User.Picture, c.User.StoredEmail, c.User.StoredPhone) + textSize(c.Domains...) + jsonSize(c.Context)
	n += violationsSize(c.Marks, nil)
	for _, r := range c.Refusals {
		n += textSize(r.Reason) + violationsSize(r.Violations, r.Unjudged)
	}
	return n
}

func violationsSize(vs []token.Violation, us []token.Unjudged) int {
	n := violationSize * (len(vs) + len(us))
	for _, v := range vs {
		n += textSize(v.Expected, v.Actual, v.Fix)
	}
	for _, u := range us {
		n += textSize(u.Reason)
	}
	return n
}

// measure is what an event takes.
func (e Event) measure() int {
	n := eventSize + textSize(e.Bot, e.Chat)
	if c := e.Client; c != nil {
		n += textSize(c.BotKey, c.Build, c.ScriptID, c.ScriptSrc, c.Options, c.Callback, c.PageURL)
	}
	if c := e.Callback; c != nil {
		n += textSize(c.Type, c.Error)
	}
	if t := e.Token; t != nil {
		n += 2*textSize(string(t.Raw), t.shown) + violationsSize(t.Result.Violations, t.Result.Unjudged) // the token and its parts
		if decoded := t.Result.Token; decoded != nil {
			n += membersSize(decoded.Header) + membersSize(decoded.Claims)
		}
	}
	if m := e.Message; m != nil {
		n += textSize(m.Text, m.Slug)
	}
	if d := e.Dialogue; d != nil {
		n += textSize(d.Phrase) + answerSize(d.Answer) + textSize(d.Bubbles...)
	}
	if d := e.Delivery; d != nil {
		n += d.size()
	}
	return n
}

func (d *Delivery) size() int {
	req := d.Exchange.Request
	n := textSize(d.Webhook, d.URL, d.Reason, d.Decision.Pattern, d.Decision.Reason) +
		textSize(req.URL, req.ConnectTo) + len(req.Body) + headersSize(req.Header) +
		answerSize(d.Answer) + textSize(d.Bubbles...) + errSize(d.Exchange.Err) + errSize(d.AnswerErr) + errSize(d.ContextError)
	if r := d.Exchange.Response; r != nil {
		n += len(r.Body) + headersSize(r.Header)
	}
	for _, p := range d.Problems {
		n += violationSize + textSize(p.Path, p.Expected, p.Actual, p.Fix)
	}
	if h := d.Heard; h != nil {
		n += textSize(h.Protocol, h.Signature.Text, h.Signature.Fix, h.BodyError)
		for _, diff := range h.Differences {
			n += textSize(diff.Path, diff.Contract, diff.Seen)
		}
	}
	return n
}

func headersSize(h http.Header) int {
	n := 0
	for name, values := range h {
		n += headerSize + textSize(name) + textSize(values...)
	}
	return n
}

func answerSize(a webhook.Answer) int {
	n := textSize(a.Reply, a.ExchangeSlug) + elementSize*(len(a.Buttons)+len(a.ImageCarousel)) + jsonSize(a.NewContext)
	if a.AIReply != nil {
		n += jsonSize(a.AIReply.Data)
	}
	return n
}

// errSize is of an error. A certificate that nobody trusts comes along whole.
func errSize(err error) int {
	if err == nil {
		return 0
	}
	n := errorSize + len(err.Error())
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		for _, c := range untrusted.UnverifiedCertificates {
			n += certSize + 4*len(c.Raw)
		}
	}
	return n
}
