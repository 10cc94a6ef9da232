package subject

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/server"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/widget"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/target"
)

// pageFacts are what is found out by opening the customer's page, each once.
type pageFacts struct {
	first     Memo[*Visit] // as the first user
	mended    Memo[*Visit] // as the first user, with a chat client
	second    Memo[*Visit] // as the second user
	loggedOut Memo[*Visit] // as nobody
	renewed   Memo[Renewal]
	ahead     loginAhead
}

// A Visit is one opening of the page by one user, and what Kindly saw of it.
type Visit struct {
	user   *browser.User
	login  *browser.Login // nil: nobody's
	page   *browser.Page
	kindly *mockkindly.Kindly
	Record browser.Record
	State  browser.State

	Started  []mockkindly.ClientReport // one for each time that the chat client started
	start    *mockkindly.ClientReport  // the one that made the chat; nil if there was none
	ChatID   string                    // of the chat that got a token, or else the last; "" if there was none
	Callback *mockkindly.CallbackReport
	Token    token.Raw // "" if the callback gave none
	result   token.Result
	Client   *widget.Manner  // how the chat client works, as the real one was seen to; may be nil
	recurs   map[string]bool // what was asked when the callback was called again; nil if it was not
	Waited   time.Duration   // until the chat client started, or was given up
	Mended   bool            // the chat client was put in: the page keeps it out
	given    bool            // with its callback, which its own does not find
	tagRan   bool            // and its own would have run as soon as its script tag was there
}

// patience is how long a page that has loaded may take until its chat client
// starts, where nothing says that it will: tag managers, idle callbacks and
// single-page apps mount it late. Where nothing says that it will not either,
// the first visit waits as long as a request may take.
const patience = 3 * time.Second

// VisitFirst opens the page as the first user.
func (s *Session) VisitFirst() (*Visit, error) {
	return s.pages.first.Get(func() (*Visit, error) {
		began := s.Options.Now()
		v, err := s.visit(s.Target.Login, nil)
		if v != nil && err == nil {
			s.photograph(s.Base, v)
			err = s.notThePage(v)
		}
		s.tellVisit(began, v, err)
		return v, err
	})
}

// visitSecond opens the page as the second user. Where there is none, nobody's page is
// the other one to compare with, and need not be opened twice.
func (s *Session) visitSecond() (*Visit, error) {
	return s.pages.second.Get(func() (*Visit, error) {
		if s.Target.Second == nil {
			return s.VisitLoggedOut()
		}
		return s.visitLike(s.Target.Second)
	})
}

// VisitLoggedOut opens the page as nobody.
func (s *Session) VisitLoggedOut() (*Visit, error) {
	return s.pages.loggedOut.Get(func() (*Visit, error) { return s.visitLike(nil) })
}

// visitLike opens the page as somebody else than the first user.
func (s *Session) visitLike(login *browser.Login) (*Visit, error) {
	like, err := s.VisitMended()
	if err != nil { // it says nothing of others
		like = &Visit{}
	}
	return s.visit(login, like)
}

// visit opens the page in a fresh browser context and watches until the
// callback has settled, or it is clear that it will not. The chat client starts
// about as it did in the visit before, or is put in as it was there; nil: in none.
func (s *Session) visit(login *browser.Login, before *Visit) (*Visit, error) {
	if s.Target.PageURL == "" {
		return nil, MissingError(target.NeedPage.Hint())
	}
	var v *Visit
	var err error
	s.Outliving(s.Base, func(bool) bool {
		ok := false
		if v, ok = s.visitKept(login, before); ok {
			return true
		}
		for range mostTries {
			v, err = s.visitAnew(login, before)
			if err == nil && (v.Token != "" || !s.restFor(v)) || err != nil && !s.restForLogin(err) {
				break
			}
		}
		return err == nil && v.Token != ""
	})
	switch {
	case errors.Is(err, errSettled): // it has been told
		return nil, err
	case err != nil:
		s.addProblem(s.pageProblem(err))
		if step := (*browser.StepError)(nil); errors.As(err, &step) && step.Of == "login" && loginFails(step) {
			return nil, settledError{err} // more tries lock accounts
		}
		return nil, err
	}
	return v, nil
}

// loginFails says whether a login's step would fail the next time too: unless the app was
// down, a limit turned it away, or its tab or Chrome ended.
func loginFails(step *browser.StepError) bool {
	return wayIn(step) != "" || !step.Down() && len(step.TurnedAway) == 0 && !errors.Is(step, browser.ErrClosed)
}

// restForLogin waits where a limit kept a login from being done that the harness has met
// before, and says whether to log in again. One that it has not met is the login's own:
// more tries make it worse.
func (s *Session) restForLogin(err error) bool {
	var step *browser.StepError
	return errors.As(err, &step) && step.Of == "login" && slices.ContainsFunc(step.TurnedAway, func(r browser.Request) bool {
		ev := RequestEvidence("the login's own request", r)
		return s.Limiting(ev.Exchange.Request) && s.Rest(s.Base, ev)
	})
}

// restFor waits where a limit kept the page or its callback from an answer, as the
// harness may have used it up, and says whether to open the page again.
func (s *Session) restFor(v *Visit) bool {
	documents := slices.DeleteFunc(slices.Clone(v.Record.Requests), func(r browser.Request) bool {
		return r.ResourceType != "Document" || BeforeOf(r) != nil // maintenance, for one, says 503 and Retry-After, too
	})
	return slices.ContainsFunc(append(documents, v.Asked()...), func(r browser.Request) bool {
		return s.Rest(s.Base, RequestEvidence("the page's own request", r))
	})
}

func (s *Session) visitAnew(login *browser.Login, before *Visit) (*Visit, error) {
	v, err := s.visitAs(login, s.steps(login), before)
	if err == nil {
		s.keepLogin(v)
	}
	return v, err
}

// visitAs is visitAnew for a user who logs in so.
func (s *Session) visitAs(login *browser.Login, so browser.Login, before *Visit) (*Visit, error) {
	user, err := s.loggedIn(login, so)
	if err != nil {
		return nil, err
	}
	ctx, cancel := service.WithTimeout(s.Base, s.Patience.Visit)
	defer cancel()
	// Who is logged out may see other things; whose element is not there is told of
	// the user that the rest is about.
	v, err := s.openVisit(ctx, user, login, login != s.Target.Login)
	if err != nil {
		return nil, err
	}
	if before != nil && before.Mended {
		s.putIn(ctx, v, before)
	} else if v.waitForClient(ctx, s, before) && v.waitForToken(ctx, 0, s.Options.Timeout) && before == nil {
		s.logInAhead()
	}
	return v, s.keepVisit(ctx, v)
}

// keepVisit notes what has come of an open page.
func (s *Session) keepVisit(ctx context.Context, v *Visit) (err error) {
	v.page.Settle(ctx)
	reading, cancel := service.WithTimeout(ctx, s.Options.Timeout)
	defer cancel()
	v.page.AwaitCode(reading)
	v.Record = v.page.Record()
	if n := v.Record.Missed; n > 0 {
		s.crowded.Do(func() {
			s.Note(reports.Warned, "The page sent %d requests more than are looked at: whether these give the token away is not known. A production build, or a page without what polls all the time, sends fewer.", n)
		})
	}
	if v.State, err = v.page.State(ctx); err != nil {
		return err
	}
	v.read()
	s.callAgain(ctx, v)
	s.keepSession(v.State)
	return s.storedEnded(v)
}

// logIn opens a fresh browser context, and logs in there. It has its own time: how
// long a login takes, over several pages, says nothing of the page.
func (s *Session) logIn(login browser.Login) (*browser.User, error) {
	b, err := s.browser()
	if err != nil {
		return nil, err
	}
	ctx, cancel := service.WithTimeout(s.Base, s.Patience.Login)
	defer cancel()
	user, err := b.NewUser(ctx, login)
	if err != nil {
		s.keepPicture(err)
		return nil, fmt.Errorf("logging in: %w", err)
	}
	s.onClose(user)
	return user, nil
}

// steps are those of a login, with what pictures of them must cover; nobody's are none.
func (s *Session) steps(login *browser.Login) browser.Login {
	var l browser.Login
	if login != nil {
		l = *login
	}
	if s.Options.Screenshot {
		l.Secret = s.Redact.Covers
	}
	_, l.Keep = s.who(login)
	return l
}

// openVisit opens the page in a tab of its own. lenient leaves out steps on it whose
// element is not there.
func (s *Session) openVisit(ctx context.Context, user *browser.User, login *browser.Login, lenient bool) (*Visit, error) {
	b, err := s.browser()
	if err != nil {
		return nil, err
	}
	kindly, err := s.NewKindly()
	if err != nil {
		return nil, err
	}
	s.keepStorage(user.SessionStorage()...) // the page may remove it before it is looked at
	client := s.Options.Observed.Client()
	page, err := user.Visit(ctx, s.Target.PageURL, server.New(kindly, server.Options{Client: client}))
	if err != nil {
		return nil, err // it names the page
	}
	v := &Visit{user: user, login: login, page: page, kindly: kindly, Client: client}
	if failed := page.Record().Navigation.Error; failed != "" {
		if err := b.ConnectionError(s.Target.PageURL); err != nil {
			return nil, fmt.Errorf("%w: %w", errUnreachable, err)
		}
		return nil, fmt.Errorf("%w: %s", errUnreachable, failed)
	}
	stepping, stop := service.WithTimeout(ctx, s.Patience.Login)
	defer stop()
	if err := page.Do(stepping, s.Target.PageSteps, lenient, s.steps(login).Secret); err != nil {
		s.keepPicture(err)
		return nil, err
	}
	return v, nil
}

// NewKindly is the Kindly that one visit talks to, with a journal of its own.
func (s *Session) NewKindly(webhooks ...target.Webhook) (*mockkindly.Kindly, error) {
	return s.newKindly(kindlyWebhooks(webhooks))
}

// NewKindly is a Kindly that calls the webhook as it has to be called.
func (h *Webhook) NewKindly() (*mockkindly.Kindly, error) {
	own := kindlyWebhooks([]target.Webhook{h.Config})
	own[0].Host = h.repair.host
	return h.Session.newKindly(own)
}

func (s *Session) newKindly(webhooks []mockkindly.Webhook) (*mockkindly.Kindly, error) {
	k, err := mockkindly.New(mockkindly.Options{
		Now:    s.Options.Now,
		Client: s.Client,
		Manner: s.manner,
		AnyBot: &mockkindly.Bot{
			PublicKeys: s.Target.PublicKeys, Published: s.Target.Published, Webhooks: webhooks,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("starting the mock Kindly: %w", err)
	}
	s.onClose(k)
	return k, nil
}

func kindlyWebhooks(webhooks []target.Webhook) []mockkindly.Webhook {
	var out []mockkindly.Webhook
	for _, w := range webhooks {
		out = append(out, mockkindly.Webhook{Name: w.Name, URL: w.URL, ConnectTo: w.ConnectTo, Secret: w.Secret})
	}
	return out
}

// ChatURL is that of the document that has the chat: the page, or a frame of it.
// Its origin is the one that calls the endpoint.
func (v *Visit) ChatURL() string {
	if len(v.Started) > 0 {
		return v.Start().PageURL
	}
	return v.State.URL
}

// Start is the start of the chat client that made the visit's chat, or the first where
// none made one; there must be one.
func (v *Visit) Start() mockkindly.ClientReport {
	if v.start != nil {
		return *v.start
	}
	return v.Started[0]
}

func isKind(k mockkindly.Kind) func(mockkindly.Event) bool {
	return func(e mockkindly.Event) bool { return e.Kind == k }
}

// read takes from the journal what the visit came to. A page that goes on to
// another one may leave a chat behind: what counts is the one that got a token,
// or else the last.
func (v *Visit) read() {
	events := v.kindly.Journal().Events(0)
	for _, e := range events {
		switch {
		case e.Client != nil:
			v.Started = append(v.Started, *e.Client)
		case e.Kind == mockkindly.ChatCreated:
			v.ChatID = e.Chat
		}
	}
	if v.given { // the page's own, which found no callback, was stopped
		v.Started = slices.DeleteFunc(v.Started, func(c mockkindly.ClientReport) bool { return !findsCallback(c) })
	}
	for i, rank := len(events)-1, 0; i >= 0; i-- {
		switch e := events[i]; {
		case e.Token != nil && e.Chat != "":
			v.ChatID, rank = e.Chat, 2
		case e.Kind == mockkindly.CallbackSettled && rank < 1:
			v.ChatID, rank = e.Chat, 1
		}
	}
	var started *mockkindly.ClientReport
	for _, e := range events {
		switch {
		case e.Client != nil && (!v.given || findsCallback(*e.Client)):
			started = e.Client
		case e.Chat != v.ChatID:
		case e.Kind == mockkindly.ChatCreated:
			v.start = started
		case e.Kind == mockkindly.CallbackSettled && v.Callback == nil:
			v.Callback = e.Callback
		case e.Token != nil && v.Token == "":
			v.Token, v.result = e.Token.Raw, e.Token.Result
		}
	}
}
