package suites

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

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/wire"
	"github.com/kindlytest/kindlytest/suites/forge"
)

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-CHATID-MISSING", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "Without a chat id it gives no token, and a 4xx.",
		Fix:  "Require the chat id to be a non-empty string, and answer 400 without it."},
	Needs: NeedEndpoint,
	Probe: onServing(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		r, err := e.withoutChat()
		if err != nil {
			return CouldNotRun(err)
		}
		ev := s.do(ctx, "without a chat id", r)
		return gaveNone("without a chat id", ev).strictly(ev, rule.Must)
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-CHATID-TYPE", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "A chat id that is null, empty, a number, a boolean, a list or an object gives no token.",
		Fix:  "Require the chat id to be a non-empty string, before it goes into a claim."},
	Needs: NeedEndpoint, Hostile: true,
	Probe: onServing(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		var verdicts []Verdict
		for _, value := range forge.ChatIDs("AUTH-CHATID-TYPE") {
			r, err := e.withValue(json.RawMessage(value.JSON))
			if err != nil {
				return CouldNotRun(err)
			}
			what := "chat id " + value.Name
			verdicts = append(verdicts, gaveNone(what, s.do(ctx, what, r)))
		}
		return worst(rule.Must, verdicts...)
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-CHATID-HOSTILE", Level: rule.Should, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "A hostile chat id (NUL, CRLF, quotes, markup, path, lone surrogate, 1 MB) gives a 4xx, or a token whose chat.id is exactly that string; never a 5xx.",
		Fix:  "Accept UUIDs only, and answer 400 to anything else; let a library build the JSON of the token."},
	Needs: NeedEndpoint, Hostile: true,
	Probe: onServing(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		var verdicts []Verdict
		for _, value := range forge.ChatIDs("AUTH-CHATID-HOSTILE") {
			r, err := e.withValue(json.RawMessage(value.JSON))
			if err != nil {
				return CouldNotRun(err)
			}
			what := "chat id with " + value.Name
			verdicts = append(verdicts, judgeHostileID(what, value, s.do(ctx, what, r)))
		}
		return worst(rule.Should, verdicts...)
	}),
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

func judgeHostileID(what string, value forge.Value, ev Evidence) Verdict {
	const expected = "a 4xx, or a token for exactly that chat id"
	st := ev.Exchange.Status()
	switch {
	case ev.Exchange.Err != nil, st >= 500:
		return Violated(expected, what+": "+describe(ev.Exchange)).With(ev)
	case st >= 400:
		return Holds("%s: %s", what, describe(ev.Exchange))
	}
	raw, ok := tokenIn(ev.Exchange.Body())
	if !ok {
		return Holds("%s: %s and no token", what, describe(ev.Exchange))
	}
	t, err := token.Decode(raw)
	if err != nil {
		return Violated(expected, what+": a token that can't be read").With(ev)
	}
	if same := t.ChatID() == value.String; value.IsString && !same || !value.IsString && !carries(raw, value.JSON) {
		return Violated(expected, what+": a token whose chat.id is another").With(ev)
	}
	return Holds("%s: a token for exactly that", what)
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-BODY-MALFORMED", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "An empty body, invalid JSON, [], null or undecodable bytes give no token; a 4xx, not a 5xx (the status is a warning).",
		Fix:  "Catch the parser's error and answer 400."},
	Needs: NeedEndpoint, Hostile: true,
	Probe: onServing(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		if !e.readsBody() {
			return Missing("the page sends the chat id in the URL, not in the body")
		}
		bodies, err := forge.Bodies("AUTH-BODY-MALFORMED", e.withChat(s.newChatID()).Body)
		if err != nil {
			return CouldNotRun(err)
		}
		var verdicts []Verdict
		for _, b := range bodies {
			r := e.withBody(b)
			what := "a body that is " + b.Name
			ev := s.do(ctx, what, r)
			verdicts = append(verdicts, gaveNone(what, ev).strictly(ev, rule.Should))
		}
		return worst(rule.Must, verdicts...)
	}),
})

// readsBody says whether the chat id is in the body. Where it is in the URL, any
// body will do.
func (e *endpoint) readsBody() bool { return bytes.Contains(e.request.Body, []byte(e.chatID)) }

// withBody is the request with another body.
func (e *endpoint) withBody(b forge.Body) wire.Request {
	r := e.request.Clone()
	r.Body = b.Bytes
	r.Header.Set("Content-Type", b.ContentType)
	return r
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-BODY-TEXT-PLAIN", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "A JSON body sent as text/plain, as the documented sample makes browsers do, gives the right token or a refusal: never a token without the chat id.",
		Fix:  "Read the body as JSON whatever its Content-Type says, or refuse it; and require the chat id."},
	Needs: NeedEndpoint,
	Probe: onServing(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		chatID := s.newChatID()
		r := e.withChat(chatID)
		if len(r.Body) == 0 {
			return Missing("the page sends no body")
		}
		r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
		ev, raw := s.ask(ctx, "as text/plain", r)
		if raw == "" {
			return gaveNone("as text/plain", ev)
		}
		t, err := token.Decode(raw)
		if err != nil {
			return Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
		}
		if t.ChatID() != chatID {
			return Violated("a token for the chat, or a refusal", fmt.Sprintf("a token whose chat.id is %q", t.ChatID())).With(ev)
		}
		return Holds("the right token")
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-METHOD", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "GET, HEAD, PUT and DELETE give no token. (405 expected; else a note.)",
		Fix:  "Allow POST only: a GET is cached, logged and sent by other sites."},
	Needs: NeedEndpoint,
	Probe: onServing(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		var verdicts []Verdict
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
			chatID := s.newChatID()
			r, err := addQuery(e.withChat(chatID), e.chatIDNames(), chatID) // where a GET is expected to have it
			if err != nil {
				return CouldNotRun(err)
			}
			r.Method = method
			verdicts = append(verdicts, refusesMethod(method, s.do(ctx, method, r)))
		}
		return worst(rule.Must, verdicts...)
	}),
})

// refusesMethod is gaveNone, with a note where the method is not refused: HEAD
// has no body, but tells whether GET is served.
func refusesMethod(method string, ev Evidence) Verdict {
	v := gaveNone(method, ev)
	if st := ev.Exchange.Status(); v.kind == holds && st != http.StatusNotImplemented && (st < 400 || st >= 500) {
		return Violated("405", v.actual).at(rule.Info).With(ev)
	}
	return v
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-CHATID-QUERY", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "A chat id in the query string alone gives no token.",
		Fix:  "Read the chat id from the body: queries end up in logs, and other sites can send them."},
	Needs: NeedEndpoint,
	Probe: onServing(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		r, err := e.withoutChat()
		if err != nil {
			return CouldNotRun(err)
		}
		if r, err = addQuery(r, e.chatIDNames(), s.newChatID()); err != nil {
			return CouldNotRun(err)
		}
		return gaveNone("chat id in the query", s.do(ctx, "chat id in the query only", r))
	}),
})

// chatIDNames are the names under which the endpoint may look for the chat id:
// those that Kindly's documentation uses, and the page's own.
func (e *endpoint) chatIDNames() []string {
	names := []string{"chat_id", "chatId"}
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	e.editBody(func(_ map[string]any, key string) { add(key) }, func(_ url.Values, key string) { add(key) }) // a copy, for the names
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

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-IDENTITY-BODY", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "Identity sent in the body (sub, name, email, user_id, role, chat, webhook_domains, exp) does not change the token's claims.",
		Fix:  "Take nothing from the body but the chat id; the user comes from the session."},
	Needs: NeedEndpoint, Hostile: true,
	Probe: onServing(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		chatID := s.newChatID()
		marker := "kindlytest-" + s.newChatID()[:8]
		r, err := e.withMembers(chatID, map[string]any{
			"sub": marker, "name": marker, "email": marker + "@example.com", "email_verified": true,
			"user_id": marker, "userId": marker, "role": marker, "exp": 4102444800,
			"chat":            map[string]any{"id": marker, "webhook_domains": []string{marker + ".example.com"}},
			"webhook_domains": []string{marker + ".example.com"},
		})
		if err != nil {
			return CouldNotRun(err)
		}
		ev, raw := s.ask(ctx, "with an identity in the body", r)
		if raw == "" {
			return gaveNone("with an identity in the body", ev)
		}
		t, err := token.Decode(raw)
		if err != nil {
			return Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
		}
		if strings.Contains(t.Claims.JSON(), marker) || t.Expires().Unix() == 4102444800 {
			return Violated("claims from the session alone", "the token holds what was sent in the body").With(ev)
		}
		return Holds("the claims are the session's")
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-ERROR-LEAK", Level: rule.Should, Fidelity: rule.Assumed, Source: "https://cwe.mitre.org/data/definitions/209.html",
		Text: "Error answers show no stack trace, file path, key or secret.",
		Fix:  "Turn the framework's debug mode off, and answer errors with a fixed text."},
	Needs: NeedEndpoint, Hostile: true,
	Probe: onEndpoint(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		answered := false
		for _, ev := range s.errorAnswers(ctx, e) {
			answered = answered || ev.Exchange.Response != nil
			if what := leakIn(ev.Exchange.Body()); what != "" {
				return Violated("an error without internals", ev.Title+": the answer shows "+what).With(ev)
			}
		}
		if !answered {
			return CouldNotRun(errNoAnswer)
		}
		return Holds("none seen")
	}),
})

// errorAnswers provokes a few errors.
func (s *Session) errorAnswers(ctx context.Context, e *endpoint) []Evidence {
	var out []Evidence
	out = append(out, s.do(ctx, "without credentials", withoutCredentials(e.withChat(s.newChatID()))))
	for _, body := range []string{"{", "null", "[]"} {
		r := e.withBody(forge.Body{ContentType: "application/json", Bytes: []byte(body)})
		out = append(out, s.do(ctx, "the body "+body, r))
	}
	for _, value := range []any{42, map[string]any{}, nil} {
		if r, err := e.withValue(value); err == nil {
			out = append(out, s.do(ctx, fmt.Sprintf("the chat id %v", value), r))
		}
	}
	r := e.withChat(s.newChatID())
	r.Method = http.MethodPut
	return append(out, s.do(ctx, "PUT", r))
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

var _ = check(Check{
	Requirement: rule.Rule{ID: "AUTH-HOST-HEADER", Level: rule.Should, Fidelity: rule.Assumed, Source: "https://cwe.mitre.org/data/definitions/644.html",
		Text: "A forged Host or X-Forwarded-Host changes neither iss nor the domains.",
		Fix:  "Take iss and the webhook domains from the configuration, not from the request."},
	Needs: NeedEndpoint, Hostile: true,
	Probe: onServing(func(ctx context.Context, s *Session, e *endpoint) Verdict {
		const forged = "kindlytest.evil.example"
		for _, name := range []string{"X-Forwarded-Host", "Host"} {
			r := e.withChat(s.newChatID())
			if name == "Host" {
				r.Host = forged
			} else {
				r.Header.Set(name, forged)
			}
			ev, raw := s.ask(ctx, "a forged "+name, r)
			t, err := token.Decode(raw)
			if raw == "" || err != nil {
				continue // refused: it changed nothing
			}
			if strings.Contains(t.Issuer(), forged) || strings.Contains(strings.Join(t.WebhookDomains(), " "), forged) {
				return Violated("iss and domains as configured", "a forged "+name+" is in the token").With(ev)
			}
		}
		return Holds("iss and domains stay the same")
	}),
})
