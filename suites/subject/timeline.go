package subject

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/reports"
)

// A timeline is the way of the first user's token, as the report tells it: what the page, Kindly, the auth endpoint and the webhooks did.
type timeline struct {
	mu         sync.Mutex
	moments    []reports.Moment
	screenshot string
}

// Bounds of a timeline. A page may throw all the time.
const (
	maxMoments    = 100
	maxPageErrors = 20
	maxTitle      = 300
	maxDetail     = 600
)

// tell adds a moment. All of it may be foreign.
func (s *Session) tell(m reports.Moment) {
	m.Title, m.Detail = Bound(s.Redact.Text(m.Title), maxTitle), Bound(s.Redact.Text(m.Detail), maxDetail)
	m.At, m.DurationMS = m.At.UTC(), max(m.DurationMS, 0)
	s.timeline.mu.Lock()
	defer s.timeline.mu.Unlock()
	if len(s.timeline.moments) < maxMoments {
		s.timeline.moments = append(s.timeline.moments, m)
	}
}

// Timeline is all that was told, in the order in which it happened.
func (s *Session) Timeline() (moments []reports.Moment, screenshot string) {
	s.timeline.mu.Lock()
	defer s.timeline.mu.Unlock()
	slices.SortStableFunc(s.timeline.moments, func(a, b reports.Moment) int { return a.At.Compare(b.At) })
	return s.timeline.moments, s.timeline.screenshot
}

// tellVisit tells what came of opening the page.
func (s *Session) tellVisit(began time.Time, v *Visit, err error) {
	if err != nil {
		if s.Target.PageURL != "" {
			s.tell(reports.Moment{At: began, Kind: reports.MomentPage, Title: "Could not look at " + redact.URL(s.Target.PageURL),
				Detail: err.Error(), DurationMS: time.Since(began).Milliseconds()})
		}
		return
	}
	s.tell(opened(began, v.Record))
	s.tellToken(v)
	s.tellErrors(v, time.Time{})
}

// tellMended tells of a visit that was made once more, as if the page let the chat
// client in. What goes wrong before that was told of the first.
func (s *Session) tellMended(began time.Time, v *Visit) {
	m := opened(began, v.Record)
	m.Title += " once more, and put the chat client in"
	s.tell(m)
	s.tellToken(v)
	if events := v.kindly.Journal().Events(0); len(events) > 0 {
		s.tellErrors(v, events[0].At)
	}
}

// tellErrors tells of the failures that a page had from a time on.
func (s *Session) tellErrors(v *Visit, from time.Time) {
	told := 0
	for _, m := range pageErrors(v.Record) {
		if told < maxPageErrors && !m.At.Before(from) {
			told++
			s.tell(m)
		}
	}
}

// tellToken tells the way of a visit's token to Kindly.
func (s *Session) tellToken(v *Visit) {
	request, found := tokenRequest(v)
	events := v.kindly.Journal().Events(0)
	for i, e := range events {
		m, ok := happened(e, events[i+1:])
		if !ok {
			continue
		}
		if found && m.Kind == reports.MomentCallback && m.At.After(request.Started) {
			m.At = request.Started // the page tells Kindly of the call while it goes on
		}
		s.tell(m)
	}
	if found {
		s.tell(asked(request))
	}
}

// opened is the moment at which the page's document was asked for.
func opened(began time.Time, record browser.Record) reports.Moment {
	nav := record.Navigation
	m := reports.Moment{At: began, Kind: reports.MomentPage, Title: "Opened " + redact.URL(nav.URL),
		Detail: "status " + strconv.Itoa(nav.Status), OK: nav.Error == "" && nav.Status < http.StatusBadRequest}
	if nav.Error != "" {
		m.Detail = nav.Error
	}
	if n := len(nav.Redirects); n > 0 {
		m.Detail += fmt.Sprintf(", redirected %d times", n)
	}
	for _, r := range record.Requests {
		if r.ResourceType == "Document" {
			m.At, m.DurationMS = r.Started, r.Duration.Milliseconds()
			break
		}
	}
	return m
}

func asked(r browser.Request) reports.Moment {
	return reports.Moment{At: r.Started, Kind: reports.MomentEndpoint, Title: r.Method + " " + redact.URL(r.URL),
		Detail:     fmt.Sprintf("status %d, and the answer holds the token", r.Status),
		DurationMS: r.Duration.Milliseconds(), OK: r.Status/100 == 2}
}

// askedFor is a request of the harness itself for a token, where there is no page.
func askedFor(ev Evidence, gave bool) reports.Moment {
	ex := ev.Exchange
	detail := Describe(ex) + ", and the answer holds a token"
	if !gave {
		detail = Describe(ex) + ", without a token"
	}
	return reports.Moment{At: ex.At, Kind: reports.MomentEndpoint, Title: ex.Request.Method + " " + redact.URL(ex.Request.URL),
		Detail: detail, DurationMS: ex.Duration.Milliseconds(), OK: gave && ex.Status()/100 == 2}
}

// tellForward tells of the first request to a webhook that carries the token.
func (s *Session) tellForward(h *Webhook, p ChatToken, ev Evidence) {
	ex := ev.Exchange
	d := allowlist.Decide(p.Result.Token.WebhookDomains(), h.Config.URL)
	m := reports.Moment{At: ex.At, Kind: reports.MomentForward, Title: "A message and the token went to " + redact.URL(h.Config.URL),
		DurationMS: ex.Duration.Milliseconds(), OK: ex.Status()/100 == 2 && d.Allowed}
	if h.Config.ConnectTo != "" {
		m.Title += ", at " + redact.URL(h.Config.ConnectTo)
	}
	verb := "Kindly would send the token: "
	if !d.Allowed {
		verb = "Kindly would leave the token out: "
	}
	m.Detail = Describe(ex) + ". " + verb + d.Reason
	s.tell(m)
}

// photograph keeps what the page shows, with what is known to be secret covered.
// A page that can't be photographed is checked all the same.
func (s *Session) photograph(ctx context.Context, v *Visit) {
	if !s.Options.Screenshot {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.Patience.Photo)
	defer cancel()
	picture, err := v.page.Screenshot(ctx, s.Redact.Covers)
	if err != nil {
		s.Note(reports.Informed, "There is no screenshot of the page: %v.", err)
		return
	}
	s.keep(picture)
}

func (s *Session) keep(picture []byte) {
	s.timeline.mu.Lock()
	defer s.timeline.mu.Unlock()
	s.timeline.screenshot = reports.Screenshot(picture)
}

// keepPicture keeps what the tab showed when a step failed, if there is no
// picture of the page itself.
func (s *Session) keepPicture(err error) {
	var step *browser.StepError
	s.timeline.mu.Lock()
	has := s.timeline.screenshot != ""
	s.timeline.mu.Unlock()
	if errors.As(err, &step) && step.Picture != nil && !has {
		s.keep(step.Picture)
	}
}
