package subject

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/target"
)

// An endpoint is the customer's auth endpoint, known by one request that gives
// a token. Probes change one thing in it and send it again.
type Endpoint struct {
	Request wire.Request // gives a token for chatID, with the user's session
	ChatID  string
	// pageOrigin is the origin whose page calls it; "" without a page.
	PageOrigin string
	// seen is the exchange that the page made; zero where it was configured.
	Seen Evidence
}

// endpointFacts hold the endpoint as each user's browser calls it.
type endpointFacts struct {
	first, second Memo[*Endpoint]
	Answer        Memo[Evidence]           // one that holds a token
	known         atomic.Pointer[Endpoint] // first, for the report
}

// found returns the first user's endpoint if some probe has found it.
func (f *endpointFacts) Found() (*Endpoint, bool) {
	e := f.known.Load()
	return e, e != nil
}

// endpoint returns the first user's: as configured, or found by watching the
// page's callback.
func (s *Session) Endpoint() (*Endpoint, error) {
	return s.Endpoints.first.Get(func() (*Endpoint, error) {
		e, err := s.findEndpoint(s.VisitFirst)
		if err == nil {
			s.Endpoints.known.Store(e)
			s.watch(e, s.Do(s.Base, "a token for a new chat", e.WithChat(s.NewChatID())))
		}
		return e, err
	})
}

// secondEndpoint is the same with the second user's session.
func (s *Session) SecondEndpoint() (*Endpoint, error) {
	return s.Endpoints.second.Get(func() (*Endpoint, error) { return s.findEndpoint(s.visitSecond) })
}

func (s *Session) findEndpoint(open func() (*Visit, error)) (*Endpoint, error) {
	if s.Target.Endpoint != nil {
		e := endpoint(s.Target.Endpoint, s.NewChatID())
		return e, s.answers(e)
	}
	v, err := open()
	if err != nil {
		return nil, err
	}
	e, err := discover(v)
	if err != nil {
		return nil, err
	}
	s.Redact.Learn(e.Credentials()...)
	return e, nil
}

// answers makes sure that a configured endpoint is there at all: silence is no
// refusal, nor any other answer.
func (s *Session) answers(e *Endpoint) error {
	ex := s.Do(s.Base, "is it there?", e.Request).Exchange
	switch {
	case ex.Err == nil:
		return nil
	case ex.Kind() == wire.KindTimeout:
		err := fmt.Errorf("the endpoint %s did not answer within %s", e, s.Options.Timeout)
		s.Problem(err.Error(), "Is it stuck? --timeout gives it longer.")
		return err
	}
	err := fmt.Errorf("the endpoint %s could not be called: %w", e, ex.Err)
	s.Problem(err.Error(), target.WayToTrust(ex.Err, "Is it running, and is the URL right?"))
	return err
}

// endpoint builds the request of a configured endpoint.
func endpoint(c *target.EndpointConfig, chatID string) *Endpoint {
	body := map[string]string{"chat_id": chatID, "chatId": chatID}
	if c.ChatIDField != "" {
		body = map[string]string{c.ChatIDField: chatID}
	}
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // strings always marshal
	}
	header := c.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	return &Endpoint{ChatID: chatID, Request: wire.Request{Method: c.Verb(), URL: c.URL, Header: header, Body: raw}}
}

// discover finds, among what the page requested, the answer that brought the
// token.
func discover(v *Visit) (*Endpoint, error) {
	if v.Token == "" {
		return nil, MissingError("the page's callback gave no token, so its endpoint is unknown (see PAGE-CALLBACK-TOKEN)")
	}
	found, ok := tokenRequest(v)
	if !ok {
		return nil, MissingError("no answer that the page got holds the token, so its endpoint is unknown; give it with --endpoint URL")
	}
	return &Endpoint{
		ChatID: v.ChatID, PageOrigin: OriginOf(v.State.URL), Seen: RequestEvidence("the page's own request", found),
		Request: wire.Request{Method: found.Method, URL: found.URL, Header: resendable(found.Header), Body: found.Body},
	}, nil
}

// notResent are the headers that belong to a connection or a cache, not to
// what the page asked.
var notResent = map[string]bool{
	"Host": true, "Content-Length": true, "Connection": true, "Accept-Encoding": true,
	"Transfer-Encoding": true, "Keep-Alive": true, "If-None-Match": true, "If-Modified-Since": true,
}

func resendable(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		if canonical := http.CanonicalHeaderKey(name); !strings.HasPrefix(name, ":") && !notResent[canonical] {
			out[canonical] = append(out[canonical], values...)
		}
	}
	return out
}

// String is the endpoint for people: "POST https://…".
func (e *Endpoint) String() string {
	return e.Request.Method + " " + SafeURL(e.WithChat("…").URL)
}

// origin is the endpoint's own.
func (e *Endpoint) Origin() string { return OriginOf(e.Request.URL) }

// cross says whether the page and the endpoint have different origins.
func (e *Endpoint) Cross() bool { return e.PageOrigin != "" && e.PageOrigin != e.Origin() }

// credentials are the values that withoutCredentials drops: the session.
func (e *Endpoint) Credentials() []string {
	var out []string
	for name, values := range e.Request.Header {
		if BrowserHeaders.MatchString(name) {
			continue
		}
		for _, v := range values {
			out = append(out, redact.HeaderSecrets(name, v)...)
		}
	}
	return out
}

func OriginOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else if u.Scheme == "http" {
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

// ask sends a request to the endpoint and returns the token it brought, if any.
func (s *Session) Ask(ctx context.Context, title string, r wire.Request) (Evidence, token.Raw) {
	e := s.Do(ctx, title, r)
	raw, _ := TokenIn(e.Exchange.Body())
	return e, raw
}

var ErrNoAnswer = errors.New("the endpoint did not answer")

// fetchToken gets a token for a chat from the endpoint.
func (s *Session) FetchToken(ctx context.Context, chatID string) (token.Raw, Evidence, error) {
	e, err := s.Endpoint()
	if err != nil {
		return "", Evidence{}, err
	}
	ev, raw := s.Ask(ctx, "a token for chat "+chatID, e.WithChat(chatID))
	switch {
	case ev.Exchange.Err != nil:
		return "", ev, fmt.Errorf("%w: %s", ErrNoAnswer, ev.Exchange.Kind())
	case raw == "":
		return "", ev, MissingError(fmt.Sprintf("the endpoint gave no token: it answered %s (see AUTH-POST-TOKEN)", Describe(ev.Exchange)))
	}
	return raw, ev, nil
}
