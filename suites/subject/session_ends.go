package subject

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/service"
)

// A session may end while a run goes on: an access token lives for seconds, a cookie
// is another one after each answer. The page sees to that by itself. So it is called
// then, and what it sends from there on is what the probes send. Where the page gets
// no token either, the user has to log in again.

// Lasting judges by the endpoint while the session lasts. Where it has ended
// meanwhile, what was refused may have been refused for that: it is judged again,
// with the session that the page has by then. So is what could not be told where a
// process has died: the session may have been lost with it, and be made again by now.
func (s *Session) Lasting(ctx context.Context, judge func(*Endpoint) Verdict) Verdict {
	for try := range mostTries {
		e, err := s.Endpoint()
		if err != nil {
			return CouldNotRun(err)
		}
		v := judge(e)
		if v.Sure {
			return v
		}
		now, err := s.Endpoint()
		renewed := err == nil && now != e && try < mostTries-1 // others have seen to another one
		ended := renewed || s.hasEnded(ctx, e)
		died := v.Kind == Lacking && len(s.Deaths()) > 0
		if !ended && (!died || try == mostTries-1) {
			return v
		}
	}
	const reason = "the session ends sooner than this can be found out"
	s.inPart(reason, "Let the test user's session live longer, or ask less at a time: --concurrency 1.")
	return Missing(reason)
}

// hasEnded says whether the session of e has ended, and another one has come for it.
func (s *Session) hasEnded(ctx context.Context, e *Endpoint) bool {
	if !s.renewable(e) && s.logsIn() {
		return false
	}
	ctx = service.WithRunning(ctx, &service.Running{}) // it is no matter of the check
	ev, raw := s.Ask(ctx, "is the session still there?", e.WithChat(s.NewChatID()))
	if !s.renewable(e) {
		s.lookAtSession(e, ev, s.now)
		return false
	}
	return s.forNobody(ctx, e, ev, raw) && s.renewSession(ctx, e)
}

// forNobody says whether an answer is that to somebody without a session: a refusal,
// or the token that anybody gets there.
func (s *Session) forNobody(ctx context.Context, e *Endpoint, ev Evidence, raw token.Raw) bool {
	if raw == "" {
		return isRefusal(ev) || s.failsForNobody(ctx, e, ev)
	}
	v, err := s.visitWithToken()
	if err != nil || !differentPeople(v.Token, raw) {
		return false
	}
	_, anybodys := s.Ask(ctx, "without credentials", e.WithoutSession(e.WithChat(s.NewChatID())))
	return anybodys != "" && !differentPeople(anybodys, raw)
}

// isRefusal says whether an answer is a refusal. Silence, errors and limits are none.
func isRefusal(ev Evidence) bool {
	return ev.Exchange.Err == nil && !service.Limited(ev) && (ev.Exchange.Status() < http.StatusInternalServerError || SaysError(ev.Exchange))
}

// failsForNobody says whether an answer is an error that whoever has an invented session
// gets too: there is no user to be found.
func (s *Session) failsForNobody(ctx context.Context, e *Endpoint, ev Evidence) bool {
	if ev.Exchange.Response == nil || ev.Exchange.Status() < http.StatusInternalServerError || service.Gateway(ev.Exchange.Status()) {
		return false
	}
	r, found := e.EditSession(e.WithChat(s.NewChatID()), func(v string) string { return strings.Repeat("a", max(len(v), 8)) })
	if !found {
		return false
	}
	invented, raw := s.Ask(ctx, "with an invented session", r)
	return raw == "" && invented.Exchange.Status() == ev.Exchange.Status() && invented.Killed == nil
}

// renewable says whether the page can be asked for another session, and was not asked in
// vain since a process died that may have kept it.
func (s *Session) renewable(e *Endpoint) bool {
	return s.Target.Endpoint == nil && e.Gave && e.Mended == nil && !e.Socket && e.way == nil && s.Endpoints.vain.Load() != int64(s.Died())+1
}

// renewSession lets the page ask once more, and takes its request for the endpoint's,
// if that can be made again. It says whether e is out of date.
func (s *Session) renewSession(ctx context.Context, e *Endpoint) bool {
	s.Endpoints.renewing.Lock()
	defer s.Endpoints.renewing.Unlock()
	if now, err := s.Endpoint(); err != nil || now != e {
		return err == nil
	}
	if !s.renewable(e) {
		return false
	}
	deaths := s.Died()
	if fresh, err := s.askedByPage(ctx, e); err == nil {
		ev, raw := s.Ask(ctx, "the page's request again", fresh.WithChat(s.NewChatID()))
		if raw != "" && !s.forNobody(ctx, fresh, ev, raw) {
			s.replace(e.Request, fresh.Request)
			s.Endpoints.first.Replace(fresh)
			s.Endpoints.known.Store(fresh)
			return true
		}
	}
	if ctx.Err() == nil {
		s.Endpoints.vain.Store(int64(deaths) + 1) // it is no matter of the session
	}
	return false
}

// askedByPage is the endpoint as the page calls it now.
func (s *Session) askedByPage(ctx context.Context, e *Endpoint) (*Endpoint, error) {
	chatID := s.NewChatID()
	v, err := s.visitWithToken()
	if err != nil {
		return nil, err
	}
	called, page, err := s.callPage(ctx, v, chatID, true)
	if err != nil {
		return nil, err
	}
	if called.Token == "" && s.Target.Login != nil {
		return s.askedByNewLogin(ctx, e, s.Target.Login, v, &s.pages.mended)
	}
	return s.seenOn(ctx, page, v, e, chatID, called)
}

// askedByNewLogin is the endpoint as the page calls it of a user who has logged in anew.
// That visit takes the place of theirs.
func (s *Session) askedByNewLogin(ctx context.Context, e *Endpoint, login *browser.Login, before *Visit, place *Memo[*Visit]) (*Endpoint, error) {
	v, err := s.visit(login, before)
	if err != nil {
		return nil, err
	}
	if v.Token == "" {
		if login == s.Target.Login {
			s.shutOut(ctx, e, v)
		}
		return nil, MissingError("the page of who has logged in anew gives no token")
	}
	place.Replace(v)
	fresh, err := discover(v)
	if err != nil {
		return nil, err
	}
	return s.likeBefore(fresh, e, v), nil
}

// seenOn is the endpoint as a page has called it for a token.
func (s *Session) seenOn(ctx context.Context, page *browser.Page, v *Visit, e *Endpoint, chatID string, called browser.CallResult) (*Endpoint, error) {
	if called.Token == "" {
		return nil, MissingError("the page's callback, called for another chat, gave no token (see PAGE-CALLBACK-FRESH)")
	}
	page.Settle(ctx)
	fresh, err := discover(&Visit{ChatID: chatID, Token: token.Raw(called.Token), Record: page.Record(), State: v.State, Started: v.Started})
	if err != nil {
		return nil, err
	}
	return s.likeBefore(fresh, e, v), nil
}

// likeBefore is an endpoint as it was found again by a visit, with what is known of it
// already.
func (s *Session) likeBefore(fresh, before *Endpoint, v *Visit) *Endpoint {
	fresh.Request.Header = s.Client.Gates().Without(fresh.Request.Header, fresh.Request.URL)
	fresh.gate, fresh.shared = before.gate, before.shared
	fresh.bearers = sync.OnceValue(func() []param.Leaf { // at the same places, with today's values
		return slices.DeleteFunc(param.All(fresh.Request, chosenHeader), func(l param.Leaf) bool { return !before.isBearer(l) })
	})
	if before.passed && !fresh.Credentialed {
		fresh.passCookies(v.State)
	}
	s.Redact.Learn(fresh.Credentials()...)
	return fresh
}

// LastingSecond lets try use the second user's endpoint until it is done, again where
// their session has ended meanwhile and another one has come for it. The error is that
// of a second user who is not there.
func (s *Session) LastingSecond(ctx context.Context, try func(*Endpoint) (done bool)) error {
	for range mostTries {
		e, err := s.SecondEndpoint()
		if err != nil {
			return err
		}
		if try(e) || !s.renewSecond(ctx, e) {
			break
		}
	}
	return nil
}

// renewSecond is hasEnded for the second user.
func (s *Session) renewSecond(ctx context.Context, e *Endpoint) bool {
	if !s.renewable(e) {
		return false
	}
	if ev, raw := s.Ask(ctx, "is the second user's session still there?", e.WithChat(s.NewChatID())); raw != "" || !isRefusal(ev) && !s.failsForNobody(ctx, e, ev) {
		return false
	}
	s.Endpoints.renewing.Lock()
	defer s.Endpoints.renewing.Unlock()
	if now, err := s.SecondEndpoint(); err != nil || now != e {
		return err == nil
	}
	fresh, err := s.askedBySecond(ctx, e)
	if err != nil {
		return false
	}
	s.replace(e.Request, fresh.Request)
	s.Endpoints.second.Replace(fresh)
	return true
}

// askedBySecond is the endpoint as the second user's page calls it now, or else as it
// does after they have logged in anew: a process that died may have lost their session.
func (s *Session) askedBySecond(ctx context.Context, e *Endpoint) (*Endpoint, error) {
	v, err := s.visitSecond()
	if err != nil {
		return nil, err
	}
	chatID := s.NewChatID()
	if called, err := s.call(ctx, v.page, chatID); err == nil && called.Token != "" {
		return s.seenOn(ctx, v.page, v, e, chatID, called)
	}
	like, err := s.VisitMended()
	if err != nil {
		return nil, err
	}
	return s.askedByNewLogin(ctx, e, s.Target.Second, like, &s.pages.second)
}

// askPlainly makes the page's request again for a chat, with a session that lasts.
func (s *Session) askPlainly(ctx context.Context, title, chatID string) (ev Evidence, raw token.Raw, err error) {
	for range mostTries {
		e, err := s.Endpoint()
		if err != nil || e.Socket {
			return ev, raw, err
		}
		ev, raw = s.Ask(ctx, title, e.WithChat(chatID))
		s.lookAtSession(e, ev, s.now)
		if !s.renewable(e) || !s.forNobody(ctx, e, ev, raw) || !s.renewSession(ctx, e) {
			break
		}
	}
	return ev, raw, nil
}

// OfTwoPages are the tokens that the pages of the two users got, where only they can
// ask; an error says why there are not two.
func (s *Session) OfTwoPages() (first, second token.Raw, err error) {
	v, err := s.visitWithToken()
	if err != nil {
		return "", "", err
	}
	other, err := s.visitSecond()
	switch {
	case err != nil:
		return "", "", err
	case other.Token == "":
		return "", "", MissingError("the second user's page got no token")
	}
	return v.Token, other.Token, nil
}
