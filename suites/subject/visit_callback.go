package subject

import (
	"context"
	"fmt"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/service"
)

// visitWithToken is the first user's visit, if its callback gave a token.
func (s *Session) visitWithToken() (*Visit, error) {
	v, err := s.VisitMended()
	switch {
	case err != nil:
		return nil, err
	case v.Token == "":
		return nil, MissingError("the page's callback gave no token (see PAGE-CALLBACK-TOKEN)")
	}
	return v, nil
}

// CallOther calls the first user's callback for another chat, as the widget
// would after a new conversation was begun.
func (s *Session) CallOther(ctx context.Context) (chatID string, r browser.CallResult, err error) {
	s.outliving(func() bool {
		v, failed := s.visitWithToken()
		if err = failed; err != nil {
			return true
		}
		chatID = s.NewChatID()
		s.Endpoints.calling.Lock()
		defer s.Endpoints.calling.Unlock()
		r, _, err = s.callPageBy(ctx, v, chatID, true, s.call)
		return r.Token != ""
	})
	return chatID, r, err
}

// outliving does something again that came to nothing where a service died meanwhile:
// the session may have died with it, which the next visit has anew.
func (s *Session) outliving(do func() (done bool)) {
	for range mostTries {
		before := len(s.Deaths())
		if do() {
			return
		}
		if s.Settle(s.Base); len(s.Deaths()) == before { // what it died of may have to be found yet
			return
		}
	}
}

// call calls a page's callback with no other traffic to what it calls. Its time
// begins when it is its turn.
func (s *Session) call(ctx context.Context, page *browser.Page, chatID any) (r browser.CallResult, err error) {
	s.Undisturbed(ctx, s.calls(), func() bool {
		ctx, cancel := service.WithTimeout(ctx, s.Patience.Visit)
		defer cancel()
		r, err = page.CallWith(ctx, chatID)
		return r.Token != ""
	})
	return r, err
}

// calls is the URL that the page's callback calls: the endpoint's where it is
// known, or else the page's own.
func (s *Session) calls() string {
	if e, ok := s.Endpoints.Found(); ok {
		return e.Request.URL
	}
	return s.Target.PageURL
}

// A Renewal is what the callback gave when it was called again for one chat.
type Renewal struct {
	Before, After browser.CallResult
	page          *browser.Page
	Advanced      time.Duration // how far the page's clock was put forward; 0 if it was not
}

// Renew calls the callback twice for one chat: again at once, and, where that
// gave the very same token, again with the page's clock shortly before expiry.
// A page may keep a token in memory until then.
func (s *Session) Renew() (Renewal, error) {
	return s.pages.renewed.Get(func() (r Renewal, err error) {
		s.outliving(func() bool {
			r, err = s.renew()
			return r.After.Token != ""
		})
		return r, err
	})
}

func (s *Session) renew() (Renewal, error) {
	v, err := s.visitWithToken()
	if err != nil {
		return Renewal{}, err
	}
	s.Endpoints.calling.Lock()
	defer s.Endpoints.calling.Unlock()
	page, err := s.openAgain(s.Base, v) // it is looked at again later
	if err != nil {
		return Renewal{}, err
	}
	call := func(chatID string) (browser.CallResult, error) { return s.call(s.Base, page, chatID) }
	advance := func(d time.Duration) error {
		ctx, cancel := service.WithTimeout(s.Base, s.Patience.Visit)
		defer cancel()
		return page.Advance(ctx, d)
	}
	r, err := renewOn(s.Base, advance, call, s.NewChatID(), s.Options.Now)
	r.page = page
	return r, err
}

func renewOn(ctx context.Context, advance func(time.Duration) error, call func(chatID string) (browser.CallResult, error), chatID string, now func() time.Time) (Renewal, error) {
	var r Renewal
	var err error
	if r.Before, err = call(chatID); err != nil || r.Before.Token == "" {
		return r, err
	}
	// exp counts whole seconds: within the same one, no later exp can be.
	if err := service.Sleep(ctx, 1100*time.Millisecond); err != nil {
		return r, err
	}
	if r.After, err = call(chatID); err != nil || r.After.Token != r.Before.Token {
		return r, err
	}
	t, err := token.Decode(token.Raw(r.Before.Token))
	if err != nil || t.Expires().IsZero() {
		return r, nil
	}
	r.Advanced = t.Expires().Add(-20 * time.Second).Sub(now())
	if r.Advanced <= 0 {
		return r, nil
	}
	if err := advance(r.Advanced); err != nil {
		return r, fmt.Errorf("putting the page's clock forward: %w", err)
	}
	r.After, err = call(chatID)
	return r, err
}

// LosesNull says whether the callback gave the name of a missing value as text,
// such as "null", in place of a token.
func (v *Visit) LosesNull() bool {
	wrong, found := v.result.Violation("TOK-COMPACT")
	return v.Token != "" && found && wrong.Diagnosis == token.MissingMadeText
}
