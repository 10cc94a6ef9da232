package subject

import (
	"context"
	"net/http"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A session that was given, and that died with the process which kept it, is lost for
// good: nobody can log in again. From then on each request is a stranger's, and no answer
// tells what a user gets.

// watchSession looks whether the session is still there when the endpoint is back after
// its death.
func (s *Session) watchSession(e *Endpoint) {
	s.OnComeback(e.Request, func(_ context.Context, send func(string, wire.Request) Evidence) {
		s.lookAtSession(e, send("is the session still there?", e.WithChat(s.NewChatID())), send)
	})
}

// lookAtSession finds out whether the session is lost, where ev is how a plain request is
// answered now that got a token before, and no login makes another.
func (s *Session) lookAtSession(e *Endpoint, ev Evidence, send func(string, wire.Request) Evidence) {
	_, served := s.TokenIn(ev.Exchange)
	if served || ev.Exchange.Response == nil || !s.Endpoints.served.Load() || s.Endpoints.lost.Load() != nil ||
		len(e.Credentials()) == 0 || s.Forgets() != nil || s.logsIn() {
		return
	}
	other, found := e.EditSession(e.WithChat(s.NewChatID()), func(v string) string { return strings.Repeat("a", max(len(v), 8)) })
	switch {
	case !found || s.TooMany(ev) || send("with an invented session", other).Exchange.Status() != ev.Exchange.Status():
		return
	case !isRefusal(ev) && send("a stranger", e.WithoutSession(e.WithChat(s.NewChatID()))).Exchange.Status() >= http.StatusInternalServerError: // all get it
		return
	}
	s.Settles(ev)
	why := "it has ended"
	if len(s.Deaths()) > 0 {
		why = "the process died that kept it"
	}
	lost := "the session that was given is lost: " + why
	s.Endpoints.lost.Store(&lost)
	s.Incomplete("The auth endpoint could be judged in part only: "+lost+", and nothing can log in again.",
		"Mend first what ends the process, if one does, and give a new session. Or keep sessions where they outlive it, or let kindlytest log in: page.login in kindlytest.yaml.")
}

// shutOut notes that the user's own request is refused by now, also that of the page opened
// anew with the login, which gave no token: whoever asked too much, or wrongly, is shut out,
// and what is refused then tells nothing.
func (s *Session) shutOut(ctx context.Context, e *Endpoint, anew *Visit) {
	fresh, err := discover(anew)
	if err != nil || fresh.Origin() != e.Origin() || !isRefusal(fresh.Seen) || !s.Endpoints.served.Load() || s.Forgets() != nil || len(s.Deaths()) > 0 {
		return
	}
	ev, raw := s.Ask(ctx, "the page's request again", s.likeBefore(fresh, e, anew).WithChat(s.NewChatID()))
	if raw != "" || !isRefusal(ev) || ctx.Err() != nil {
		return
	}
	const text = "turns away the user's own request by now, also from the page opened anew with the login"
	away := "the endpoint " + text
	if s.Endpoints.lost.CompareAndSwap(nil, &away) {
		s.Incomplete("The auth endpoint could be judged in part only: it "+text+".",
			"Exempt the address of the tests from what shuts out whoever asks too much or wrongly (fail2ban, a firewall's rule, a lock of the account), or skip hostile checks.")
	}
}

// logsIn says whether a login makes sessions.
func (s *Session) logsIn() bool { return s.Target.PageURL != "" && s.Target.Login != nil }

// now sends plain requests.
func (s *Session) now(title string, r wire.Request) Evidence { return s.Do(s.Base, title, r) }

// WithSession is a verdict on what a user's session gets, as far as there was one: what
// was seen after it was lost tells nothing. Before somebody is accused where a process has
// died, it is looked whether that is so.
func (s *Session) WithSession(v Verdict) Verdict {
	if v.Cause == "process-dies" || v.Sure {
		return v
	}
	if e, ok := s.Endpoints.Found(); ok && v.Kind == Broken && len(s.Deaths()) > 0 && s.Endpoints.lost.Load() == nil && !s.logsIn() {
		s.lookAtSession(e, s.now("is the session still there?", e.WithChat(s.NewChatID())), s.now)
	}
	if lost := s.Endpoints.lost.Load(); lost != nil {
		return Missing("%s", *lost).With(v.Evidence...)
	}
	return v
}
