package catalogue

import (
	"context"
	"fmt"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// What the endpoint makes of a body that it can't read.

// noChatInBody is the reason where the body does not matter.
const noChatInBody = "the page does not send the chat id in the body"

var authBodyMalformed = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	if !e.ReadsBody() {
		return subject.Missing("%s", noChatInBody)
	}
	valid := e.WithChat(s.NewChatID())
	bodies, err := forge.BodiesLike("AUTH-BODY-MALFORMED", param.BodyKind(valid), valid.Header.Get("Content-Type"), valid.Body)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	var verdicts []subject.Verdict
	for _, b := range bodies {
		what := "a body that is " + b.Name
		ev := s.Do(ctx, what, withBody(e, b))
		verdicts = append(verdicts, strictly(gaveNoneForNone(s, what, ev), ev))
	}
	return subject.Worst(rule.Must, verdicts...)
})

var authBodyTextPlain = onServing(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	chatID := s.NewChatID()
	r := e.WithChat(chatID)
	if kind := param.BodyKind(r); kind != "JSON" {
		return subject.Missing("the page sends %s, and not JSON", kind)
	}
	r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	ev, raw := s.Ask(ctx, "as text/plain", r)
	if raw == "" {
		return gaveNone(s, "as text/plain", ev)
	}
	t, err := token.Decode(raw)
	if err != nil {
		return subject.Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
	}
	if t.ChatID() != chatID {
		return orKept(s, subject.Violated("a token for the chat, or a refusal", fmt.Sprintf("a token whose chat.id is %q", t.ChatID())).With(ev), ev)
	}
	return subject.Holds("the right token")
})
