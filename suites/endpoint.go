package suites

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/wire"
	"github.com/kindlytest/kindlytest/suites/browser"
)

// An endpoint is the customer's auth endpoint, known by one request that gives
// a token. Probes change one thing in it and send it again.
type endpoint struct {
	request wire.Request // gives a token for chatID, with the user's session
	chatID  string
	// pageOrigin is the origin whose page calls it; "" without a page.
	pageOrigin string
	// seen is the exchange that the page made; zero where it was configured.
	seen Evidence
}

// endpointFacts hold the endpoint as each user's browser calls it.
type endpointFacts struct {
	first, second memo[*endpoint]
	answer        memo[Evidence]           // one that holds a token
	known         atomic.Pointer[endpoint] // first, for the report
}

// found returns the first user's endpoint if some probe has found it.
func (f *endpointFacts) found() (*endpoint, bool) {
	e := f.known.Load()
	return e, e != nil
}

// endpoint returns the first user's: as configured, or found by watching the
// page's callback.
func (s *Session) endpoint() (*endpoint, error) {
	return s.endpoints.first.get(func() (*endpoint, error) {
		e, err := s.findEndpoint(s.visitFirst)
		if err == nil {
			s.endpoints.known.Store(e)
		}
		return e, err
	})
}

// secondEndpoint is the same with the second user's session.
func (s *Session) secondEndpoint() (*endpoint, error) {
	return s.endpoints.second.get(func() (*endpoint, error) { return s.findEndpoint(s.visitSecond) })
}

func (s *Session) findEndpoint(open func() (*visit, error)) (*endpoint, error) {
	if s.target.Endpoint != nil {
		e := s.target.Endpoint.endpoint(s.newChatID())
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
	s.redact.add(e.credentials()...)
	return e, nil
}

// answers makes sure that a configured endpoint is there at all: silence is no
// refusal, nor any other answer.
func (s *Session) answers(e *endpoint) error {
	ex := s.do(s.base, "is it there?", e.request).Exchange
	switch {
	case ex.Err == nil:
		return nil
	case ex.Kind() == wire.KindTimeout:
		err := fmt.Errorf("the endpoint %s did not answer within %s", e, s.opts.Timeout)
		s.problem(err.Error(), "Is it stuck? --timeout gives it longer.")
		return err
	}
	err := fmt.Errorf("the endpoint %s could not be called: %w", e, ex.Err)
	s.problem(err.Error(), "Is it running, and is the URL right?")
	return err
}

// endpoint builds the request of a configured endpoint.
func (c *EndpointConfig) endpoint(chatID string) *endpoint {
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
	return &endpoint{chatID: chatID, request: wire.Request{Method: c.method(), URL: c.URL, Header: header, Body: raw}}
}

// discover finds, among what the page requested, the answer that brought the
// token.
func discover(v *visit) (*endpoint, error) {
	if v.token == "" {
		return nil, missingError("the page's callback gave no token, so its endpoint is unknown (see PAGE-CALLBACK-TOKEN)")
	}
	var found *browser.Request
	for i, r := range v.record.Requests {
		if !r.Kindly && bytes.Contains(r.ResponseBody, []byte(v.token.Secret())) {
			found = &v.record.Requests[i]
			break
		}
	}
	if found == nil {
		return nil, missingError("no answer that the page got holds the token, so its endpoint is unknown; give it with --endpoint URL")
	}
	return &endpoint{
		chatID: v.chatID, pageOrigin: originOf(v.state.URL), seen: requestEvidence("the page's own request", *found),
		request: wire.Request{Method: found.Method, URL: found.URL, Header: resendable(found.Header), Body: found.Body},
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
func (e *endpoint) String() string {
	return e.request.Method + " " + safeURL(e.withChat("…").URL)
}

// origin is the endpoint's own.
func (e *endpoint) origin() string { return originOf(e.request.URL) }

// cross says whether the page and the endpoint have different origins.
func (e *endpoint) cross() bool { return e.pageOrigin != "" && e.pageOrigin != e.origin() }

// withChat is the request for another chat: the id is a UUID, so that it is
// replaced wherever it stands (body, query, path, header).
func (e *endpoint) withChat(chatID string) wire.Request {
	r := e.request.Clone()
	r.URL = strings.ReplaceAll(r.URL, e.chatID, chatID)
	r.Body = bytes.ReplaceAll(r.Body, []byte(e.chatID), []byte(chatID))
	for _, values := range r.Header {
		for i := range values {
			values[i] = strings.ReplaceAll(values[i], e.chatID, chatID)
		}
	}
	return r
}

// errNoChatMember says that the chat id can't be varied by type.
var errNoChatMember = missingError("the page does not send the chat id as a member of a JSON or form body")

// withValue is the request with the chat id replaced by any JSON value; an
// error says that the chat id is not in a JSON body.
func (e *endpoint) withValue(value any) (wire.Request, error) {
	return e.editBody(func(member map[string]any, key string) { member[key] = value },
		func(form url.Values, key string) { form.Set(key, formValue(value)) })
}

// withoutChat is the request without a chat id.
func (e *endpoint) withoutChat() (wire.Request, error) {
	r, err := e.editBody(func(member map[string]any, key string) { delete(member, key) },
		func(form url.Values, key string) { form.Del(key) })
	if err == nil {
		return r, nil
	}
	u, parseErr := url.Parse(e.request.URL)
	if parseErr != nil || !strings.Contains(u.RawQuery, e.chatID) {
		return r, err
	}
	query := u.Query()
	for key, values := range query {
		if len(values) > 0 && values[0] == e.chatID {
			query.Del(key)
		}
	}
	u.RawQuery = query.Encode()
	r = e.request.Clone()
	r.URL = u.String()
	return r, nil
}

// withMembers is the request for a chat with further members in its JSON body.
// A member that holds the chat id is added to, and keeps it.
func (e *endpoint) withMembers(chatID string, members map[string]any) (wire.Request, error) {
	r := e.withChat(chatID)
	var body map[string]any
	if err := json.Unmarshal(r.Body, &body); err != nil || body == nil {
		return r, errNoChatMember
	}
	for k, v := range members {
		if !editMembers(body[k], chatID, func(object map[string]any, key string) { addMembers(object, key, v) }) {
			body[k] = v
		}
	}
	return setJSON(r, body)
}

// addMembers adds the members of v, if it is an object, all but the one named.
func addMembers(to map[string]any, but string, v any) {
	more, _ := v.(map[string]any)
	for name, member := range more {
		if name != but {
			to[name] = member
		}
	}
}

func (e *endpoint) editBody(inJSON func(map[string]any, string), inForm func(url.Values, string)) (wire.Request, error) {
	r := e.request.Clone()
	var body any
	if json.Unmarshal(r.Body, &body) == nil {
		if !editMembers(body, e.chatID, inJSON) {
			return r, errNoChatMember
		}
		return setJSON(r, body)
	}
	form, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return r, errNoChatMember
	}
	for key := range form {
		if form.Get(key) == e.chatID {
			inForm(form, key)
			r.Body = []byte(form.Encode())
			return r, nil
		}
	}
	return r, errNoChatMember
}

// editMembers calls edit for each object member whose value is the chat id.
func editMembers(value any, chatID string, edit func(map[string]any, string)) bool {
	found := false
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			if member == chatID {
				edit(value, key)
				found = true
			} else if editMembers(member, chatID, edit) {
				found = true
			}
		}
	case []any:
		for _, member := range value {
			found = editMembers(member, chatID, edit) || found
		}
	}
	return found
}

func setJSON(r wire.Request, body any) (wire.Request, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return r, fmt.Errorf("encoding the body: %w", err)
	}
	r.Body = bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	return r, nil
}

func formValue(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

// browserHeaders are those that browsers send of themselves. Any other may
// carry a session.
var browserHeaders = regexp.MustCompile(`(?i)^(Accept.*|Content-.*|User-Agent|Origin|Referer|Sec-.*|Cache-Control|Pragma|Dnt|Priority|Upgrade-Insecure-Requests|X-Requested-With|Te)$`)

// withoutCredentials drops the session: cookies, Authorization, and every
// header that browsers don't send of themselves.
func withoutCredentials(r wire.Request) wire.Request {
	r = r.Clone()
	for name := range r.Header {
		if !browserHeaders.MatchString(name) {
			delete(r.Header, name)
		}
	}
	return r
}

// withoutSession is withoutCredentials, but keeps what protects from CSRF: a
// request that is refused for the lack of that says nothing about the session.
func withoutSession(r wire.Request) wire.Request {
	out := withoutCredentials(r)
	for name, values := range r.Header {
		if isCSRFName(name) {
			out.Header[name] = slices.Clone(values)
		}
	}
	var kept []string
	for _, pair := range strings.Split(r.Header.Get("Cookie"), ";") {
		if name, _, _ := strings.Cut(pair, "="); isCSRFName(name) {
			kept = append(kept, strings.TrimSpace(pair))
		}
	}
	if len(kept) > 0 {
		out.Header.Set("Cookie", strings.Join(kept, "; "))
	}
	return out
}

// credentials are the values that withoutCredentials drops: the session.
func (e *endpoint) credentials() []string {
	var out []string
	for name, values := range e.request.Header {
		if browserHeaders.MatchString(name) {
			continue
		}
		for _, v := range values {
			out = append(out, headerSecrets(name, v)...)
		}
	}
	return out
}

// headerSecrets are the secrets in a header: its value, and the parts of it
// that are secret by themselves.
func headerSecrets(name, value string) []string {
	out := []string{value}
	switch http.CanonicalHeaderKey(name) {
	case "Cookie":
		out = append(out, cookieValues(value)...)
	case "Authorization":
		if _, credential, ok := strings.Cut(value, " "); ok {
			out = append(out, strings.TrimSpace(credential))
		}
	}
	return out
}

func cookieValues(header string) []string {
	var out []string
	for _, pair := range strings.Split(header, ";") {
		if _, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok {
			out = append(out, value)
		}
	}
	return out
}

func originOf(raw string) string {
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

// compactJWS matches what looks like a token, anywhere in an answer.
var compactJWS = regexp.MustCompile(`ey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*`)

// tokensIn returns what looks like a token in an answer.
func tokensIn(body []byte) []token.Raw {
	var out []token.Raw
	for _, m := range compactJWS.FindAll(body, 8) {
		out = append(out, token.Raw(m))
	}
	return out
}

// holdsToken says whether an answer gives a token away. Login pages and error
// pages hold other JWTs: a state, a publishable key, what the request brought.
func holdsToken(ex wire.Exchange) bool {
	page := strings.HasPrefix(strings.TrimSpace(string(ex.Body())), "<")
	for _, raw := range tokensIn(ex.Body()) {
		t, err := token.Decode(raw)
		if page && (err != nil || t.Claims.Get("chat").Kind() == token.Missing) || brought(ex.Request, raw) {
			continue
		}
		return true
	}
	return false
}

// brought says whether a request itself holds a token.
func brought(r wire.Request, raw token.Raw) bool {
	for _, values := range r.Header {
		if strings.Contains(strings.Join(values, "\n"), raw.Secret()) {
			return true
		}
	}
	return strings.Contains(r.URL, raw.Secret()) || bytes.Contains(r.Body, []byte(raw.Secret()))
}

// tokenIn returns the token of an answer: the member "token", or else whatever
// looks like one.
func tokenIn(body []byte) (token.Raw, bool) {
	var answer struct {
		Token string `json:"token"`
	}
	if json.Unmarshal(body, &answer) == nil && answer.Token != "" {
		return token.Raw(answer.Token), true
	}
	if all := tokensIn(body); len(all) > 0 {
		return all[0], true
	}
	return "", false
}

// ask sends a request to the endpoint and returns the token it brought, if any.
func (s *Session) ask(ctx context.Context, title string, r wire.Request) (Evidence, token.Raw) {
	e := s.do(ctx, title, r)
	raw, _ := tokenIn(e.Exchange.Body())
	return e, raw
}

var errNoAnswer = errors.New("the endpoint did not answer")

// fetchToken gets a token for a chat from the endpoint.
func (s *Session) fetchToken(ctx context.Context, chatID string) (token.Raw, Evidence, error) {
	e, err := s.endpoint()
	if err != nil {
		return "", Evidence{}, err
	}
	ev, raw := s.ask(ctx, "a token for chat "+chatID, e.withChat(chatID))
	switch {
	case ev.Exchange.Err != nil:
		return "", ev, fmt.Errorf("%w: %s", errNoAnswer, ev.Exchange.Kind())
	case raw == "":
		return "", ev, missingError(fmt.Sprintf("the endpoint gave no token: it answered %s (see AUTH-POST-TOKEN)", describe(ev.Exchange)))
	}
	return raw, ev, nil
}
