package subject

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
	visitErr := s.outliving(func(v *Visit, call calling) bool {
		chatID = s.NewChatID()
		r, _, err = s.callPageBy(ctx, v, chatID, true, call)
		return r.Token != ""
	})
	return chatID, r, cmp.Or(visitErr, err)
}

// A calling is a way to call a page's callback.
type calling func(ctx context.Context, page *browser.Page, chatID any) (browser.CallResult, error)

// outliving calls the first user's page, and once more with nothing else going on where
// that came to nothing; and all over again where the visit is
// another by then, as its session had died, be it while it was another caller's turn.
// Whom it calls for is found before: all services are held then.
func (s *Session) outliving(do func(*Visit, calling) (done bool)) error {
	for range mostTries {
		v, err := s.visitWithToken()
		if err != nil {
			return err
		}
		if s.outlivingOn(v, do) {
			break
		}
		if now, _, err := s.pages.mended.Known(); err != nil || now == v {
			break
		}
	}
	return nil
}

// outlivingOn is outliving for one visit.
func (s *Session) outlivingOn(v *Visit, do func(*Visit, calling) bool) (done bool) {
	s.Endpoints.calling.Lock() // before the services are kept quiet, as whoever calls the page does
	defer s.Endpoints.calling.Unlock()
	inPeace := false
	s.Outliving(s.Base, func(alone bool) bool {
		call := s.call
		if inPeace = alone; alone {
			call = s.callInPeace
		}
		done = do(v, call)
		return done
	})
	if !done && !inPeace && s.Base.Err() == nil { // no failure is told that was seen once, in company
		s.InPeace(s.Base, func() { done = do(v, s.callInPeace) })
	}
	return done
}

// call calls a page's callback with no other traffic to what it calls. Its time
// begins when it is its turn.
func (s *Session) call(ctx context.Context, page *browser.Page, chatID any) (r browser.CallResult, err error) {
	s.Undisturbed(ctx, s.calls(), func() bool {
		r, err = s.callInPeace(ctx, page, chatID)
		return r.Token != ""
	})
	return r, err
}

// Gives is what the page's callback gives that is no string, in words.
func (s *Session) Gives(ctx context.Context, v *Visit) string {
	r, err := s.call(ctx, v.page, s.NewChatID())
	if err != nil {
		return ""
	}
	return r.Is
}

// callInPeace is call where nothing else is sent anyway.
func (s *Session) callInPeace(ctx context.Context, page *browser.Page, chatID any) (browser.CallResult, error) {
	ctx, cancel := service.WithTimeout(ctx, s.Patience.Visit)
	defer cancel()
	return page.CallWith(ctx, chatID)
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
		visitErr := s.outliving(func(v *Visit, call calling) bool {
			r, err = s.renew(v, call)
			return r.After.Token != ""
		})
		return r, cmp.Or(visitErr, err)
	})
}

func (s *Session) renew(v *Visit, by calling) (Renewal, error) {
	page, err := s.openAgain(s.Base, v) // it is looked at again later
	if err != nil {
		return Renewal{}, err
	}
	call := func(chatID string) (browser.CallResult, error) { return by(s.Base, page, chatID) }
	advance := func(d time.Duration) error {
		ctx, cancel := service.WithTimeout(s.Base, s.Patience.Visit)
		defer cancel()
		return page.Advance(ctx, d)
	}
	r, err := renewOn(s.Base, advance, call, s.NewChatID(), s.Options.Now)
	r.page = page
	return r, err
}

// renewTries is how often the callback is called until a second has passed.
const renewTries = 4

// ExpiryOf is a token's exp; zero where none can be read.
func ExpiryOf(raw token.Raw) time.Time {
	t, err := token.Decode(raw)
	if err != nil {
		return time.Time{}
	}
	return t.Expires()
}

func renewOn(ctx context.Context, advance func(time.Duration) error, call func(chatID string) (browser.CallResult, error), chatID string, now func() time.Time) (Renewal, error) {
	var r Renewal
	var err error
	if r.Before, err = call(chatID); err != nil || r.Before.Token == "" {
		return r, err
	}
	// exp counts whole seconds: within the same one, no later exp can be.
	for range renewTries {
		if err := service.Sleep(ctx, 1100*time.Millisecond/renewTries); err != nil {
			return r, err
		}
		if r.After, err = call(chatID); err != nil || ExpiryOf(token.Raw(r.After.Token)).After(ExpiryOf(token.Raw(r.Before.Token))) {
			return r, err
		}
	}
	if r.After.Token != r.Before.Token {
		return r, nil
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

// OtherThanToken is what the callback gave in place of a token, if it is nothing of
// the kind: a missing value made text, a message, a page for people.
func (v *Visit) OtherThanToken() (token.Diagnosis, bool) {
	wrong, found := v.result.Violation("TOK-COMPACT")
	return wrong.Diagnosis, v.Token != "" && found && slices.Contains([]token.Diagnosis{token.MissingMadeText, token.NotAwaited, token.TextForToken, token.HTMLForToken}, wrong.Diagnosis)
}
