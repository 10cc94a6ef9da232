package subject

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/service"
)

// tokenRequest is the page's request that brought the token, as a whole or in parts, in
// the body of its answer, a header or a cookie. Where a service worker stands between, it is the
// worker's: that is the one on the wire.
func tokenRequest(v *Visit) (found browser.Request, ok bool) {
	secret := v.Token.Secret()
	for _, r := range v.Record.Requests {
		if secret == "" || r.Kindly || !answerHolds(r, strings.Split(secret, ".")) {
			continue
		}
		if ok && (found.Target == "service_worker" || r.Target != "service_worker") {
			continue
		}
		found, ok = r, true
	}
	return found, ok
}

// MadeBefore says with what the visit's token came, if the page asked for that before the
// chat client said a word to Kindly: there was no chat yet that it could be for; ""
// otherwise.
func (v *Visit) MadeBefore() string {
	r, ok := tokenRequest(v)
	i := slices.IndexFunc(v.Record.Requests, func(k browser.Request) bool { return k.Kindly && scriptAsks[k.ResourceType] })
	if !ok || i < 0 || v.Carries(r) || !r.Started.Before(v.Record.Requests[i].Started) {
		return ""
	}
	switch r.ResourceType {
	case "Document", "Script":
		return "it was written into " + redact.URL(r.URL)
	case "Fetch", "XHR":
		return "the page asked " + redact.URL(r.URL) + " for it"
	}
	return ""
}

// answerHolds says whether all parts stand in the answer to a request.
func answerHolds(r browser.Request, parts []string) bool {
	for _, part := range parts {
		if !bodyHolds(r.ResponseBody, part) && !headerHolds(r.ResponseHeader, part) {
			return false
		}
	}
	return true
}

func headerHolds(h http.Header, text string) bool {
	for _, values := range h {
		if strings.Contains(strings.Join(values, "\n"), text) {
			return true
		}
	}
	return false
}

// Ask sends a request to the endpoint and returns the token it brought, if any.
func (s *Session) Ask(ctx context.Context, title string, r wire.Request) (Evidence, token.Raw) {
	ev := s.Do(ctx, title, r)
	raw, _ := s.TokenIn(ev.Exchange)
	return ev, raw
}

var ErrNoAnswer = errors.New("the endpoint did not answer")

// FetchToken gets a token for a chat from the endpoint: by the page's request
// made again, or, where that can't be, by the page's callback itself.
func (s *Session) FetchToken(ctx context.Context, chatID string) (token.Raw, Evidence, error) {
	e, err := s.Endpoint()
	if errors.Is(err, ErrMissing) {
		return s.fetchInPage(ctx, chatID, err)
	}
	if err != nil {
		return "", Evidence{}, err
	}
	if e.Socket || e.Gave && !e.NamesChat() {
		return s.fetchInPage(ctx, chatID, MissingError(whyOnce(e)))
	}
	ev, raw, err := s.askPlainly(ctx, "a token for chat "+chatID, chatID)
	if err != nil {
		return "", ev, err
	}
	if raw != "" {
		return raw, ev, nil
	}
	if reason := s.OnlyInPage(); reason != "" {
		return s.fetchInPage(ctx, chatID, MissingError(reason))
	}
	return "", ev, s.noToken(ev)
}

// PlainAnswer is an answer with a token to the page's request, made again for a
// new chat. The error says why there is none.
func (s *Session) PlainAnswer(ctx context.Context) (Evidence, error) {
	e, err := s.Endpoint()
	if err != nil {
		return Evidence{}, err
	}
	if e.Socket {
		return Evidence{}, MissingError(cmp.Or(s.OnlyInPage(), whyOnce(e)))
	}
	ev, raw, err := s.askPlainly(ctx, "a token for a new chat", s.NewChatID())
	if err != nil {
		return ev, err
	}
	if raw != "" {
		return ev, nil
	}
	if reason := s.OnlyInPage(); reason != "" {
		return ev, MissingError(reason)
	}
	return ev, s.noToken(ev)
}

func (s *Session) noToken(ev Evidence) error {
	if lost := s.Endpoints.lost.Load(); lost != nil {
		return MissingError(*lost)
	}
	if ev.Exchange.Err != nil {
		return fmt.Errorf("%w: %s", ErrNoAnswer, ev.Exchange.Kind())
	}
	return MissingError(fmt.Sprintf("the endpoint gave no token: it answered %s (see AUTH-POST-TOKEN)", Describe(ev.Exchange)))
}

// OnlyInPage says why the page's request can't be made again although the page
// itself gets a token for another chat: something in it works only once, or is
// made by the page for each request. It is empty where it can be, and where the
// page gets none either.
func (s *Session) OnlyInPage() string {
	reason, err := s.Endpoints.onlyInPage.Get(func() (string, error) {
		e, err := s.Endpoint()
		if err != nil || !e.Gave {
			return "", err
		}
		ctx, cancel := service.WithTimeout(s.Base, 2*s.Options.Timeout)
		defer cancel()
		refused := func() bool { return e.Socket || s.refusedAgain(ctx, e) }
		if !refused() || s.renewable(e) && s.renewSession(ctx, e) {
			return "", nil
		}
		v, err := s.visitWithToken()
		if err != nil {
			return "", err
		}
		called, _, err := s.callPage(ctx, v, s.NewChatID(), true)
		if err != nil || called.Token == "" || !refused() {
			return "", err
		}
		return whyOnce(e), nil
	})
	if err != nil {
		return ""
	}
	if reason != "" {
		s.inPart(reason, askAgain)
	}
	return reason
}

// refusedAgain says whether the page's request, made again, is turned away.
// Silence, errors and limits say nothing of it.
func (s *Session) refusedAgain(ctx context.Context, e *Endpoint) bool {
	ev, raw := s.Ask(ctx, "the page's request again", e.WithChat(s.NewChatID()))
	return raw == "" && isRefusal(ev)
}

// whyOnce guesses from the request what can't be made again.
func whyOnce(e *Endpoint) string {
	const only = "the page's request can't be made again outside of it: "
	if e.Pushed {
		return "the token comes over a stream of events that the page keeps open, and is asked for elsewhere: only the page can do both"
	}
	if e.Socket {
		return "the token comes over a WebSocket, on which only the page can talk"
	}
	if !e.NamesChat() {
		return "the chat id does not stand in the page's request for a token (is it hashed, or told in another request?), so that only the page can ask for another chat"
	}
	for name := range e.Request.Header {
		if IsCSRFName(name) {
			return only + "its header " + name + " seems to work only once"
		}
	}
	for _, l := range param.All(e.Request, chosenHeader) {
		switch {
		case IsCSRFName(l.Name()):
			return only + "its " + l.String() + " seems to work only once"
		case signatureName(l.Name()):
			return only + "it is signed (" + l.String() + ")"
		}
	}
	if e.Request.Header.Get("Cookie") == "" && len(e.Credentials()) == 0 {
		return only + "the session seems to be added on the way, as by a service worker"
	}
	return only + "something in it seems to work only once, or to be made for each request"
}

func signatureName(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "sign") || strings.Contains(name, "hmac") || strings.Contains(name, "nonce") || strings.Contains(name, "dpop")
}

// CallPage calls the page's callback, with whatever stands for a chat id: one call
// at a time, since what works only once may work for the latest call only. A call
// may take as long as a request. A page that has let one hang may never answer
// again (a socket that lost count of its messages), and another takes its place.
func (s *Session) CallPage(ctx context.Context, chatID any) (browser.CallResult, error) {
	v, err := s.visitWithToken()
	if err != nil {
		return browser.CallResult{}, err
	}
	r, _, err := s.callPage(ctx, v, chatID, false)
	return r, err
}

// callPage calls the callback, and says on which page. Where the chat id is a plain
// one that gets no token, the page is opened again: what was asked from outside may
// have used up what it needs, a token against CSRF that the next answer replaces.
func (s *Session) callPage(ctx context.Context, v *Visit, chatID any, plain bool) (r browser.CallResult, page *browser.Page, err error) {
	s.Endpoints.calling.Lock()
	defer s.Endpoints.calling.Unlock()
	return s.callPageBy(ctx, v, chatID, plain, s.callOn)
}

// callPageBy is callPage, for those who hold Endpoints.calling.
func (s *Session) callPageBy(ctx context.Context, v *Visit, chatID any, plain bool, call func(context.Context, *browser.Page, any) (browser.CallResult, error)) (r browser.CallResult, page *browser.Page, err error) {
	page = cmp.Or(s.Endpoints.page, v.page)
	for again := false; ; again = true {
		if again || s.Endpoints.hung {
			if page, err = s.openAgain(ctx, v); err != nil {
				return r, nil, err
			}
			s.Endpoints.page, s.Endpoints.hung = page, false
		}
		before := len(page.Record().Requests)
		r, err = call(ctx, page, chatID)
		if ev, ok := s.turnedAway(page, before); ok && err == nil && r.Token == "" {
			if again || !s.Rest(ctx, ev) {
				return r, page, service.ErrLimited
			}
			continue
		}
		s.Endpoints.hung = err == nil && r.Outcome == browser.OutcomePending
		if err != nil || again || !plain || r.Token != "" || s.Endpoints.hung {
			return r, page, err
		}
	}
}

// turnedAway is the request, of those that a page has made since, that a limit turned
// away.
func (s *Session) turnedAway(page *browser.Page, since int) (Evidence, bool) {
	all := page.Record().Requests
	for _, r := range all[min(since, len(all)):] {
		if ev := RequestEvidence("the page's own request", r); s.TooMany(ev) {
			return ev, true
		}
	}
	return Evidence{}, false
}

func (s *Session) callOn(ctx context.Context, page *browser.Page, chatID any) (browser.CallResult, error) {
	ctx, cancel := service.WithTimeout(ctx, s.Options.Timeout)
	defer cancel()
	return page.CallWith(ctx, chatID)
}

// fetchInPage gets a token by calling the page's callback; why says what keeps
// the endpoint from being asked itself.
func (s *Session) fetchInPage(ctx context.Context, chatID string, why error) (token.Raw, Evidence, error) {
	if s.Target.PageURL == "" || s.Target.Endpoint != nil {
		return "", Evidence{}, why
	}
	v, err := s.VisitMended()
	if err != nil || v.Token == "" {
		return "", Evidence{}, why
	}
	s.inPart(why.Error(), askAgain)
	called, _, err := s.callPage(ctx, v, chatID, true)
	switch {
	case err != nil:
		return "", Evidence{}, err
	case called.Token == "":
		return "", Evidence{}, MissingError("the page's callback, called for another chat, gave no token (see PAGE-CALLBACK-FRESH)")
	}
	return token.Raw(called.Token), Evidence{}, nil
}
