package catalogue

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/subject"
)

var authChatidMissing = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	r, err := e.WithoutChat()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	ev := s.Do(ctx, "without a chat id", r)
	return strictly(gaveNone("without a chat id", ev), ev, rule.Must)
})

var authChatidType = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	var verdicts []subject.Verdict
	for _, value := range forge.ChatIDs("AUTH-CHATID-TYPE") {
		r, err := e.WithValue(json.RawMessage(value.JSON))
		if err != nil {
			return subject.CouldNotRun(err)
		}
		what := "chat id " + value.Name
		verdicts = append(verdicts, gaveNone(what, s.Do(ctx, what, r)))
	}
	return subject.Worst(rule.Must, verdicts...)
})

var authChatidHostile = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	var verdicts []subject.Verdict
	for _, value := range forge.ChatIDs("AUTH-CHATID-HOSTILE") {
		r, err := e.WithValue(json.RawMessage(value.JSON))
		if err != nil {
			return subject.CouldNotRun(err)
		}
		what := "chat id with " + value.Name
		verdicts = append(verdicts, judgeHostileID(what, value, s.Do(ctx, what, r)))
	}
	return subject.Worst(rule.Should, verdicts...)
})

// carries says whether a token's payload holds a JSON string in the same
// spelling: what Go decodes it to says nothing about a lone surrogate.
func carries(raw token.Raw, value []byte) bool {
	segments := strings.Split(raw.Secret(), ".")
	if len(segments) != 3 {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(segments[1])
	return err == nil && bytes.Contains(bytes.ToLower(payload), bytes.ToLower(value))
}

func judgeHostileID(what string, value forge.Value, ev subject.Evidence) subject.Verdict {
	const expected = "a 4xx, or a token for exactly that chat id"
	st := ev.Exchange.Status()
	switch {
	case ev.Exchange.Err != nil, st >= 500:
		return subject.Violated(expected, what+": "+subject.Describe(ev.Exchange)).With(ev)
	case st >= 400:
		return subject.Holds("%s: %s", what, subject.Describe(ev.Exchange))
	}
	raw, ok := subject.TokenIn(ev.Exchange.Body())
	if !ok {
		return subject.Holds("%s: %s and no token", what, subject.Describe(ev.Exchange))
	}
	t, err := token.Decode(raw)
	if err != nil {
		return subject.Violated(expected, what+": a token that can't be read").With(ev)
	}
	if same := t.ChatID() == value.String; value.IsString && !same || !value.IsString && !carries(raw, value.JSON) {
		return subject.Violated(expected, what+": a token whose chat.id is another").With(ev)
	}
	return subject.Holds("%s: a token for exactly that", what)
}

var authBodyMalformed = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	if !readsBody(e) {
		return subject.Missing("the page sends the chat id in the URL, not in the body")
	}
	bodies, err := forge.Bodies("AUTH-BODY-MALFORMED", e.WithChat(s.NewChatID()).Body)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	var verdicts []subject.Verdict
	for _, b := range bodies {
		r := withBody(e, b)
		what := "a body that is " + b.Name
		ev := s.Do(ctx, what, r)
		verdicts = append(verdicts, strictly(gaveNone(what, ev), ev, rule.Should))
	}
	return subject.Worst(rule.Must, verdicts...)
})

// readsBody says whether the chat id is in the body. Where it is in the URL, any
// body will do.
func readsBody(e *subject.Endpoint) bool { return bytes.Contains(e.Request.Body, []byte(e.ChatID)) }

// withBody is the request with another body.
func withBody(e *subject.Endpoint, b forge.Body) wire.Request {
	r := e.Request.Clone()
	r.Body = b.Bytes
	r.Header.Set("Content-Type", b.ContentType)
	return r
}

var authBodyTextPlain = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	chatID := s.NewChatID()
	r := e.WithChat(chatID)
	if len(r.Body) == 0 {
		return subject.Missing("the page sends no body")
	}
	r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	ev, raw := s.Ask(ctx, "as text/plain", r)
	if raw == "" {
		return gaveNone("as text/plain", ev)
	}
	t, err := token.Decode(raw)
	if err != nil {
		return subject.Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
	}
	if t.ChatID() != chatID {
		return subject.Violated("a token for the chat, or a refusal", fmt.Sprintf("a token whose chat.id is %q", t.ChatID())).With(ev)
	}
	return subject.Holds("the right token")
})

var authMethod = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	var verdicts []subject.Verdict
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
		chatID := s.NewChatID()
		r, err := addQuery(e.WithChat(chatID), chatIDNames(e), chatID) // where a GET is expected to have it
		if err != nil {
			return subject.CouldNotRun(err)
		}
		r.Method = method
		verdicts = append(verdicts, refusesMethod(method, s.Do(ctx, method, r)))
	}
	return subject.Worst(rule.Must, verdicts...)
})

// refusesMethod is gaveNone, with a note where the method is not refused: HEAD
// has no body, but tells whether GET is served.
func refusesMethod(method string, ev subject.Evidence) subject.Verdict {
	v := gaveNone(method, ev)
	if st := ev.Exchange.Status(); v.Kind == subject.Held && st != http.StatusNotImplemented && (st < 400 || st >= 500) {
		return subject.Violated("405", v.Actual).At(rule.Info).With(ev)
	}
	return v
}

var authChatidQuery = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	r, err := e.WithoutChat()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if r, err = addQuery(r, chatIDNames(e), s.NewChatID()); err != nil {
		return subject.CouldNotRun(err)
	}
	return gaveNone("chat id in the query", s.Do(ctx, "chat id in the query only", r))
})

// chatIDNames are the names under which the endpoint may look for the chat id:
// those that Kindly's documentation uses, and the page's own.
func chatIDNames(e *subject.Endpoint) []string {
	names := []string{"chat_id", "chatId"}
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	e.EditBody(func(_ map[string]any, key string) { add(key) }, func(_ url.Values, key string) { add(key) }) // a copy, for the names
	return names
}

// addQuery adds a value to the URL's query under each of the names.
func addQuery(r wire.Request, names []string, value string) (wire.Request, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return r, fmt.Errorf("the endpoint's URL: %w", err)
	}
	query := u.Query()
	for _, name := range names {
		query.Set(name, value)
	}
	u.RawQuery = query.Encode()
	r.URL = u.String()
	return r, nil
}

var authIdentityBody = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	chatID := s.NewChatID()
	marker := "kindlytest-" + s.NewChatID()[:8]
	r, err := e.WithMembers(chatID, map[string]any{
		"sub": marker, "name": marker, "email": marker + "@example.com", "email_verified": true,
		"user_id": marker, "userId": marker, "role": marker, "exp": 4102444800,
		"chat":            map[string]any{"id": marker, "webhook_domains": []string{marker + ".example.com"}},
		"webhook_domains": []string{marker + ".example.com"},
	})
	if err != nil {
		return subject.CouldNotRun(err)
	}
	ev, raw := s.Ask(ctx, "with an identity in the body", r)
	if raw == "" {
		return gaveNone("with an identity in the body", ev)
	}
	t, err := token.Decode(raw)
	if err != nil {
		return subject.Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
	}
	if strings.Contains(t.Claims.JSON(), marker) || t.Expires().Unix() == 4102444800 {
		return subject.Violated("claims from the session alone", "the token holds what was sent in the body").With(ev)
	}
	return subject.Holds("the claims are the session's")
})

var authErrorLeak = onEndpoint(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	answered := false
	for _, ev := range errorAnswers(ctx, s, e) {
		answered = answered || ev.Exchange.Response != nil
		if what := leakIn(ev.Exchange.Body()); what != "" {
			return subject.Violated("an error without internals", ev.Title+": the answer shows "+what).With(ev)
		}
	}
	if !answered {
		return subject.CouldNotRun(subject.ErrNoAnswer)
	}
	return subject.Holds("none seen")
})

// errorAnswers provokes a few errors.
func errorAnswers(ctx context.Context, s *subject.Session, e *subject.Endpoint) []subject.Evidence {
	var out []subject.Evidence
	out = append(out, s.Do(ctx, "without credentials", subject.WithoutCredentials(e.WithChat(s.NewChatID()))))
	for _, body := range []string{"{", "null", "[]"} {
		r := withBody(e, forge.Body{ContentType: "application/json", Bytes: []byte(body)})
		out = append(out, s.Do(ctx, "the body "+body, r))
	}
	for _, value := range []any{42, map[string]any{}, nil} {
		if r, err := e.WithValue(value); err == nil {
			out = append(out, s.Do(ctx, fmt.Sprintf("the chat id %v", value), r))
		}
	}
	r := e.WithChat(s.NewChatID())
	r.Method = http.MethodPut
	return append(out, s.Do(ctx, "PUT", r))
}

// internals are what an error must not show, as frameworks print it.
var internals = []struct {
	what    string
	pattern *regexp.Regexp
}{
	{"a private key", pemPrivateKey},
	{"a stack trace", regexp.MustCompile(`Traceback \(most recent call last\)|\n\s+at [\w$.<>]+ ?\(|\bat [\w$./<> ]+\([^)\s]+:\d+:\d+\)|goroutine \d+ \[|\.java:\d+\)|Stack trace:|in [\w/\\.-]+\.php:\d+|\w+\.cs:line \d+`)},
	{"a file path", regexp.MustCompile(`(?:/(?:home|usr|var|opt|srv|app|root|Users|etc)/[\w.-]+/[\w./-]+\.\w+|[A-Z]:\\[\w\\ .-]+\.\w+)`)},
	{"a secret's name and value", regexp.MustCompile(`(?i)\b(?:secret[_-]?key|private[_-]?key|api[_-]?key|password|db_password)["']?\s*[:=]\s*["'][^"']{6,}["']`)},
}

func leakIn(body []byte) string {
	for _, i := range internals {
		if i.pattern.Match(body) {
			return i.what
		}
	}
	return ""
}

var authHostHeader = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	const forged = "kindlytest.evil.example"
	for _, name := range []string{"X-Forwarded-Host", "Host"} {
		r := e.WithChat(s.NewChatID())
		if name == "Host" {
			r.Host = forged
		} else {
			r.Header.Set(name, forged)
		}
		ev, raw := s.Ask(ctx, "a forged "+name, r)
		t, err := token.Decode(raw)
		if raw == "" || err != nil {
			continue // refused: it changed nothing
		}
		if strings.Contains(t.Issuer(), forged) || strings.Contains(strings.Join(t.WebhookDomains(), " "), forged) {
			return subject.Violated("iss and domains as configured", "a forged "+name+" is in the token").With(ev)
		}
	}
	return subject.Holds("iss and domains stay the same")
})
