package mockkindly

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// A Line is an event in short, for a log. It holds no credential.
type Line struct {
	Status string        // "200", "timeout", "token", "refused"; "" where there is none
	Took   time.Duration // 0 where it is not known
	Reason string        // one sentence, or less: what is wrong, else what it is about
	Wrong  bool          // something is
}

// Bounds of a line's foreign texts, in bytes: of what is shown, and of what is looked
// through for credentials, which takes time.
const (
	maxLine   = 300
	maxLooked = 2 << 10
)

// Line tells an event in short.
func (e Event) Line() Line {
	var l Line
	switch {
	case e.Client != nil:
		l = e.Client.line()
	case e.Callback != nil:
		l = e.Callback.line()
	case e.Token != nil:
		l = e.Token.line()
	case e.Delivery != nil:
		l = e.Delivery.line()
	case e.Dialogue != nil:
		l.Reason = fmt.Sprintf("%s, by %s", e.Dialogue.Slug, e.Dialogue.By)
	case e.Message != nil:
		l.Reason = cmp.Or(e.Message.Text, e.Message.Slug)
	default:
		l.Reason = e.Chat
	}
	l.Status, l.Reason = e.shown(l.Status), e.shown(l.Reason)
	return l
}

// shown is a text without credentials, cut, in one line.
func (e Event) shown(text string) string {
	var shown string
	if len(text) > maxLooked {
		shown = e.redact.Body([]byte(text[:maxLooked]), "text/plain", true)
	} else {
		shown = e.redact.Text(text)
	}
	return clip.Text(strings.Join(strings.Fields(shown), " "), maxLine)
}

func (c ClientReport) line() Line {
	page := c.PageURL
	if u, err := url.Parse(c.PageURL); err == nil {
		page = u.Host + u.Path // what a query holds is nobody's business
	}
	switch {
	case c.BotKey == "":
		return Line{Wrong: true, Reason: "the script element has no data-bot-key, so that there is no chat: " + page}
	case c.Options == "none":
		return Line{Wrong: true, Reason: "window.kindlyOptions is not defined: " + page}
	case c.Callback != "function":
		return Line{Wrong: true, Reason: "window.kindlyOptions has no getAuthToken: " + page}
	}
	return Line{Reason: page}
}

func (c CallbackReport) line() Line {
	if c.Phase == "called" {
		return Line{Reason: c.Reason}
	}
	l := Line{Status: c.Outcome, Took: c.Elapsed, Wrong: c.Outcome != "token", Reason: c.Reason}
	if help := strings.TrimSpace(c.Error + " " + c.Fix()); help != "" {
		l.Reason = help
	}
	return l
}

func (t TokenReport) line() Line {
	if t.OnPurpose {
		return Line{Status: "refused", Wrong: true, Reason: "on purpose, by the fault refuse_tokens"}
	}
	l := Line{Status: "refused", Wrong: true, Reason: t.Reason}
	if t.Accepted {
		l = Line{Status: "accepted", Reason: t.Reason}
		if t.Repeated {
			l = Line{Status: "accepted", Wrong: true, Reason: "it is the token that the chat has already"}
		}
	}
	found := t.Result.Violations
	if !t.Accepted {
		found = t.Result.Refused()
	}
	switch {
	case len(found) > 0:
		l.Wrong, l.Reason = true, fmt.Sprintf("%s: %s. %s", found[0].Rule.ID, found[0].Actual, found[0].Fix)
	case !t.Accepted && len(t.Result.Unjudged) > 0:
		l.Reason = t.Result.Unjudged[0].Rule.ID + ": " + t.Result.Unjudged[0].Reason
	}
	return l
}

func (d *Delivery) line() Line {
	l := Line{Status: string(d.Exchange.Kind()), Took: d.Exchange.Duration, Wrong: true}
	if d.Exchange.Response != nil {
		l.Status = fmt.Sprint(d.Exchange.Status())
	}
	switch {
	case d.Exchange.Response == nil && d.Exchange.Err == nil:
		l.Reason = "no answer"
	case d.Exchange.Response == nil && d.Exchange.Kind() == wire.KindTimeout:
		l.Reason = "no answer within the time that Kindly waits"
	case d.Exchange.Response == nil:
		l.Reason = "no answer: " + d.Exchange.Err.Error()
	case d.Exchange.Status() != 200:
		l.Reason = "Kindly shows no reply but that of a 200"
	case d.AnswerErr != nil:
		l.Reason = d.AnswerErr.Error()
	case len(d.Problems) > 0:
		l.Reason = d.Problems[0].String() + " " + d.Problems[0].Fix
	case d.ContextError != nil:
		l.Reason = d.ContextError.Error()
	case d.WithToken:
		l.Wrong, l.Reason = false, "with the token"
	default:
		l.Wrong, l.Reason = false, "without the token: "+d.Reason
	}
	l.Reason = d.Webhook + ": " + l.Reason
	return l
}
