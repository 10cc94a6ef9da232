package suites

import (
	"context"
	"fmt"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/browser"
)

// visitWithToken is the first user's visit, if its callback gave a token.
func (s *Session) visitWithToken() (*visit, error) {
	v, err := s.visitFirst()
	switch {
	case err != nil:
		return nil, err
	case v.token == "":
		return nil, missingError("the page's callback gave no token (see PAGE-CALLBACK-TOKEN)")
	}
	return v, nil
}

// callOther calls the first user's callback for another chat, as the widget
// would after a new conversation was begun.
func (s *Session) callOther(ctx context.Context) (chatID string, r browser.CallResult, err error) {
	v, err := s.visitWithToken()
	if err != nil {
		return "", r, err
	}
	chatID = s.newChatID()
	r, err = v.page.Call(ctx, chatID)
	return chatID, r, err
}

// A renewal is what the callback gave when it was called again for one chat.
type renewal struct {
	before, after browser.CallResult
	advanced      time.Duration // how far the page's clock was put forward; 0 if it was not
}

// renew calls the callback twice for one chat: again at once, and, where that
// gave the very same token, again with the page's clock shortly before expiry.
// A page may keep a token in memory until then.
func (s *Session) renew() (renewal, error) {
	return s.pages.renewed.get(func() (renewal, error) {
		ctx, cancel := withPatience(s.base, 4*s.opts.Timeout)
		defer cancel()
		v, err := s.visitWithToken()
		if err != nil {
			return renewal{}, err
		}
		kindly, err := s.newKindly() // what this page does is not the first one's doing
		if err != nil {
			return renewal{}, err
		}
		page, err := v.user.Visit(ctx, s.target.PageURL, kindly)
		if err != nil {
			return renewal{}, fmt.Errorf("opening the page again: %w", err)
		}
		defer page.Close()
		// The chat client of this page calls the callback too: let it be first.
		settling, stop := context.WithTimeout(ctx, s.opts.Timeout)
		defer stop()
		kindly.Journal().Wait(settling, isKind(mockkindly.CallbackSettled))
		return renewOn(ctx, page, s.newChatID(), s.opts.Now)
	})
}

func renewOn(ctx context.Context, page *browser.Page, chatID string, now func() time.Time) (renewal, error) {
	var r renewal
	var err error
	if r.before, err = page.Call(ctx, chatID); err != nil || r.before.Token == "" {
		return r, err
	}
	// exp counts whole seconds: within the same one, no later exp can be.
	if err := sleep(ctx, 1100*time.Millisecond); err != nil {
		return r, err
	}
	if r.after, err = page.Call(ctx, chatID); err != nil || r.after.Token != r.before.Token {
		return r, err
	}
	t, err := token.Decode(token.Raw(r.before.Token))
	if err != nil || t.Expires().IsZero() {
		return r, nil
	}
	r.advanced = t.Expires().Add(-20 * time.Second).Sub(now())
	if r.advanced <= 0 {
		return r, nil
	}
	if err := page.Advance(ctx, r.advanced); err != nil {
		return r, fmt.Errorf("putting the page's clock forward: %w", err)
	}
	r.after, err = page.Call(ctx, chatID)
	return r, err
}
