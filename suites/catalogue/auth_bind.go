package catalogue

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/subject"
)

var authBindChat = onEndpoint(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	var before subject.Evidence
	for range 2 {
		chatID := s.NewChatID()
		raw, ev, err := s.FetchToken(ctx, chatID)
		if err != nil {
			return subject.CouldNotRun(err).With(ev)
		}
		before = ev
		t, err := token.Decode(raw)
		if err != nil {
			return subject.Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
		}
		if t.ChatID() == "" && namesNoChat(s) {
			return subject.Missing("%s", noChatNamed)
		}
		if t.ChatID() != chatID {
			return subject.Violated("chat.id "+chatID, fmt.Sprintf("chat.id %q", t.ChatID())).With(ev)
		}
	}
	if again, ok := e.Afterwards(before); ok {
		chatID := s.NewChatID()
		ev, raw := s.Ask(ctx, "a token for another chat, with the cookies that the answer before has set", again.WithChat(chatID))
		if t, err := token.Decode(raw); err == nil && t.ChatID() != chatID {
			return subject.Violated("chat.id "+chatID, fmt.Sprintf("with the cookies that the answer before has set: chat.id %q", t.ChatID())).With(before, ev)
		}
	}
	return subject.Holds("two chats, two tokens")
})

const noChatNamed = "the tokens have no chat.id by which chats could be told apart (see TOK-CHAT, TOK-CHAT-ID)"

// namesNoChat says whether the target's tokens have no chat.id to begin with: that
// one is for another chat can't be said then.
func namesNoChat(s *subject.Session) bool {
	first, err := s.FirstToken()
	if err != nil {
		return false
	}
	t, err := token.Decode(first.Raw)
	return err == nil && t.ChatID() == ""
}

var authBindSession = onEndpoint(func(ctx context.Context, s *subject.Session, _ *subject.Endpoint) subject.Verdict {
	if reason := s.OnlyInPage(); reason != "" {
		return bindPages(s, reason)
	}
	return s.Lasting(ctx, func(first *subject.Endpoint) subject.Verdict {
		var v subject.Verdict
		if err := s.LastingSecond(ctx, func(second *subject.Endpoint) bool {
			v = bindSession(ctx, s, first, second)
			return v.Kind == subject.Held || v.Sure
		}); err != nil {
			return subject.CouldNotRun(err)
		}
		return v
	})
})

// bindPages compares what the two users' pages got.
func bindPages(s *subject.Session, reason string) subject.Verdict {
	a, b, err := s.OfTwoPages()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	first, ok := personOf(a)
	second, both := personOf(b)
	switch {
	case !ok || !both:
		return subject.Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
	case first.claims["sub"] == "" || second.claims["sub"] == "":
		return subject.Missing("the tokens have no sub (see TOK-SUB)")
	case first.claims["sub"] == second.claims["sub"]:
		return subject.Violated("each user's own sub", "the pages of two users got tokens with one sub").Because("two-logins-one-user")
	}
	return subject.Holds("two users' pages got two subs").Weak(reason)
}

func bindSession(ctx context.Context, s *subject.Session, first, second *subject.Endpoint) subject.Verdict {
	const rounds = 4
	requests := make([]wire.Request, 0, 2*rounds)
	for range rounds {
		requests = append(requests, first.WithChat(s.NewChatID()), second.WithChat(s.NewChatID()))
	}
	answers := s.AtOnce(ctx, "two users at the same time", requests)
	if slices.ContainsFunc(answers, func(ev subject.Evidence) bool { return !subject.HoldsToken(ev.Exchange) }) { // AUTH-CONCURRENT says so
		for i, r := range requests {
			answers[i] = s.Do(ctx, "two users, one after another", r)
		}
	}
	v := judgeSessions(s, answers)
	switch {
	case v.Kind != subject.Held && oneToken(s, answers):
		v.Actual = fmt.Sprintf("two users asked for %d chats, and got the very same token", len(answers))
		return v.Because("endpoint-answer-kept").Fix("")
	case v.Kind == subject.Broken && v.Cause == "" && oneUser(ctx, s, first, second):
		v.Actual = "two logins get tokens with one sub, also where one asks after the other"
		return v.Because("two-logins-one-user").Fix("")
	case v.Kind != subject.Held:
		return v
	}
	return subject.Worst(rule.Must, v, sameChat(ctx, s, first, second))
}

// oneToken says whether all answers hold one token: something keeps it, and gives it
// to whoever asks.
func oneToken(s *subject.Session, answers []subject.Evidence) bool {
	first, ok := s.TokenIn(answers[0].Exchange)
	return ok && !slices.ContainsFunc(answers, func(ev subject.Evidence) bool {
		raw, ok := s.TokenIn(ev.Exchange)
		return !ok || raw != first
	})
}

// sameChat lets two users ask for one chat in turn: what is kept by chat id alone
// goes to whoever names the chat.
func sameChat(ctx context.Context, s *subject.Session, first, second *subject.Endpoint) subject.Verdict {
	chatID := s.NewChatID()
	_, kept := s.Ask(ctx, "a chat of the first user", first.WithChat(chatID))
	own, ok := personOf(kept)
	if !ok {
		return subject.Holds("the first user got no token for another chat")
	}
	if asNobody(ctx, s, first).is(kept) {
		return subject.Missing("the first user gets the token that the endpoint gives to anybody (see AUTH-NO-SESSION)")
	}
	ev, raw := s.Ask(ctx, "the same chat, asked for by the second user", second.WithChat(chatID))
	other, ok := personOf(raw)
	if ok && own.claims["sub"] != "" && other.claims["sub"] == own.claims["sub"] {
		v := subject.Violated("each user's own sub, or a refusal", "asked for a chat that the first user had a token for, the second user's session gave the first one's token").Surely().With(ev)
		if raw == kept {
			v = v.Because("endpoint-answer-kept")
		}
		return v
	}
	return subject.Holds("two users, one chat: none gets the other's token")
}

// oneUser says whether two sessions get one sub also where nothing can mix them up: each
// asks with nothing else going on.
func oneUser(ctx context.Context, s *subject.Session, first, second *subject.Endpoint) bool {
	var subs []string
	for _, e := range []*subject.Endpoint{first, second, first} {
		alone := s.AtOnce(ctx, "one user alone", []wire.Request{e.WithChat(s.NewChatID())})
		raw, _ := s.TokenIn(alone[0].Exchange)
		who, ok := personOf(raw)
		if !ok || who.claims["sub"] == "" {
			return false
		}
		subs = append(subs, who.claims["sub"])
	}
	return subs[0] == subs[1] && subs[1] == subs[2]
}

// judgeSessions looks at answers that belong to two users in turn.
func judgeSessions(s *subject.Session, answers []subject.Evidence) subject.Verdict {
	var subs [2]map[string]bool
	subs[0], subs[1] = map[string]bool{}, map[string]bool{}
	for i, ev := range answers {
		raw, _ := s.TokenIn(ev.Exchange)
		t, err := token.Decode(raw)
		if err != nil {
			return subject.Missing("one of two users got no token: %s", subject.Describe(ev.Exchange)).With(ev)
		}
		sub := t.Claims.Get("sub") // of any type: that it is no text is for TOK-SUB to say
		if !sub.Exists() {
			return subject.Missing("the tokens have no sub (see TOK-SUB)")
		}
		subs[i%2][sub.JSON()] = true // TOK-SUB-STABLE wants only one
		if text, _ := sub.Text(); subs[1-i%2][sub.JSON()] && token.IsLeftover(text) {
			return subject.Violated("each user's own sub", fmt.Sprintf("two users have the sub %q, the text of a missing value", text)).Because("token-sub-same").With(ev)
		}
		if subs[1-i%2][sub.JSON()] {
			return subject.Violated("each user's own sub", "one user's session gave the sub of the other").With(ev)
		}
	}
	return subject.Holds("two subs, also at the same time")
}

var authConcurrent = onLasting(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	return tokensAtOnce(ctx, s, e, 32)
})

// tokensAtOnce asks for n tokens at the same time.
func tokensAtOnce(ctx context.Context, s *subject.Session, e *subject.Endpoint, n int) subject.Verdict {
	plain, unserved := s.PlainAnswer(ctx)
	if unserved != nil && !turnsAway(plain) {
		return subject.CouldNotRun(unserved).With(plain)
	}
	if e.Gave && !e.NamesChat() {
		return subject.CouldNotRun(subject.ErrNoSlot)
	}
	chats := make([]string, n)
	requests := make([]wire.Request, n)
	for i := range chats {
		chats[i] = s.NewChatID()
		requests[i] = e.WithChat(chats[i])
	}
	answers := s.AtOnce(ctx, "one of many at once", requests)
	served := func(ev subject.Evidence) bool { return subject.HoldsToken(ev.Exchange) }
	if i := slices.IndexFunc(answers, turnsAway); i >= 0 && slices.ContainsFunc(answers, served) && asAStranger(ctx, s, e, answers[i]) {
		return subject.Violated("a token for each", "one session gets tokens, and is turned away beside that: "+subject.Describe(answers[i].Exchange)).
			Because("endpoint-forgets-sessions").With(answers[i])
	}
	if unserved != nil {
		return subject.CouldNotRun(unserved).With(plain)
	}
	var turnedAway []subject.Evidence
	for i, ev := range answers {
		if s.TooMany(ev) {
			turnedAway = append(turnedAway, ev)
			continue
		}
		raw, ok := s.TokenIn(ev.Exchange)
		if !ok {
			return subject.Violated("a token for each", "one of them got none: "+subject.Describe(ev.Exchange)).With(ev)
		}
		t, err := token.Decode(raw)
		if err != nil {
			return subject.Missing("the token can't be read (see TOK-COMPACT, TOK-JSON)")
		}
		if t.ChatID() == "" && namesNoChat(s) {
			return subject.Missing("%s", noChatNamed)
		}
		if t.ChatID() != chats[i] {
			return subject.Violated("each token for its own chat", "one of them is for another chat").With(ev)
		}
	}
	if ev, mixed := s.MixedUp(); mixed {
		return subject.Violated("each token for its own chat", "one that was asked for beside others is for another chat").With(ev).Surely()
	}
	if len(turnedAway) > 0 {
		return tooMany(len(turnedAway), n, turnedAway[0])
	}
	return subject.Holds("%d tokens", n).Surely() // the session is still there
}

// turnsAway says whether an answer is the one to somebody without a session.
func turnsAway(ev subject.Evidence) bool {
	return ev.Exchange.Status() == http.StatusUnauthorized || ev.Exchange.Status() == http.StatusForbidden
}

// asAStranger says whether an answer is the one that somebody without a session gets: a
// gate that has had enough of a crowd says something else.
func asAStranger(ctx context.Context, s *subject.Session, e *subject.Endpoint, ev subject.Evidence) bool {
	stranger := s.Do(ctx, "without credentials", e.WithoutSession(e.WithChat(s.NewChatID())))
	return stranger.Exchange.Status() == ev.Exchange.Status() && bytes.Equal(stranger.Exchange.Body(), ev.Exchange.Body())
}

// tooMany notes a rate limit: one is wise, but this one may turn away people who
// did nothing wrong.
func tooMany(limited, of int, ev subject.Evidence) subject.Verdict {
	return subject.Violated("an answer for each", fmt.Sprintf("a rate limit turned %d of %d away (status %d)", limited, of, ev.Exchange.Status())).At(rule.Info).With(ev)
}
