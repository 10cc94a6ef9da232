package catalogue

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// What the endpoint makes of a chat id that is none.

var authChatidMissing = onServingOrPage(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	r, err := e.WithoutChat()
	if errors.Is(err, subject.ErrNoSlot) {
		s.Incomplete("Whether the auth endpoint gives a token without a chat id could not be judged: "+err.Error()+".",
			"Let the chat id stand by itself in what endpoint in kindlytest.yaml describes: ${chat_id} in query, body, form, path, or a header or cookie of its own.")
	}
	if err != nil {
		return subject.CouldNotRun(err)
	}
	ev := s.Do(ctx, "without a chat id", r)
	return strictly(gaveNoneForNone(s, "without a chat id", ev), ev)
}, func(ctx context.Context, s *subject.Session) subject.Verdict {
	called, err := s.CallPage(ctx, browser.NoChatID{})
	if err != nil {
		return subject.CouldNotRun(err)
	}
	// What the page itself turns into text is no fault of the endpoint, nor what
	// stands there from the call before.
	if t, err := token.Decode(token.Raw(called.Token)); err == nil && t.ChatID() == "" {
		return subject.Violated("no token", "the page's callback, called without a chat id, gave a token without one")
	}
	return subject.Holds("none, of the page's callback called without a chat id").Weak("the page's request can't be made again outside of it")
})

// gaveNoneForNone is gaveNone for a request that names no chat: a token for one that
// the harness made up before is for a chat that the endpoint remembers.
func gaveNoneForNone(s *subject.Session, what string, ev subject.Evidence) subject.Verdict {
	v := gaveNone(s, what, ev)
	if v.Kind != subject.Broken {
		return v
	}
	raw, _ := s.TokenIn(ev.Exchange)
	if t, err := token.Decode(raw); err == nil && s.MadeChatID(t.ChatID()) && !holds(ev.Exchange.Request, t.ChatID()) {
		v.Actual += " for a chat that asked before"
		v = v.Because("endpoint-remembers-chat")
	}
	return orKept(s, v, ev)
}

// orKept is the verdict on a token that must not have been given, or not so: where it is
// the very one that all users get, something keeps that, and the endpoint was not asked.
func orKept(s *subject.Session, v subject.Verdict, ev subject.Evidence) subject.Verdict {
	if v.Kind != subject.Broken || !keptAnswer(s, ev) {
		return v
	}
	e, err := s.SecondEndpoint()
	if err != nil {
		return v
	}
	if theirs, raw := s.Ask(s.Base, "the second user's token", e.WithChat(s.NewChatID())); raw != "" && keptAnswer(s, theirs) {
		return v.Because("endpoint-answer-kept")
	}
	return v
}

// holds says whether a text stands anywhere in a request.
func holds(r wire.Request, text string) bool {
	in := strings.Contains(r.URL, text) || bytes.Contains(r.Body, []byte(text))
	for _, values := range r.Header {
		in = in || strings.Contains(strings.Join(values, "\n"), text)
	}
	return in
}

// onServingOrPage is onServing, and where the page's request can't be made again,
// a function over the page's callback, which is called with odd chat ids instead.
func onServingOrPage(judge func(context.Context, *subject.Session, *subject.Endpoint) subject.Verdict,
	inPage func(context.Context, *subject.Session) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	plain := onServing(judge)
	return func(ctx context.Context, s *subject.Session) subject.Verdict {
		e, err := s.Endpoint()
		if errors.Is(err, subject.ErrMissing) || err == nil && (e.Gave && len(e.Slots()) == 0 || onlyInPage(ctx, s)) {
			raw, _, err := s.FetchToken(ctx, s.NewChatID())
			if err != nil {
				return subject.CouldNotRun(err)
			}
			if t, err := token.Decode(raw); err == nil && t.ChatID() == "" { // then it says nothing of what it was called with
				return subject.Missing("the page's token names no chat, whatever the callback is called with (see TOK-CHAT, TOK-CHAT-ID)")
			}
			return inPage(ctx, s)
		}
		return plain(ctx, s)
	}
}

// onlyInPage says whether a valid request of the harness fails where the page's does not.
func onlyInPage(ctx context.Context, s *subject.Session) bool {
	_, err := tokenAnswer(ctx, s)
	return err != nil && s.OnlyInPage() != ""
}

var authChatidType = onServingOrPage(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	typed := slices.ContainsFunc(e.Slots(), func(l param.Leaf) bool { return l.Typed })
	var verdicts []subject.Verdict
	accepted := map[string]bool{}
	for _, value := range forge.ChatIDs("AUTH-CHATID-TYPE") {
		if !typed && value.Name != "empty" {
			continue // in a form or a URL all is text, and 42 is as good an id as any
		}
		r, err := e.WithValue(json.RawMessage(value.JSON))
		if err != nil {
			return subject.CouldNotRun(err)
		}
		what := "chat id " + value.Name
		v := gaveNoneForNone(s, what, s.Do(ctx, what, r))
		accepted[value.Name] = v.Kind == subject.Broken
		verdicts = append(verdicts, v)
	}
	worst := subject.Worst(rule.Must, verdicts...)
	if delete(accepted, "empty"); worst.Kind == subject.Broken && worst.Cause == "" && !slices.Contains(slices.Collect(maps.Values(accepted)), true) {
		return worst.Because("endpoint-signs-without-chat") // it looks at the type, and takes no name for one
	}
	return worst
}, func(ctx context.Context, s *subject.Session) subject.Verdict {
	for _, value := range forge.ChatIDs("AUTH-CHATID-TYPE") {
		called, err := s.CallPage(ctx, json.RawMessage(value.JSON))
		if err != nil {
			return subject.CouldNotRun(err)
		}
		// What the page itself turns into text is no fault of the endpoint.
		if t, err := token.Decode(token.Raw(called.Token)); err == nil && t.ChatID() == "" {
			return subject.Violated("no token", "the page's callback, called with the chat id "+value.Name+", gave a token without a chat id")
		}
	}
	return subject.Holds("none, of the page's callback called with such chat ids").Weak("the page's request can't be made again outside of it")
})

var authChatidHostile = onServingOrPage(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	var verdicts []subject.Verdict
	for _, value := range forge.ChatIDs("AUTH-CHATID-HOSTILE") {
		if !fits(e, value) {
			continue
		}
		r, err := e.WithValue(json.RawMessage(value.JSON))
		if err != nil {
			return subject.CouldNotRun(err)
		}
		what := "chat id with " + value.Name
		verdicts = append(verdicts, judgeHostileID(s, what, value, s.Do(ctx, what, r)))
	}
	return subject.Worst(rule.Should, verdicts...)
}, func(ctx context.Context, s *subject.Session) subject.Verdict {
	for _, value := range forge.ChatIDs("AUTH-CHATID-HOSTILE") {
		if !value.IsString {
			continue // what the page makes of half a character is no doing of the endpoint
		}
		called, err := s.CallPage(ctx, json.RawMessage(value.JSON))
		if err != nil {
			return subject.CouldNotRun(err)
		}
		if raw := token.Raw(called.Token); raw != "" && !isFor(raw, value) && !ofAnEarlierCall(raw, value) {
			return subject.Violated("no token, or one for exactly that chat id",
				"the page's callback, called with a chat id with "+value.Name+", gave a token whose chat.id is another")
		}
	}
	return subject.Holds("none, or exactly that chat id, of the page's callback").Weak("the page's request can't be made again outside of it")
})

// ofAnEarlierCall says whether a token is for another chat of the harness than the
// hostile one: the page sent that, whose cookie or variable did not take the new one.
func ofAnEarlierCall(raw token.Raw, value forge.Value) bool {
	t, err := token.Decode(raw)
	return err == nil && aUUID.MatchString(t.ChatID()) && !bytes.Contains(value.JSON, []byte(t.ChatID()))
}

// fits says whether a hostile chat id can stand where the page's stands: no
// header has line ends or spaces around it, no cookie a semicolon, no URL a megabyte, and no text half a
// character.
func fits(e *subject.Endpoint, value forge.Value) bool {
	for _, slot := range e.Slots() {
		if slot.Typed && (slot.Place == param.InJSON || slot.Place == param.InForm) {
			continue
		}
		switch {
		case !value.IsString && !slot.Typed,
			slot.Place == param.InHeader && (strings.TrimSpace(value.String) != value.String || strings.ContainsFunc(value.String, func(r rune) bool { return r < ' ' || r > '~' })),
			slot.Place == param.InCookie && strings.ContainsFunc(value.String, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`",;\`, r) }),
			!slices.Contains([]param.Place{param.InJSON, param.InForm, param.InText, param.InXML, param.InField}, slot.Place) && len(value.JSON) > 4<<10:
			return false
		}
	}
	return true
}

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

// isFor says whether a token is for exactly that chat id.
func isFor(raw token.Raw, value forge.Value) bool {
	t, err := token.Decode(raw)
	if err != nil {
		return false
	}
	if value.IsString {
		return t.ChatID() == value.String
	}
	return carries(raw, value.JSON)
}

func judgeHostileID(s *subject.Session, what string, value forge.Value, ev subject.Evidence) subject.Verdict {
	const expected = "a 4xx, or a token for exactly that chat id"
	st := ev.Exchange.Status()
	switch {
	case subject.SaysError(ev.Exchange):
		return subject.Holds("%s: %s", what, subject.Describe(ev.Exchange))
	case ev.Exchange.Err != nil, st >= 500:
		return subject.Violated(expected, what+": "+subject.Describe(ev.Exchange)).With(ev)
	case st >= 400:
		return subject.Holds("%s: %s", what, subject.Describe(ev.Exchange))
	}
	raw, ok := s.TokenIn(ev.Exchange)
	if !ok {
		return subject.Holds("%s: %s and no token", what, subject.Describe(ev.Exchange))
	}
	if !isFor(raw, value) {
		return orKept(s, subject.Violated(expected, what+": a token whose chat.id is another").With(ev), ev)
	}
	return subject.Holds("%s: a token for exactly that", what)
}

var authChatidQuery = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	if e.SendsChatIn(param.InQuery) {
		return subject.Missing("the page itself sends the chat id in the query")
	}
	r, err := e.WithoutChat()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	var verdicts []subject.Verdict
	for _, what := range []string{"chat id in the query", "chat id in the query, and no body"} {
		chatID := s.NewChatID()
		asked, err := addQuery(r, chatIDNames(e), chatID)
		if err != nil {
			return subject.CouldNotRun(err)
		}
		ev := s.Do(ctx, what, asked)
		if len(verdicts) > 0 && ev.Exchange.Response == nil { // AUTH-BODY-MALFORMED says that it can't do without a body
			break
		}
		v := gaveNone(s, what, ev)
		if raw, ok := s.TokenIn(ev.Exchange); ok {
			if t, err := token.Decode(raw); err == nil && t.ChatID() != chatID {
				v = subject.Missing("%s: it gave a token, and not for that chat (see AUTH-CHATID-MISSING, AUTH-BIND-CHAT)", what).With(ev)
			}
		}
		verdicts = append(verdicts, v)
		if len(r.Body) == 0 || s.Options.Safe { // an empty body ends some processes
			break
		}
		r.Body = nil
	}
	return subject.Worst(rule.Should, verdicts...)
})

// chatIDNames are the names under which the endpoint may look for the chat id:
// those that Kindly's documentation uses, and the page's own.
func chatIDNames(e *subject.Endpoint) []string {
	names := []string{"chat_id", "chatId"}
	for _, slot := range e.Slots() {
		if name := slot.Name(); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// withBody is the request with another body. JSON that the page sends as text
// goes on being sent so.
func withBody(e *subject.Endpoint, b forge.Body) wire.Request {
	r := e.Request.Clone()
	r.Body = b.Bytes
	if b.ContentType != "application/json" || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/") {
		r.Header.Set("Content-Type", b.ContentType)
	}
	return r
}
