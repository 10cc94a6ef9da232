package subject

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// A pass is a valid token and the chat that it is for.
type pass struct {
	Raw    token.Raw
	ChatID string
	// result is Kindly's judgement when the token arrived.
	Result token.Result
}

// passes keep the tokens in use: the first one, which the TOK checks judge, and
// a current one for the webhooks' controls.
type passes struct {
	first   Memo[pass]
	mu      sync.Mutex
	current pass
}

// firstPass is the first token that the target gave, valid or not: the page's,
// or without a page the endpoint's.
func (s *Session) FirstToken() (pass, error) {
	return s.passes.first.Get(func() (pass, error) {
		if s.Target.PageURL != "" {
			v, err := s.visitWithToken()
			if err != nil {
				return pass{}, err
			}
			return pass{Raw: v.Token, ChatID: v.ChatID, Result: v.result}, nil
		}
		ctx, cancel := context.WithTimeout(s.Base, s.Options.Timeout)
		defer cancel()
		return s.passWithoutPage(ctx)
	})
}

// passWithoutPage asks the endpoint, and tells of it.
func (s *Session) passWithoutPage(ctx context.Context) (pass, error) {
	p := pass{ChatID: s.NewChatID()}
	raw, ev, err := s.FetchToken(ctx, p.ChatID)
	if ev.Exchange.Request.Method != "" {
		s.tell(answered(ev, raw != ""))
	}
	if err != nil {
		return pass{}, err
	}
	p.Raw, p.Result = raw, s.checkToken(raw, p.ChatID)
	s.tell(judged(s.Options.Now(), p.Result))
	return p, nil
}

// newPass fetches a token for a new chat.
func (s *Session) newPass(ctx context.Context) (pass, error) {
	return s.NewTokenFor(ctx, s.NewChatID())
}

// newPassFor fetches a token for a chat: from the endpoint, or where that is
// unknown by calling the page's callback.
func (s *Session) NewTokenFor(ctx context.Context, chatID string) (pass, error) {
	p := pass{ChatID: chatID}
	raw, _, err := s.FetchToken(ctx, p.ChatID)
	if errors.Is(err, ErrMissing) && s.Target.PageURL != "" {
		v, visitErr := s.visitWithToken()
		if visitErr != nil {
			return pass{}, visitErr
		}
		called, callErr := v.page.Call(ctx, p.ChatID)
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
	p.Raw = raw
	p.Result = s.checkToken(raw, p.ChatID)
	return p, nil
}

// spare is the life that a token must still have to be used as a control.
const spare = 20 * time.Second

// validPass returns a current token, and fetches a new one when the last is
// near its end: some customers sign for one minute.
func (s *Session) validPass(ctx context.Context) (pass, error) {
	s.passes.mu.Lock()
	defer s.passes.mu.Unlock()
	if s.passes.current.Raw == "" {
		first, err := s.FirstToken()
		if err != nil {
			return pass{}, err
		}
		s.passes.current = first
	}
	if !s.passes.current.lasts(s.Options.Now()) {
		next, err := s.newPass(ctx)
		if err != nil {
			return pass{}, err
		}
		s.passes.current = next
	}
	return s.passes.current, nil
}

func (p pass) lasts(now time.Time) bool {
	t, err := token.Decode(p.Raw)
	return err == nil && t.Expires().After(now.Add(spare))
}

// NotForwarded names the rules for which Kindly refuses a token: it would not
// forward it, so that webhooks need not accept it.
func NotForwarded(result token.Result) (string, bool) {
	var ids []string
	for _, v := range result.Refused() {
		ids = append(ids, v.Rule.ID)
	}
	return strings.Join(ids, ", "), len(ids) > 0
}
