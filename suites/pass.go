package suites

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// A pass is a valid token and the chat that it is for.
type pass struct {
	raw    token.Raw
	chatID string
	// result is Kindly's judgement when the token arrived.
	result token.Result
}

// passes keep the tokens in use: the first one, which the TOK checks judge, and
// a current one for the webhooks' controls.
type passes struct {
	first   memo[pass]
	mu      sync.Mutex
	current pass
}

// firstPass is the first token that the target gave, valid or not: the page's,
// or without a page the endpoint's.
func (s *Session) firstPass() (pass, error) {
	return s.passes.first.get(func() (pass, error) {
		if s.target.PageURL != "" {
			v, err := s.visitWithToken()
			if err != nil {
				return pass{}, err
			}
			return pass{raw: v.token, chatID: v.chatID, result: v.result}, nil
		}
		ctx, cancel := context.WithTimeout(s.base, s.opts.Timeout)
		defer cancel()
		return s.passWithoutPage(ctx)
	})
}

// passWithoutPage asks the endpoint, and tells of it.
func (s *Session) passWithoutPage(ctx context.Context) (pass, error) {
	p := pass{chatID: s.newChatID()}
	raw, ev, err := s.fetchToken(ctx, p.chatID)
	if ev.Exchange.Request.Method != "" {
		s.tell(answered(ev, raw != ""))
	}
	if err != nil {
		return pass{}, err
	}
	p.raw, p.result = raw, s.checkToken(raw, p.chatID)
	s.tell(judged(s.opts.Now(), p.result))
	return p, nil
}

// newPass fetches a token for a new chat.
func (s *Session) newPass(ctx context.Context) (pass, error) {
	return s.newPassFor(ctx, s.newChatID())
}

// newPassFor fetches a token for a chat: from the endpoint, or where that is
// unknown by calling the page's callback.
func (s *Session) newPassFor(ctx context.Context, chatID string) (pass, error) {
	p := pass{chatID: chatID}
	raw, _, err := s.fetchToken(ctx, p.chatID)
	if errors.Is(err, ErrMissing) && s.target.PageURL != "" {
		v, visitErr := s.visitWithToken()
		if visitErr != nil {
			return pass{}, visitErr
		}
		called, callErr := v.page.Call(ctx, p.chatID)
		if callErr != nil {
			return pass{}, callErr
		}
		if called.Token == "" {
			return pass{}, err
		}
		raw, err = token.Raw(called.Token), nil
	}
	if err != nil {
		return pass{}, err
	}
	p.raw = raw
	p.result = s.checkToken(raw, p.chatID)
	return p, nil
}

// spare is the life that a token must still have to be used as a control.
const spare = 20 * time.Second

// validPass returns a current token, and fetches a new one when the last is
// near its end: some customers sign for one minute.
func (s *Session) validPass(ctx context.Context) (pass, error) {
	s.passes.mu.Lock()
	defer s.passes.mu.Unlock()
	if s.passes.current.raw == "" {
		first, err := s.firstPass()
		if err != nil {
			return pass{}, err
		}
		s.passes.current = first
	}
	if !s.passes.current.lasts(s.opts.Now()) {
		next, err := s.newPass(ctx)
		if err != nil {
			return pass{}, err
		}
		s.passes.current = next
	}
	return s.passes.current, nil
}

func (p pass) lasts(now time.Time) bool {
	t, err := token.Decode(p.raw)
	return err == nil && t.Expires().After(now.Add(spare))
}
