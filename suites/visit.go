package suites

import (
	"context"
	"fmt"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/browser"
)

// pageFacts are what is found out by opening the customer's page, each once.
type pageFacts struct {
	first     memo[*visit] // as the first user
	second    memo[*visit] // as the second user
	loggedOut memo[*visit] // as nobody
	renewed   memo[renewal]
}

// A visit is one opening of the page by one user, and what Kindly saw of it.
type visit struct {
	user   *browser.User
	page   *browser.Page
	kindly *mockkindly.Kindly
	record browser.Record
	state  browser.State

	started  []mockkindly.ClientReport // one for each time that the chat client started
	chatID   string                    // of the first chat; "" if there was none
	callback *mockkindly.CallbackReport
	token    token.Raw // "" if the callback gave none
	result   token.Result
}

// patience is how long a page that has loaded may take until its chat client
// starts: tag managers and single-page apps mount it late.
const patience = 3 * time.Second

// visitFirst opens the page as the first user.
func (s *Session) visitFirst() (*visit, error) {
	return s.pages.first.get(func() (*visit, error) {
		began := s.opts.Now()
		v, err := s.visit(s.target.Login)
		if err == nil {
			s.photograph(s.base, v)
		}
		s.tellVisit(began, v, err)
		return v, err
	})
}

func (s *Session) visitSecond() (*visit, error) {
	return s.pages.second.get(func() (*visit, error) { return s.visit(s.target.Second) })
}

func (s *Session) visitLoggedOut() (*visit, error) {
	return s.pages.loggedOut.get(func() (*visit, error) { return s.visit(nil) })
}

// visit opens the page in a fresh browser context and watches until the
// callback has settled, or it is clear that it will not.
func (s *Session) visit(login *browser.Login) (*visit, error) {
	if s.target.PageURL == "" {
		return nil, missingError(NeedPage.hint())
	}
	ctx, cancel := withPatience(s.base, 4*s.opts.Timeout)
	defer cancel()
	v, err := s.openVisit(ctx, login)
	if err != nil {
		s.addProblem(s.pageProblem(err))
		return nil, err
	}
	v.wait(ctx, s.opts.Timeout)
	v.page.Settle(ctx)
	v.record = v.page.Record()
	if v.state, err = v.page.State(ctx); err != nil {
		s.addProblem(s.pageProblem(err))
		return nil, err
	}
	v.read()
	s.keepSession(v.state)
	return v, nil
}

func (s *Session) openVisit(ctx context.Context, login *browser.Login) (*visit, error) {
	b, err := s.browser()
	if err != nil {
		return nil, err
	}
	kindly, err := s.newKindly()
	if err != nil {
		return nil, err
	}
	var l browser.Login
	if login != nil {
		l = *login
	}
	loggingIn, cancel := withPatience(ctx, 2*s.opts.Timeout) // it may take several pages
	defer cancel()
	user, err := b.NewUser(loggingIn, l)
	if err != nil {
		return nil, fmt.Errorf("logging in: %w", err)
	}
	s.onClose(user)
	s.keepStorage(user.SessionStorage()...) // the page may remove it before it is looked at
	page, err := user.Visit(ctx, s.target.PageURL, kindly)
	if err != nil {
		return nil, err // it names the page
	}
	v := &visit{user: user, page: page, kindly: kindly}
	if failed := page.Record().Navigation.Error; failed != "" {
		if err := b.ConnectionError(s.target.PageURL); err != nil {
			return nil, fmt.Errorf("%w: %w", errUnreachable, err)
		}
		return nil, fmt.Errorf("%w: %s", errUnreachable, failed)
	}
	return v, nil
}

// newKindly is the Kindly that one visit talks to, with a journal of its own.
func (s *Session) newKindly(webhooks ...Webhook) (*mockkindly.Kindly, error) {
	k, err := mockkindly.New(mockkindly.Options{
		Now:    s.opts.Now,
		Client: s.client,
		AnyBot: &mockkindly.Bot{
			PublicKeys: s.target.PublicKeys, Published: s.target.Published, Webhooks: kindlyWebhooks(webhooks),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("starting the mock Kindly: %w", err)
	}
	s.onClose(k)
	return k, nil
}

func kindlyWebhooks(webhooks []Webhook) []mockkindly.Webhook {
	var out []mockkindly.Webhook
	for _, w := range webhooks {
		out = append(out, mockkindly.Webhook{Name: w.Name, URL: w.URL, ConnectTo: w.ConnectTo, Secret: w.Secret})
	}
	return out
}

// wait returns when the callback has settled and its token was judged, when no
// chat client has started although the page has long loaded, or after timeout.
func (v *visit) wait(ctx context.Context, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	starting, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if _, err := v.kindly.Journal().Wait(starting, isKind(mockkindly.ClientStarted)); err != nil {
		return
	}
	settled, err := v.kindly.Journal().Wait(ctx, isKind(mockkindly.CallbackSettled))
	if err != nil || settled.Callback.Outcome != "token" {
		return
	}
	v.kindly.Journal().Wait(ctx, func(e mockkindly.Event) bool { return e.Token != nil }) // the verdict on it
}

func isKind(k mockkindly.Kind) func(mockkindly.Event) bool {
	return func(e mockkindly.Event) bool { return e.Kind == k }
}

// read takes from the journal what the visit came to.
func (v *visit) read() {
	for _, e := range v.kindly.Journal().Events(0) {
		switch {
		case e.Client != nil:
			v.started = append(v.started, *e.Client)
		case e.Kind == mockkindly.ChatCreated && v.chatID == "":
			v.chatID = e.Chat
		case e.Kind == mockkindly.CallbackSettled && v.callback == nil:
			v.callback = e.Callback
		case e.Token != nil && v.token == "" && e.Chat == v.chatID:
			v.token, v.result = e.Token.Raw, e.Token.Result
		}
	}
}

// startsWithin counts the starts of the chat client, and waits up to d for a
// second one.
func (v *visit) startsWithin(ctx context.Context, d time.Duration) int {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	count := 0
	v.kindly.Journal().Wait(ctx, func(e mockkindly.Event) bool {
		if e.Kind == mockkindly.ClientStarted {
			count++
		}
		return count > 1
	})
	return count
}
