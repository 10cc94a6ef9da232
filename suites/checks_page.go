package suites

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/browser"
)

// onPage makes a probe of a function over the first user's visit.
func onPage(look func(s *Session, v *visit) Verdict) func(context.Context, *Session) Verdict {
	return func(_ context.Context, s *Session) Verdict {
		v, err := s.visitFirst()
		if err != nil {
			return CouldNotRun(err)
		}
		return look(s, v)
	}
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "PAGE-WIDGET", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "The page loads Kindly's chat client (the CDN URL, either build) from a script element with id kindly-chat and a non-empty data-bot-key; if a bot key is configured, it is that one.",
		Fix:  `Put <script id="kindly-chat" src="https://chat.kindlycdn.com/kindly-chat.js" data-bot-key="YOUR-BOT-KEY" async></script> into the page. If the page needs a login, give it in kindlytest.yaml (page.login).`},
	Needs: NeedPage,
	Probe: onPage(func(s *Session, v *visit) Verdict { return judgeWidget(v.state, v.record, v.started, s.target.BotKey) }),
})

// judgeWidget looks for Kindly's script element among those of the page, or
// else at what the chat client said of its own.
func judgeWidget(state browser.State, record browser.Record, started []mockkindly.ClientReport, botKey string) Verdict {
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
		return Violated(expected, "no such element"+whereWeAre(state, record))
	}
	sc := kindlys[0]
	switch {
	case sc.ID != "kindly-chat":
		return Violated(expected, fmt.Sprintf("the script %s has the id %q", sc.Src, sc.ID))
	case !isWidgetURL(sc.Src):
		return Violated(expected, fmt.Sprintf("the script #kindly-chat comes from %q, not from https://chat.kindlycdn.com/", sc.Src))
	case strings.TrimSpace(sc.BotKey) == "":
		return Violated(expected, "data-bot-key is missing or empty")
	case botKey != "" && sc.BotKey != botKey:
		return Violated(fmt.Sprintf("data-bot-key=%q", botKey), fmt.Sprintf("data-bot-key=%q", sc.BotKey))
	}
	return Holds("%s with data-bot-key %q", sc.Src, sc.BotKey)
}

// whereWeAre helps a reader who expected another page.
func whereWeAre(state browser.State, record browser.Record) string {
	where := fmt.Sprintf(" on %s", safeURL(state.URL))
	if state.Title != "" {
		where += fmt.Sprintf(" (%q)", bound(state.Title, 80))
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

var _ = check(Check{
	Requirement: rule.Rule{ID: "PAGE-WIDGET-ONCE", Level: rule.Should, Fidelity: rule.Observed, Source: rule.ChatClient,
		Text: "The chat client is loaded once, not again on every render.",
		Fix:  "Insert the script when the application mounts, not in every render, or check first whether #kindly-chat exists."},
	Needs: NeedPage,
	Probe: func(ctx context.Context, s *Session) Verdict {
		v, err := s.visitFirst()
		if err != nil {
			return CouldNotRun(err)
		}
		if len(v.started) == 0 {
			return noClient()
		}
		if n := v.startsWithin(ctx, rerender); n > 1 {
			return Violated("one start of the chat client", fmt.Sprintf("it was loaded and started %d times", n))
		}
		return Holds("it started once")
	},
})

// rerender is how long a page is watched for loading the chat client again.
const rerender = 1500 * time.Millisecond

func noClient() Verdict {
	return Missing("the chat client did not start (see PAGE-WIDGET and PAGE-CSP)")
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "PAGE-CALLBACK-DEFINED", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "getAuthToken is a function by the time the chat client starts.",
		Fix:  "Set window.kindlyOptions = {getAuthToken} in a script that runs before Kindly's script element."},
	Needs: NeedPage,
	Probe: onPage(func(_ *Session, v *visit) Verdict {
		if len(v.started) == 0 {
			return noClient()
		}
		c := v.started[0]
		if c.Callback != "function" {
			return Violated("a function getAuthToken on window.kindlyOptions",
				fmt.Sprintf("when the chat client started, getAuthToken was %s (options object: %s)", orNone(c.Callback), orNone(c.Options)))
		}
		return Holds("getAuthToken is a function on %s", c.Options)
	}),
})

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "PAGE-CALLBACK-NAME", Level: rule.Should, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "It is defined on window.kindlyOptions, not only on window.kindlySettings.",
		Fix:  "Rename window.kindlySettings to window.kindlyOptions: every sample of Kindly's documentation uses that name."},
	Needs: NeedPage,
	Probe: onPage(func(_ *Session, v *visit) Verdict {
		if len(v.started) == 0 {
			return noClient()
		}
		switch c := v.started[0]; {
		case c.Callback != "function":
			return Missing("there is no callback (see PAGE-CALLBACK-DEFINED)")
		case c.Options == "kindlySettings":
			return Violated("window.kindlyOptions.getAuthToken", "window.kindlySettings.getAuthToken only")
		default:
			return Holds("it is on kindlyOptions")
		}
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "PAGE-CALLBACK-TOKEN", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "Called with a chat id, it returns or resolves to a token, a string.",
		Fix:  "Return the token itself, or a promise of it: for example `return fetch(…).then(r => r.json()).then(d => d.token)`. If the page gives none to strangers, give a login (page.login in kindlytest.yaml)."},
	Needs: NeedPage,
	Probe: onPage(func(s *Session, v *visit) Verdict { return judgeCallback(s, v) }),
})

func judgeCallback(s *Session, v *visit) Verdict {
	const expected = "a token, a string"
	if len(v.started) == 0 {
		return noClient()
	}
	if v.started[0].Callback != "function" {
		return Missing("there is no callback (see PAGE-CALLBACK-DEFINED)")
	}
	if v.chatID == "" {
		return Missing("the chat client could not reach Kindly (see PAGE-CSP)")
	}
	c := v.callback
	if c == nil {
		return Violated(expected, fmt.Sprintf("it was called and had not settled after %s", s.opts.Timeout))
	}
	verdict := Violated(expected, describeCallback(*c, s.target.Login != nil))
	if c.Outcome == "token" {
		verdict = Holds("a string, after %d ms", c.Elapsed.Milliseconds())
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
func callbackEvidence(v *visit) []Evidence {
	var out []Evidence
	for _, r := range v.record.Requests {
		if r.Kindly || (r.ResourceType != "Fetch" && r.ResourceType != "XHR") || len(out) == 5 {
			continue
		}
		out = append(out, requestEvidence("a request of the page's scripts", r))
	}
	return out
}

// slowCallback is how long a user should have to wait for a chat to know them.
const slowCallback = 5 * time.Second

var _ = check(Check{
	Requirement: rule.Rule{ID: "PAGE-CALLBACK-TIME", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "It settles within 5 s.",
		Fix:  "Find out what is slow in the auth endpoint; always settle, with null where there is no token."},
	Needs: NeedPage,
	Probe: onPage(func(s *Session, v *visit) Verdict {
		if v.chatID == "" || v.started[0].Callback != "function" {
			return Missing("the callback was not called (see PAGE-CALLBACK-DEFINED)")
		}
		if v.callback == nil {
			return Violated("settled within "+slowCallback.String(), fmt.Sprintf("not settled after %s", s.opts.Timeout))
		}
		if took := v.callback.Elapsed; took > slowCallback {
			return Violated("settled within "+slowCallback.String(), "it took "+took.Round(time.Millisecond).String())
		}
		return Holds("%d ms", v.callback.Elapsed.Milliseconds())
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "PAGE-CALLBACK-FRESH", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "Called for another chat, it gives a token for that chat, not a remembered one.",
		Fix:  "Fetch a token for the chat id that the callback is given; if tokens are kept, keep them by chat id."},
	Needs: NeedPage,
	Probe: func(ctx context.Context, s *Session) Verdict {
		chatID, called, err := s.callOther(ctx)
		if err != nil {
			return CouldNotRun(err)
		}
		if called.Token == "" {
			return Violated("a token for the other chat", fmt.Sprintf("called again for another chat, it gave none: %s %s", called.Outcome, called.Error))
		}
		t, err := token.Decode(token.Raw(called.Token))
		switch {
		case err != nil:
			return Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
		case t.ChatID() == chatID:
			return Holds("a token for the chat that it was called with")
		}
		first, err := s.firstPass()
		if err == nil && string(first.raw) == called.Token {
			return Violated("a token whose chat.id is "+chatID, "the very same token as for the first chat")
		}
		if e, err := s.endpoint(); err == nil && !e.bindsChat(ctx, s) {
			return Missing("the endpoint itself does not tell chats apart (see AUTH-BIND-CHAT, TOK-CHAT-ID)")
		}
		return Violated("a token whose chat.id is "+chatID, fmt.Sprintf("a token whose chat.id is %q", t.ChatID()))
	},
})

// bindsChat says whether the endpoint, asked for a new chat, gives a token for
// that chat. If it does not, a page can't either.
func (e *endpoint) bindsChat(ctx context.Context, s *Session) bool {
	chatID := s.newChatID()
	_, raw := s.ask(ctx, "a token for another chat", e.withChat(chatID))
	t, err := token.Decode(raw)
	return err == nil && t.ChatID() == chatID
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "PAGE-CALLBACK-RENEW", Level: rule.Should, Fidelity: rule.Observed, Source: rule.ChatAuthentication,
		Text: "Called again near expiry, it gives a token with a later exp.",
		Fix:  "Drop a remembered token at least 30 s before its exp, and fetch a new one."},
	Needs: NeedPage,
	Probe: func(_ context.Context, s *Session) Verdict {
		r, err := s.renew()
		if err != nil {
			return CouldNotRun(err)
		}
		return judgeRenewal(r)
	},
})

func judgeRenewal(r renewal) Verdict {
	const expected = "a token with a later exp"
	before, err := token.Decode(token.Raw(r.before.Token))
	if err != nil || before.Expires().IsZero() {
		return Missing("the token has no readable exp (see TOK-EXP)")
	}
	when := "called again"
	if r.advanced > 0 {
		when = fmt.Sprintf("called again with the page's clock put forward by %s, to 20 s before exp,", r.advanced.Round(time.Second))
	}
	after, err := token.Decode(token.Raw(r.after.Token))
	switch {
	case r.after.Token == "":
		return Violated(expected, fmt.Sprintf("%s it gave none: %s", when, r.after.Outcome))
	case err != nil:
		return Violated(expected, when+" it gave something that is no token")
	case r.after.Token == r.before.Token:
		return Violated(expected, when+" it gave the very same token")
	case !after.Expires().After(before.Expires()):
		return Violated(expected, when+" it gave a token with the same exp or an earlier one")
	}
	return Holds("%s it gave a token that lasts %s longer", when, after.Expires().Sub(before.Expires()))
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "PAGE-LOGGED-OUT", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "Without a session it gives no token (null, undefined, empty or a rejection).",
		Fix:  "The auth endpoint must identify the user by the session, and answer 401 without one; the callback then returns null."},
	Needs: NeedPage | NeedLogin,
	Probe: func(_ context.Context, s *Session) Verdict {
		v, err := s.visitLoggedOut()
		if err != nil {
			return CouldNotRun(err)
		}
		switch {
		case v.token != "":
			return Violated("no token", "a browser without any session got a token").With(callbackEvidence(v)...)
		case len(v.started) == 0:
			return Holds("logged out, the page does not start the chat client%s", whereWeAre(v.state, v.record))
		case v.callback == nil:
			return Holds("no token, but the callback had not settled after %s", s.opts.Timeout)
		}
		return Holds("no token: %s", orNone(v.callback.Outcome))
	},
})
