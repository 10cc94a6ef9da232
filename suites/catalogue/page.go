package catalogue

import (
	"context"
	"fmt"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// onPage makes a probe of a function over the first user's visit.
func onPage(look func(s *subject.Session, v *subject.Visit) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return onVisit((*subject.Session).VisitFirst, look)
}

// onChat is onPage for what comes after the start of the chat client: a page that
// keeps it out is judged as if it did not.
func onChat(look func(s *subject.Session, v *subject.Visit) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return onVisit((*subject.Session).VisitMended, look)
}

func onVisit(visit func(*subject.Session) (*subject.Visit, error), look func(s *subject.Session, v *subject.Visit) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return func(_ context.Context, s *subject.Session) subject.Verdict {
		v, err := visit(s)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		return look(s, v)
	}
}

func pageCallbackDefined(ctx context.Context, s *subject.Session) subject.Verdict {
	v, err := s.VisitFirst()
	if err == nil && len(v.Started) == 0 { // it is kept out
		v, err = s.VisitMended()
	}
	switch {
	case err != nil:
		return subject.CouldNotRun(err)
	case len(v.Started) == 0:
		return noClient(v)
	case v.Start().Callback != "function":
		return judgeAbsence(ctx, v)
	}
	return subject.Holds("getAuthToken is a function on %s", v.Start().Options)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

var pageCallbackName = onChat(func(_ *subject.Session, v *subject.Visit) subject.Verdict {
	if len(v.Started) == 0 {
		return noClient(v)
	}
	switch c := v.Start(); {
	case c.Callback != "function":
		return subject.Missing("there is no callback (see PAGE-CALLBACK-DEFINED)")
	case c.Options == "kindlySettings":
		return subject.Violated("window.kindlyOptions.getAuthToken", "window.kindlySettings.getAuthToken only")
	default:
		return subject.Holds("it is on kindlyOptions")
	}
})

// slowCallback is how long a user should have to wait for a chat to know them.
const slowCallback = 5 * time.Second

func pageCallbackTime(ctx context.Context, s *subject.Session) subject.Verdict {
	v, err := s.VisitMended()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if v.ChatID == "" || len(v.Started) == 0 || v.Start().Callback != "function" {
		return subject.Missing("the callback was not called (see PAGE-CALLBACK-DEFINED)")
	}
	if v.Callback == nil {
		return subject.Violated("settled within "+slowCallback.String(), fmt.Sprintf("not settled after %s", s.Options.Timeout))
	}
	took := v.Callback.Elapsed
	if took <= slowCallback {
		return subject.Holds("%d ms", took.Milliseconds())
	}
	slow := subject.Violated("settled within "+slowCallback.String(), "it took "+took.Round(time.Millisecond).String())
	if _, again, err := s.CallOther(ctx); err == nil && again.Token != "" && again.Elapsed <= slowCallback { // it was the first call of all, perhaps
		slow.Actual += fmt.Sprintf(", and %d ms when the same page called again", again.Elapsed.Milliseconds())
	}
	return slow
}

func pageCallbackFresh(ctx context.Context, s *subject.Session) subject.Verdict {
	chatID, called, err := s.CallOther(ctx)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if called.Outcome == browser.OutcomeUndefined {
		return subject.Missing("%s", goneByThen)
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
	if e, err := s.Endpoint(); err == nil && !bindsChat(ctx, e, s) { // also what is made twice within a second is the very same
		return subject.Missing("the endpoint itself does not tell chats apart (see AUTH-BIND-CHAT, TOK-CHAT-ID)")
	}
	if first, err := s.FirstToken(); err == nil && string(first.Raw) == called.Token {
		return subject.Violated("a token whose chat.id is "+chatID, "the very same token as for the first chat")
	}
	return subject.Violated("a token whose chat.id is "+chatID, fmt.Sprintf("a token whose chat.id is %q", t.ChatID()))
}

// bindsChat says whether the endpoint, asked for a new chat, gives a token for
// that chat. If it does not, a page can't either.
func bindsChat(ctx context.Context, e *subject.Endpoint, s *subject.Session) bool {
	for range 2 {
		chatID := s.NewChatID()
		ev, raw := s.Ask(ctx, "a token for another chat", e.WithChat(chatID))
		if t, err := token.Decode(raw); err != nil || t.ChatID() != chatID {
			return false
		}
		again, ok := e.Afterwards(ev)
		if !ok {
			break
		}
		e = again
	}
	return true
}

func pageCallbackRenew(ctx context.Context, s *subject.Session) subject.Verdict {
	r, err := s.Renew()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	v := judgeRenewal(r)
	if v.Kind == subject.Broken && v.Cause == "" && r.After.Token != "" && r.After.Token == r.Before.Token && keepsTokens(ctx, s) {
		return subject.Missing("the endpoint itself gives a token again, or one for another chat, whose clock nobody can put forward (see AUTH-FRESH, AUTH-BIND-CHAT)")
	}
	return v
}

// keepsTokens says whether the endpoint, asked twice for a new chat, gives a token that
// it has made before.
func keepsTokens(ctx context.Context, s *subject.Session) bool {
	e, err := s.Endpoint()
	if err != nil {
		return false
	}
	chatID := s.NewChatID()
	_, first := s.Ask(ctx, "a token for another chat", e.WithChat(chatID))
	if service.Sleep(ctx, 1100*time.Millisecond) != nil { // iat counts whole seconds
		return false
	}
	_, second := s.Ask(ctx, "once more", e.WithChat(chatID))
	t, err := token.Decode(second)
	return err == nil && (first == second || t.ChatID() != chatID)
}

func judgeRenewal(r subject.Renewal) subject.Verdict {
	const expected = "a token with a later exp"
	if r.Before.Outcome == browser.OutcomeUndefined || r.After.Outcome == browser.OutcomeUndefined {
		return subject.Missing("%s", goneByThen)
	}
	if r.Before.Token == "" {
		return subject.Missing("called for another chat it gave no token (%s), so that there was none to renew (see PAGE-CALLBACK-FRESH)", orNone(string(r.Before.Outcome)))
	}
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
	v, err := s.VisitLoggedOutMended()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	putIn := ""
	if v.Mended {
		putIn = ", once the chat client was put in, which the page keeps out"
	}
	if what, is := v.OtherThanToken(); is {
		return subject.Violated("no token: null, undefined or nothing", "a browser without any session got a text in its place"+putIn).
			Because(what.ID).Fix("Return null where nobody is logged in: look at response.ok before the answer is read, and make nothing text that is missing.").With(v.CallbackEvidence()...)
	}
	switch {
	case v.Token != "":
		return subject.Violated("no token", "a browser without any session got a token"+putIn).With(v.CallbackEvidence()...)
	case len(v.Started) == 0:
		return judgeNoChat(s, v)
	case v.Callback == nil:
		return subject.Holds("no token, but the callback had not settled after %s", s.Options.Timeout)
	}
	if asked := v.CallbackEvidence(); len(asked) > 0 {
		if last := refused("logged out, the callback's request", asked[len(asked)-1]); last.Kind == subject.Lacking {
			return last
		}
	}
	return subject.Holds("no token: %s", orNone(v.Callback.Outcome))
}

// judgeNoChat is the verdict where nobody's page starts no chat client: it is sure only
// of a page that is not for them.
func judgeNoChat(s *subject.Session, v *subject.Visit) subject.Verdict {
	if status := v.Record.Navigation.Status; service.Gateway(status) {
		return subject.Missing("logged out, the page answers %d, as a gateway says that gets no answer: what the page itself makes of it is not known", status)
	}
	held := subject.Holds("logged out, the page does not start the chat client%s", whereWeAre(v))
	if s.TurnsAway(v) || v.State.Passwords > 0 {
		return held
	}
	return held.Weak("logged out, the page starts no chat client, so that nobody called the callback: it may start later, as after a consent (page.steps clicks that away at each visit)")
}
