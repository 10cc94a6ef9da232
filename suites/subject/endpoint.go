package subject

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/target"
)

// An Endpoint is the customer's auth endpoint, known by one request that gives a
// token, in whatever form the team has chosen. Probes change one thing in it and
// send it again.
type Endpoint struct {
	Request wire.Request // gives a token for ChatID, with the user's session
	ChatID  string
	// PageOrigin is the origin whose page calls it; "" without a page.
	PageOrigin string
	// Seen is the exchange that the page made; zero where it was configured.
	Seen Evidence
	// Gave says that what was seen brought the page's token.
	Gave bool
	// CORSError is Chrome's word for why the page may not read the answer; "" if it may.
	CORSError string
	// Mended says what was changed in the request, which the page makes wrongly; nil: nothing.
	Mended *Mending
	// Credentialed says that browsers send the page's cookies with it.
	Credentialed bool

	// Socket says that the token came over a WebSocket, or another connection that the page
	// keeps open: only the page can ask, and Request is for its address alone.
	Socket bool
	// Pushed says that it is a stream of events instead, which tells of all chats.
	Pushed bool

	place tokenPlace      // of the token in the answer
	gate  map[string]bool // headers that open what stands before it
	// bearers finds what in the request, besides headers, is the session; nil: nothing.
	bearers func() []param.Leaf
	// passed says that the browser's cookies were added to what was seen.
	passed bool
	// way leads to the token, where one request does not; nil: it does.
	way *way
	// everybodys are the cookies that a visitor has who is not logged in; nil: nobody looked.
	everybodys []string
	visitors   []csrfToken     // and what protects them from CSRF
	public     map[string]bool // headers that they know, too
	// shared are the headers that are the same for two users; nil: nobody knows.
	shared func() map[string]bool
}

// endpointFacts hold the endpoint as each user's browser calls it.
type endpointFacts struct {
	first, second Memo[*Endpoint]
	Answer        Memo[Evidence]           // one that holds a token
	onlyInPage    Memo[string]             // why its request can't be made again; "" if it can
	known         atomic.Pointer[Endpoint] // first, for the report
	forgets       atomic.Pointer[Forgetting]
	stranger      atomic.Pointer[Evidence] // see GivenToStranger
	mixed         atomic.Pointer[Evidence] // see MixedUp
	served        atomic.Bool              // the plain request got a token
	lost          atomic.Pointer[string]   // why there is no session any more

	renewing sync.Mutex   // the session
	vain     atomic.Int64 // one more than the deaths known when the page was asked for another one in vain; 0: never

	calling sync.Mutex    // of the page's callback
	page    *browser.Page // where it is called; nil: where it was first
	hung    bool          // the latest call of it was left without an answer
}

// Found returns the first user's endpoint if some probe has found it.
func (f *endpointFacts) Found() (*Endpoint, bool) {
	e := f.known.Load()
	return e, e != nil
}

// Endpoint returns the first user's: as configured, or found by watching the
// page's callback.
func (s *Session) Endpoint() (*Endpoint, error) {
	return s.Endpoints.first.Get(func() (*Endpoint, error) {
		e, err := s.findEndpoint()
		if err == nil {
			s.Endpoints.known.Store(e)
			if e.Socket {
				return e, nil
			}
			first := s.Do(s.Base, "a token for a new chat", e.WithChat(s.NewChatID()))
			if passed, ev, ok := s.passedOn(e, first); ok {
				e, first = passed, ev
				s.Endpoints.known.Store(e)
			}
			if led, ev, ok := s.lead(e, first); ok {
				e, first = led, ev
				s.Endpoints.known.Store(e)
			} else if again, ev, ok := s.makeAnew(e, first); ok {
				e, first = again, ev
				s.Endpoints.known.Store(e)
			}
			if _, ok := s.TokenIn(first.Exchange); !ok && s.forgets(e, first) {
				first = s.Do(s.Base, "a token for a new chat", e.WithChat(s.NewChatID()))
			}
			s.watch(e, first)
			if _, ok := s.TokenIn(first.Exchange); ok {
				s.Endpoints.served.Store(true)
				s.lookInCompany(e)
			}
		}
		return e, err
	})
}

// passedOn is the endpoint with the cookies that the browser has for it, where only so
// it gets the token: of a request that a service worker passes on, they are not seen.
func (s *Session) passedOn(e *Endpoint, first Evidence) (*Endpoint, Evidence, bool) {
	if _, ok := s.TokenIn(first.Exchange); ok || !e.Gave || e.Credentialed || !isRefusal(first) {
		return e, first, false
	}
	v, err := s.VisitMended()
	if err != nil {
		return e, first, false
	}
	passed := *e
	passed.Request = e.Request.Clone()
	passed.bearers = nil // the session is a cookie
	if !passed.passCookies(v.State) {
		return e, first, false
	}
	ev, raw := s.Ask(s.Base, "with the browser's cookies", passed.WithChat(s.NewChatID()))
	if raw == "" || differentPeople(v.Token, raw) {
		return e, first, false
	}
	s.Redact.Learn(passed.Credentials()...)
	return &passed, ev, true
}

// passSecond is passedOn for the second user, where it was for the first.
func (s *Session) passSecond(e *Endpoint) error {
	if first, ok := s.Endpoints.Found(); !ok || !first.passed || e.Credentialed {
		return nil
	}
	v, err := s.visitSecond()
	if err != nil {
		return err
	}
	if e.passCookies(v.State) {
		s.Redact.Learn(e.Credentials()...)
	}
	return nil
}

// passCookies adds the cookies that the browser has for the endpoint, if it has any.
func (e *Endpoint) passCookies(state browser.State) bool {
	cookies := CookiesFor(state.Cookies, e.Request.URL)
	if cookies == "" {
		return false
	}
	e.Request.Header.Set("Cookie", cookies)
	e.Credentialed, e.passed = true, true
	return true
}

// SecondEndpoint is the same with the second user's session.
func (s *Session) SecondEndpoint() (*Endpoint, error) {
	return s.Endpoints.second.Get(func() (*Endpoint, error) { return s.findSecond() })
}

func (s *Session) findSecond() (*Endpoint, error) {
	switch given := s.Target.Endpoint; {
	case given == nil:
		e, err := s.watched(s.visitSecond, s.Target.Second)
		if err != nil {
			return nil, err
		}
		if err := s.passSecond(e); err != nil {
			return nil, err
		}
		return s.leadSecond(e)
	case given.SecondHeader != nil:
		second := given.ForSecond()
		return s.configured(&second)
	case s.Target.PageURL != "" && s.Target.Second != nil: // the page knows how the second user is told
		return s.watched(s.visitSecond, s.Target.Second)
	}
	return nil, MissingError("the endpoint is given without the second user's session: endpoint.second_headers in kindlytest.yaml")
}

func (s *Session) findEndpoint() (*Endpoint, error) {
	if s.Target.Endpoint != nil {
		return s.configured(s.Target.Endpoint)
	}
	e, err := s.watched(s.VisitMended, s.Target.Login)
	if err == nil {
		e.bearers = sync.OnceValue(func() []param.Leaf { return s.findBearers(e) })
	}
	if err == nil && s.Target.Second != nil {
		e.shared = sync.OnceValue(func() map[string]bool { return s.sharedHeaders(e) })
	}
	return e, err
}

// configured makes the endpoint of what is given, and of what the page was seen to do,
// if there is a page and that gets a token.
func (s *Session) configured(given *target.EndpointConfig) (*Endpoint, error) {
	if e := s.likeThePages(given); e != nil {
		return e, s.answers(e)
	}
	chatID := s.NewChatID()
	e := &Endpoint{ChatID: chatID, Request: given.Request(chatID), PageOrigin: wire.OriginOf(s.Target.PageURL), gate: gateKeys(nil)}
	if given.Token != "" {
		e.place = tokenPlace{steps: strings.Split(given.Token, ".")}
	}
	e.Credentialed = e.Request.Header.Get("Cookie") != ""
	s.Redact.Learn(e.Credentials()...)
	return e, s.answers(e)
}

// likeThePages is what is given, with the rest as the page was seen to ask; nil where
// no page asks, or that gets no token.
func (s *Session) likeThePages(given *target.EndpointConfig) *Endpoint {
	if s.Target.PageURL == "" {
		return nil
	}
	v, err := s.VisitMended()
	if err != nil || v.Token == "" {
		return nil
	}
	seen, err := discover(v)
	if err != nil || seen.Socket {
		return nil
	}
	private := func(name string) bool {
		return name == "Cookie" || name == "Authorization" || IsCSRFName(name) || redact.IsSecretName(name) && mayBeSession(name) && !seen.sendsChat(name)
	}
	e := &Endpoint{ChatID: seen.ChatID, PageOrigin: seen.PageOrigin, gate: gateKeys(nil), place: seen.place,
		Request: given.Like(seen.Request, seen.ChatID, private, func(text string) bool { return param.HoldsID(text, seen.ChatID) })}
	e.Request.Header = s.Client.Gates().Without(e.Request.Header, e.Request.URL)
	if given.Token != "" {
		e.place = tokenPlace{steps: strings.Split(given.Token, ".")}
	}
	e.Credentialed = e.Request.Header.Get("Cookie") != ""
	s.Redact.Learn(e.Credentials()...)
	ev := s.Do(s.Base, "as the page asks, and the file says", e.WithChat(s.NewChatID()))
	if raw, ok := e.place.read(ev.Exchange); !ok || !isForChat(raw) {
		return nil
	}
	return e
}

// watched finds the endpoint by opening the page.
func (s *Session) watched(open func() (*Visit, error), login *browser.Login) (*Endpoint, error) {
	v, err := open()
	if err != nil {
		return nil, err
	}
	e, err := discover(v)
	if err != nil {
		return nil, err
	}
	e.Request.Header = s.Client.Gates().Without(e.Request.Header, e.Request.URL)
	s.Redact.Learn(e.Credentials()...)
	e.gate = gateKeys(login)
	s.ofItsOwn(e, v.Token)
	if !e.Gave || !namesChat(v.Token) {
		s.mend(e, v)
	}
	return e, nil
}

// answers makes sure that a configured endpoint is there at all: silence is no
// refusal, nor any other answer.
func (s *Session) answers(e *Endpoint) error {
	ex := s.Do(s.Base, "is it there?", e.Request).Exchange
	switch {
	case ex.Status()/100 == 3 && !e.Request.Follow:
		led := e.WithChat(s.NewChatID())
		led.Follow = true
		_, raw := s.Ask(s.Base, "where does it lead?", led)
		e.Request.Follow = raw != ""
		return nil
	case ex.Err == nil:
		return nil
	case ex.Kind() == wire.KindTimeout:
		err := fmt.Errorf("the endpoint %s did not answer within %s", e, s.Options.Timeout)
		s.Problem(err.Error(), "Is it stuck? --timeout gives it longer.")
		return err
	}
	err := fmt.Errorf("the endpoint %s could not be called: %w", e, ex.Err)
	s.Problem(err.Error(), WayOut(ex.Err, "Is it running, and is the URL right?"))
	return err
}

// discover finds the endpoint among what the page requested: the answer that
// brought the token, or, where the callback gave none, what it asked for the chat.
func discover(v *Visit) (*Endpoint, error) {
	found, ok := tokenRequest(v)
	if !ok && v.Token != "" {
		found, ok = unreadRequest(v)
	}
	if !ok && v.Token != "" {
		return nil, MissingError("no answer that the page got holds the token, so its endpoint is unknown; give it with --endpoint URL")
	}
	if ok && (found.ResourceType == "Document" || found.ResourceType == "Script") && v.MadeBefore() != "" {
		return nil, MissingError("the page's token was made with the page, before there was a chat: no endpoint gives one for a chat (see TOK-CHAT-ID)")
	}
	if !ok {
		if found, ok = refusedRequest(v); !ok {
			return nil, MissingError("the page's callback gave no token, and asked nobody for one, so its endpoint is unknown (see PAGE-CALLBACK-TOKEN)")
		}
	}
	e := &Endpoint{
		ChatID: v.ChatID, PageOrigin: callerOf(found, v.ChatURL()), Seen: RequestEvidence("the page's own request", found),
		Gave: v.Token != "", CORSError: found.CORSError,
		Request: wire.Request{Method: found.Method, URL: found.URL, Header: resendable(found.Header), Body: found.Body},
	}
	e.place = learnPlace(e.Seen.Exchange, v.Token)
	if first, ok := firstHop(v, found); ok {
		e.Request = wire.Request{Method: first.Method, URL: first.URL, Header: resendable(first.Header), Body: first.Body, Follow: true}
	}
	switch {
	case found.ResourceType == "WebSocket":
		e.Socket, e.Request.URL, e.Request.Body = true, strings.Replace(found.URL, "ws", "http", 1), nil
	case found.ResourceType == "EventSource" && !e.NamesChat(): // it was open before anybody asked
		e.Socket, e.Pushed = true, true
	}
	e.Credentialed = e.Request.Header.Get("Cookie") != ""
	if e.CORSError != "" && !e.Credentialed { // it was not sent: the preflight was refused
		e.Credentialed = strings.Contains(e.CORSError, "Wildcard") || strings.Contains(e.CORSError, "Credentials")
		if cookies := CookiesFor(v.State.Cookies, found.URL); cookies != "" {
			e.Request.Header.Set("Cookie", cookies)
		}
	}
	return e, nil
}

// ofItsOwn finds the chat id in the request of a page that asks for a chat of its own
// making: what the token is for, if another one in its place gets a token for that.
func (s *Session) ofItsOwn(e *Endpoint, raw token.Raw) {
	t, err := token.Decode(raw)
	if err != nil || e.NamesChat() || e.Socket || len(t.ChatID()) < minCarried {
		return
	}
	own := *e
	if own.ChatID = t.ChatID(); !own.NamesChat() {
		return
	}
	chatID := s.NewChatID()
	_, got := s.Ask(s.Base, "as the page asks, for another chat", own.WithChat(chatID))
	if t, err := token.Decode(got); err == nil && t.ChatID() == chatID {
		e.ChatID = own.ChatID
	}
}

// firstHop is what the page asked for where redirects led it to the answer, all in one
// origin: who asks anew is led to another answer.
func firstHop(v *Visit, last browser.Request) (browser.Request, bool) {
	for _, r := range v.Record.Requests {
		switch {
		case r.ID != last.ID || r.ID == "" || r.ResourceType == "Preflight" || r.Target != last.Target:
		case wire.OriginOf(r.URL) != wire.OriginOf(last.URL):
			return r, false
		default:
			return r, r.URL != last.URL
		}
	}
	return last, false
}

// callerOf is the origin of the document that made a request: a frame of another
// origin may ask on the page's behalf.
func callerOf(r browser.Request, page string) string {
	if r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		return wire.OriginOf(r.URL)
	}
	return cmp.Or(wire.OriginOf(r.Header.Get("Origin")), wire.OriginOf(page))
}

// unreadRequest is the request for the chat whose answer Chrome no longer has, as
// after the page went on to another one: the token must have come from there.
func unreadRequest(v *Visit) (browser.Request, bool) {
	for _, r := range v.CallbackRequests() {
		if r.Status/100 == 2 && len(r.ResponseBody) == 0 && carriesChat(r, v.ChatID) {
			return r, true
		}
	}
	return browser.Request{}, false
}

// refusedRequest is the request that the callback made for a token and got none:
// the first of its hops, if there is no doubt which it is.
func refusedRequest(v *Visit) (browser.Request, bool) {
	all := slices.DeleteFunc(v.CallbackRequests(), func(r browser.Request) bool { return r.Method == "" || !scriptAsks[r.ResourceType] })
	if len(all) == 0 {
		return browser.Request{}, false
	}
	last := all[len(all)-1]
	for _, r := range all {
		switch {
		case r.ID == last.ID:
			return r, true
		case !carriesChat(last, v.ChatID): // any of them may be it
			return browser.Request{}, false
		}
	}
	return last, true
}

// notResent are the headers that belong to a connection or a cache, not to
// what the page asked.
var notResent = map[string]bool{
	"Host": true, "Content-Length": true, "Connection": true, "Accept-Encoding": true,
	"Transfer-Encoding": true, "Keep-Alive": true, "Upgrade": true, "If-None-Match": true, "If-Modified-Since": true,
}

func resendable(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		if canonical := http.CanonicalHeaderKey(name); !strings.HasPrefix(name, ":") && !strings.HasPrefix(canonical, "Sec-Websocket-") && !notResent[canonical] {
			out[canonical] = append(out[canonical], values...)
		}
	}
	return out
}

// String is the endpoint for people: "POST https://…".
func (e *Endpoint) String() string {
	return e.Request.Method + " " + redact.URL(e.WithChat("…").URL)
}

// Origin is the endpoint's own.
func (e *Endpoint) Origin() string { return wire.OriginOf(e.Request.URL) }

// Cross says whether the page and the endpoint have different origins.
func (e *Endpoint) Cross() bool { return e.PageOrigin != "" && e.PageOrigin != e.Origin() }

// Credentials are the values that WithoutCredentials drops: the session.
func (e *Endpoint) Credentials() []string {
	var out []string
	for name, values := range e.Request.Header {
		if !mayBeSession(name) || e.sendsChat(name) {
			continue
		}
		for _, v := range values {
			out = append(out, redact.HeaderSecrets(name, v)...)
		}
	}
	return out
}
