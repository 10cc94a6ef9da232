package suites

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/wire"
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
		s.problem(s.pageProblem(err))
		return nil, err
	}
	v.wait(ctx, s.opts.Timeout)
	v.page.Settle(ctx)
	v.record = v.page.Record()
	if v.state, err = v.page.State(ctx); err != nil {
		s.problem(s.pageProblem(err))
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

// withPatience is context.WithTimeout with an error that says how long it was.
func withPatience(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, slowError(d))
}

// A slowError is context.DeadlineExceeded in plain words.
type slowError time.Duration

func (e slowError) Error() string        { return "not done within " + time.Duration(e).String() }
func (e slowError) Is(target error) bool { return target == context.DeadlineExceeded }

// A browserError is one of a Chrome that does not start.
type browserError struct{ error }

func (e browserError) Unwrap() error { return e.error }

// errUnreachable marks a page that gave no document at all.
var errUnreachable = errors.New("the page could not be opened")

// pageProblem says what keeps the page from being looked at, and the way out.
func (s *Session) pageProblem(err error) (text, hint string) {
	var none *browser.NotFoundError
	var step *browser.StepError
	var chrome browserError
	switch {
	case errors.As(err, &none):
		return strings.TrimSuffix(none.Error(), " "+none.Hint), none.Hint
	case errors.As(err, &chrome):
		return err.Error(), "Does it start from a shell? --browser PATH names another one, --browser-url ws://… one that runs."
	case errors.As(err, &step):
		return err.Error(), "Check page.login: the steps run in order, and each selector must match an element that can be seen."
	case errors.Is(err, errUnreachable) && strings.Contains(err.Error(), "ERR_UNSAFE_PORT"):
		return fmt.Sprintf("%s: %v", safeURL(s.target.PageURL), err), "Browsers refuse to call this port; serve the page on another one."
	case errors.Is(err, errUnreachable) && strings.Contains(err.Error(), "ERR_CERT_AUTHORITY_INVALID"):
		return fmt.Sprintf("%s: %v", safeURL(s.target.PageURL), err), privateAuthority
	case errors.Is(err, errUnreachable) && untrusted(err):
		return fmt.Sprintf("%s: %v", safeURL(s.target.PageURL), err), wayToTrust(err, "")
	case errors.Is(err, errUnreachable):
		return fmt.Sprintf("%s: %v", safeURL(s.target.PageURL), err), "Is it running? Open it in a browser on this machine."
	case errors.Is(err, context.DeadlineExceeded):
		return err.Error(), "The page was not ready in time, or is too busy to be looked at; --timeout gives it longer."
	}
	return err.Error(), ""
}

// browser starts Chrome, once.
func (s *Session) browser() (*browser.Browser, error) {
	return s.chrome.get(func() (*browser.Browser, error) {
		if s.opts.Browser != nil {
			return s.opts.Browser, nil
		}
		if s.opts.launch != nil {
			b, err := s.opts.launch()
			if err != nil {
				return nil, browserError{err}
			}
			return b, nil
		}
		b, err := launch(s.base, s.target, s.opts)
		if err != nil {
			return nil, browserError{err}
		}
		s.onClose(b)
		return b, nil
	})
}

// launch starts the Chrome that a target's pages are opened in.
func launch(ctx context.Context, t Target, o Options) (*browser.Browser, error) {
	return browser.Launch(ctx, browser.Options{
		Path: o.BrowserPath, URL: o.BrowserURL, Headed: o.Headed,
		UserAgentSuffix: o.userAgent(), Resolve: t.Resolve, RootCAs: t.Roots(),
	})
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

// opaque is what a session in web storage looks like: no words, no address.
var opaque = regexp.MustCompile(`^[A-Za-z0-9_.+/=-]{20,}$`)

// keepSession makes the session that the browser holds unprintable: cookies,
// and what may be one in web storage.
func (s *Session) keepSession(state browser.State) {
	for _, c := range state.Cookies {
		s.redact.add(c.Value)
	}
	s.keepStorage(state.LocalStorage, state.SessionStorage)
}

func (s *Session) keepStorage(storages ...map[string]string) {
	for _, storage := range storages {
		for _, value := range storage {
			if opaque.MatchString(value) {
				s.redact.add(value)
			}
		}
	}
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

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// requestEvidence turns a request of the page into evidence.
func requestEvidence(title string, r browser.Request) Evidence {
	ex := wire.Exchange{At: r.Started, Duration: r.Duration, Request: wire.Request{
		Method: r.Method, URL: r.URL, Header: r.Header, Body: r.Body}}
	switch {
	case r.Status != 0:
		ex.Response = &wire.Response{Status: r.Status, Header: r.ResponseHeader, Body: r.ResponseBody}
	case r.Error != "":
		ex.Err = errors.New(r.Error)
	}
	return Evidence{Title: title, Exchange: ex}
}
