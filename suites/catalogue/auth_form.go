package catalogue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// Whether the endpoint gives tokens at all, and in which form.

var authPostToken = onLasting(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	const expected = "a token for a new chat"
	if e.Socket {
		return throughPage(s, subject.Evidence{})
	}
	if f := s.Forgets(); f != nil {
		return subject.Violated(expected, fmt.Sprintf("the session is known at %d of %d tries, and else: %s", f.Known, f.Of, subject.Describe(f.Seen.Exchange))).
			Because("endpoint-forgets-sessions").Surely().With(f.Seen)
	}
	ev, raw := s.Ask(ctx, "the page's request for a new chat", e.WithChat(s.NewChatID()))
	if ev.Exchange.Err != nil {
		err := fmt.Errorf("the endpoint %s could not be called: %v", e, ev.Exchange.Err)
		s.Problem(err.Error(), subject.WayOut(ev.Exchange.Err, "Is it running, and is the URL right?"))
		return subject.CouldNotRun(err)
	}
	if m := e.Mended; m != nil {
		v := subject.Violated(expected, whatCame(e.Seen)+"; it gives one to the same request with "+m.What)
		if subject.HoldsToken(e.Seen.Exchange) {
			v = subject.Violated(expected, "a token for no chat; it gives one for the chat to the same request with "+m.What).Because("token-chat-id-not-read")
		}
		return v.Fix(m.Fix).With(e.Seen, ev)
	}
	if raw != "" {
		return subject.Holds("%s, and a token", subject.Describe(ev.Exchange))
	}
	if s.OnlyInPage() != "" {
		return throughPage(s, ev)
	}
	toLogin := ev.Exchange.Status()/100 == 3 && leadsToLogin(e.Request.URL, ev.Exchange.Response.Header.Get("Location"))
	if asStranger := !e.Gave && s.Target.Endpoint == nil && s.Target.Login == nil; asStranger && (toLogin || refusesStranger(ev)) {
		return noLogin(s, "the page's request gets no token: "+whatCame(ev)).With(ev)
	}
	v := subject.Violated(expected, whatCame(ev))
	said := subject.FixOfAnswer(ev.Exchange.Body())
	switch {
	case said != "" && ev.Exchange.Status() >= http.StatusInternalServerError:
		v = v.Because("callback-endpoint-error").Fix(said)
	case refusesStranger(ev) && len(e.Credentials()) == 0:
		v = v.Fix("If it wants a session, give it one: --endpoint-header-file FILE, or endpoint.headers in kindlytest.yaml; with a page, page.login.")
	case !e.Gave && e.PageOrigin != "" && e.Seen.Exchange.Response != nil:
		v = v.Fix("The page gets no token either. What answered, and why, stands in the answer: " + subject.WhatAnswered(e.Seen.Exchange) + ".")
	}
	return v.With(ev)
})

// throughPage is the verdict where only the page can ask.
func throughPage(s *subject.Session, ev subject.Evidence) subject.Verdict {
	reason := s.OnlyInPage()
	if reason == "" {
		return subject.Missing("the page's callback, called for another chat, gives no token (see PAGE-CALLBACK-FRESH)")
	}
	v := subject.Holds("the page's callback, called for another chat, gets a token").Weak(reason)
	if ev.Exchange.Response != nil {
		v = v.With(ev)
	}
	return v
}

func refusesStranger(ev subject.Evidence) bool {
	return ev.Exchange.Status() == http.StatusUnauthorized || ev.Exchange.Status() == http.StatusForbidden
}

// whatCame says what an answer has instead of a token.
func whatCame(ev subject.Evidence) string {
	if to := ev.Exchange.Status() / 100; to == 3 {
		return subject.Describe(ev.Exchange)
	} else if to != 2 {
		return subject.WhatAnswered(ev.Exchange)
	}
	what := subject.Describe(ev.Exchange)
	body := strings.TrimSpace(string(ev.Exchange.Body()))
	var object map[string]json.RawMessage
	switch {
	case body == "":
		return what + ", and an empty body"
	case json.Unmarshal([]byte(body), &object) == nil && object != nil:
		names := slices.Sorted(maps.Keys(object))
		return what + ", and an object without a token: it has " + subject.Bound(strings.Join(names, ", "), 200)
	case strings.HasPrefix(body, "<"):
		return what + ", and no JSON object but HTML: " + subject.WhatAnswered(ev.Exchange)
	}
	return what + ", and no JSON object nor a token in the text"
}

var authForm = onTokenAnswer(func(_ *subject.Endpoint, ev subject.Evidence) subject.Verdict {
	const expected = `POST with JSON, and 200 with {"token": "…"}`
	var odd []string
	if method := ev.Exchange.Request.Method; method != http.MethodPost {
		odd = append(odd, "the method is "+method)
	}
	if kind := param.BodyKind(ev.Exchange.Request); kind != "JSON" {
		odd = append(odd, "the request has "+kind)
	}
	if ev.Exchange.Status() != http.StatusOK {
		odd = append(odd, subject.Describe(ev.Exchange))
	}
	var answer map[string]any
	if json.Unmarshal(ev.Exchange.Body(), &answer) != nil || answer == nil {
		odd = append(odd, "the answer is no JSON object")
	} else if raw, ok := answer["token"].(string); !ok || raw == "" {
		odd = append(odd, "the token is not in the member token")
	}
	if len(odd) > 0 {
		return subject.Violated(expected, strings.Join(odd, "; ")).With(ev)
	}
	return subject.Holds("%s", expected)
})

// isSequence says whether a text is several JSON values one after the other: a batch
// that is answered as it goes is still called application/json (tRPC).
func isSequence(text string) bool {
	d := json.NewDecoder(strings.NewReader(text))
	for {
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// guard is what some put before JSON so that no script tag of another site can read it
// (Angular takes it off by itself): it is called application/json as before.
var guard = regexp.MustCompile(`^(\)\]\}'?,?|while ?\(1\);|for ?\(;;\);|throw 1;|&&&START&&&|//)\s*`)

var authContentType = onTokenAnswer(func(_ *subject.Endpoint, ev subject.Evidence) subject.Verdict {
	got := ev.Exchange.Response.Header.Get("Content-Type")
	body := strings.TrimSpace(string(ev.Exchange.Body()))
	if body == "" {
		return subject.Holds("the answer has no body")
	}
	mediaType, _, err := mime.ParseMediaType(got)
	if err != nil {
		return subject.Violated("the content type of the body", fmt.Sprintf("%q", got)).With(ev)
	}
	body = guard.ReplaceAllString(body, "")
	isJSON := json.Valid([]byte(body))
	switch {
	case strings.Contains(mediaType, "html") && !strings.HasPrefix(body, "<"):
		return subject.Violated("anything but HTML", fmt.Sprintf("%q", got)).With(ev)
	case isJSON && mediaType != "application/json" && !strings.HasSuffix(mediaType, "+json") && mediaType != "text/x-component":
		return subject.Violated("application/json, as the body is JSON", fmt.Sprintf("%q", got)).With(ev)
	case !isJSON && !isSequence(body) && (mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")):
		return subject.Violated("the content type of the body, which is no JSON", fmt.Sprintf("%q", got)).With(ev)
	}
	return subject.Holds("%s", got)
})
