package catalogue

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// onPage makes a probe of a function over the first user's visit.
func onPage(look func(s *subject.Session, v *subject.Visit) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return func(_ context.Context, s *subject.Session) subject.Verdict {
		v, err := s.VisitFirst()
		if err != nil {
			return subject.CouldNotRun(err)
		}
		return look(s, v)
	}
}

var pageWidget = onPage(func(s *subject.Session, v *subject.Visit) subject.Verdict {
	return judgeWidget(v.State, v.Record, v.Started, s.Target.BotKey)
})

// judgeWidget looks for Kindly's script element among those of the page, or
// else at what the chat client said of its own.
func judgeWidget(state browser.State, record browser.Record, started []mockkindly.ClientReport, botKey string) subject.Verdict {
	const expected = `a script element with id="kindly-chat", Kindly's URL and a data-bot-key`
	var kindlys []browser.Script
	for _, sc := range state.Scripts {
		if sc.ID == "kindly-chat" || isWidgetURL(sc.Src) {
			kindlys = append(kindlys, sc)
		}
	}
	if len(kindlys) == 0 && len(started) > 0 { // it was there, and was taken out
		c := started[0]
		kindlys = []browser.Script{{ID: c.ScriptID, Src: c.ScriptSrc, BotKey: c.BotKey}}
	}
	if len(kindlys) == 0 {
		return subject.Violated(expected, "no such element"+whereWeAre(state, record))
	}
	sc := kindlys[0]
	switch {
	case sc.ID != "kindly-chat":
		return subject.Violated(expected, fmt.Sprintf("the script %s has the id %q", sc.Src, sc.ID))
	case !isWidgetURL(sc.Src):
		return subject.Violated(expected, fmt.Sprintf("the script #kindly-chat comes from %q, not from https://chat.kindlycdn.com/", sc.Src))
	case strings.TrimSpace(sc.BotKey) == "":
		return subject.Violated(expected, "data-bot-key is missing or empty")
	case botKey != "" && sc.BotKey != botKey:
		return subject.Violated(fmt.Sprintf("data-bot-key=%q", botKey), fmt.Sprintf("data-bot-key=%q", sc.BotKey))
	}
	return subject.Holds("%s with data-bot-key %q", sc.Src, sc.BotKey)
}

// whereWeAre helps a reader who expected another page.
func whereWeAre(state browser.State, record browser.Record) string {
	where := fmt.Sprintf(" on %s", subject.SafeURL(state.URL))
	if state.Title != "" {
		where += fmt.Sprintf(" (%q)", subject.Bound(state.Title, 80))
	}
	if len(record.Navigation.Redirects) > 0 {
		where += ", to which the page redirected"
	}
	if st := record.Navigation.Status; st >= 400 {
		where += fmt.Sprintf("; it answered status %d", st)
	}
	return where
}

func isWidgetURL(src string) bool {
	u, err := url.Parse(src)
	if err != nil || !strings.EqualFold(u.Hostname(), "chat.kindlycdn.com") {
		return false
	}
	return u.Path == "/kindly-chat.js" || u.Path == "/kindly-chat-pure.js"
}

func pageWidgetOnce(ctx context.Context, s *subject.Session) subject.Verdict {
	v, err := s.VisitFirst()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if len(v.Started) == 0 {
		return noClient()
	}
	if n := v.StartsWithin(ctx, rerender); n > 1 {
		return subject.Violated("one start of the chat client", fmt.Sprintf("it was loaded and started %d times", n))
	}
	return subject.Holds("it started once")
}

// rerender is how long a page is watched for loading the chat client again.
const rerender = 1500 * time.Millisecond

func noClient() subject.Verdict {
	return subject.Missing("the chat client did not start (see PAGE-WIDGET and PAGE-CSP)")
}

var pageCallbackDefined = onPage(func(_ *subject.Session, v *subject.Visit) subject.Verdict {
	if len(v.Started) == 0 {
		return noClient()
	}
	c := v.Started[0]
	if c.Callback != "function" {
		return subject.Violated("a function getAuthToken on window.kindlyOptions",
			fmt.Sprintf("when the chat client started, getAuthToken was %s (options object: %s)", orNone(c.Callback), orNone(c.Options)))
	}
	return subject.Holds("getAuthToken is a function on %s", c.Options)
})

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

var pageCallbackName = onPage(func(_ *subject.Session, v *subject.Visit) subject.Verdict {
	if len(v.Started) == 0 {
		return noClient()
	}
	switch c := v.Started[0]; {
	case c.Callback != "function":
		return subject.Missing("there is no callback (see PAGE-CALLBACK-DEFINED)")
	case c.Options == "kindlySettings":
		return subject.Violated("window.kindlyOptions.getAuthToken", "window.kindlySettings.getAuthToken only")
	default:
		return subject.Holds("it is on kindlyOptions")
	}
})

var pageCallbackToken = onPage(func(s *subject.Session, v *subject.Visit) subject.Verdict { return judgeCallback(s, v) })

func judgeCallback(s *subject.Session, v *subject.Visit) subject.Verdict {
	const expected = "a token, a string"
	if len(v.Started) == 0 {
		return noClient()
	}
	if v.Started[0].Callback != "function" {
		return subject.Missing("there is no callback (see PAGE-CALLBACK-DEFINED)")
	}
	if v.ChatID == "" {
		return subject.Missing("the chat client could not reach Kindly (see PAGE-CSP)")
	}
	c := v.Callback
	if c == nil {
		return subject.Violated(expected, fmt.Sprintf("it was called and had not settled after %s", s.Options.Timeout))
	}
	verdict := subject.Violated(expected, describeCallback(*c, s.Target.Login != nil))
	if c.Outcome == "token" {
		verdict = subject.Holds("a string, after %d ms", c.Elapsed.Milliseconds())
	}
	return verdict.With(callbackEvidence(v)...)
}

func describeCallback(c mockkindly.CallbackReport, loggedIn bool) string {
	switch c.Outcome {
	case "empty":
		if !loggedIn {
			return "it gave " + orNone(c.Type) + ": no token for somebody who is not logged in, and no login was given"
		}
		return "it gave " + orNone(c.Type) + ": no token"
	case "not-a-string":
		return fmt.Sprintf("it gave a value of type %s, not a string", c.Type)
	case "threw":
		return "it threw: " + c.Error
	case "rejected":
		return "its promise was rejected: " + c.Error
	}
	return "it ended as " + c.Outcome
}

// callbackEvidence are the page's requests that may have been for the token:
// the one that brought it, or else what the page's scripts fetched.
func callbackEvidence(v *subject.Visit) []subject.Evidence {
	var out []subject.Evidence
	for _, r := range v.Record.Requests {
		if r.Kindly || (r.ResourceType != "Fetch" && r.ResourceType != "XHR") || len(out) == 5 {
			continue
		}
		out = append(out, subject.RequestEvidence("a request of the page's scripts", r))
	}
	return out
}

// slowCallback is how long a user should have to wait for a chat to know them.
const slowCallback = 5 * time.Second

var pageCallbackTime = onPage(func(s *subject.Session, v *subject.Visit) subject.Verdict {
	if v.ChatID == "" || v.Started[0].Callback != "function" {
		return subject.Missing("the callback was not called (see PAGE-CALLBACK-DEFINED)")
	}
	if v.Callback == nil {
		return subject.Violated("settled within "+slowCallback.String(), fmt.Sprintf("not settled after %s", s.Options.Timeout))
	}
	if took := v.Callback.Elapsed; took > slowCallback {
		return subject.Violated("settled within "+slowCallback.String(), "it took "+took.Round(time.Millisecond).String())
	}
	return subject.Holds("%d ms", v.Callback.Elapsed.Milliseconds())
})

func pageCallbackFresh(ctx context.Context, s *subject.Session) subject.Verdict {
	chatID, called, err := s.CallOther(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if called.Token == "" {
		return subject.Violated("a token for the other chat", fmt.Sprintf("called again for another chat, it gave none: %s %s", called.Outcome, called.Error))
	}
	t, err := token.Decode(token.Raw(called.Token))
	switch {
	case err != nil:
		return subject.Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
	case t.ChatID() == chatID:
		return subject.Holds("a token for the chat that it was called with")
	}
	first, err := s.FirstToken()
	if err == nil && string(first.Raw) == called.Token {
		return subject.Violated("a token whose chat.id is "+chatID, "the very same token as for the first chat")
	}
	if e, err := s.Endpoint(); err == nil && !bindsChat(ctx, e, s) {
		return subject.Missing("the endpoint itself does not tell chats apart (see AUTH-BIND-CHAT, TOK-CHAT-ID)")
	}
	return subject.Violated("a token whose chat.id is "+chatID, fmt.Sprintf("a token whose chat.id is %q", t.ChatID()))
}

// bindsChat says whether the endpoint, asked for a new chat, gives a token for
// that chat. If it does not, a page can't either.
func bindsChat(ctx context.Context, e *subject.Endpoint, s *subject.Session) bool {
	chatID := s.NewChatID()
	_, raw := s.Ask(ctx, "a token for another chat", e.WithChat(chatID))
	t, err := token.Decode(raw)
	return err == nil && t.ChatID() == chatID
}

func pageCallbackRenew(_ context.Context, s *subject.Session) subject.Verdict {
	r, err := s.Renew()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	return judgeRenewal(r)
}

func judgeRenewal(r subject.Renewal) subject.Verdict {
	const expected = "a token with a later exp"
	before, err := token.Decode(token.Raw(r.Before.Token))
	if err != nil || before.Expires().IsZero() {
		return subject.Missing("the token has no readable exp (see TOK-EXP)")
	}
	when := "called again"
	if r.Advanced > 0 {
		when = fmt.Sprintf("called again with the page's clock put forward by %s, to 20 s before exp,", r.Advanced.Round(time.Second))
	}
	after, err := token.Decode(token.Raw(r.After.Token))
	switch {
	case r.After.Token == "":
		return subject.Violated(expected, fmt.Sprintf("%s it gave none: %s", when, r.After.Outcome))
	case err != nil:
		return subject.Violated(expected, when+" it gave something that is no token")
	case r.After.Token == r.Before.Token:
		return subject.Violated(expected, when+" it gave the very same token")
	case !after.Expires().After(before.Expires()):
		return subject.Violated(expected, when+" it gave a token with the same exp or an earlier one")
	}
	return subject.Holds("%s it gave a token that lasts %s longer", when, after.Expires().Sub(before.Expires()))
}

func pageLoggedOut(_ context.Context, s *subject.Session) subject.Verdict {
	v, err := s.VisitLoggedOut()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	switch {
	case v.Token != "":
		return subject.Violated("no token", "a browser without any session got a token").With(callbackEvidence(v)...)
	case len(v.Started) == 0:
		return subject.Holds("logged out, the page does not start the chat client%s", whereWeAre(v.State, v.Record))
	case v.Callback == nil:
		return subject.Holds("no token, but the callback had not settled after %s", s.Options.Timeout)
	}
	return subject.Holds("no token: %s", orNone(v.Callback.Outcome))
}
