package subject

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/service"
)

// A page that keeps the chat client out keeps all out of sight that comes after:
// the callback, the endpoint, the token. So it is opened once more, with the client
// put in, and the rest is judged as if that mistake were mended. A callback that the
// client does not find where it looks, or not yet, hides as much, and is put in its place.

// AsIfStarted begins the note of a run in which a chat client was put in, and
// AsIfDefined that of one in which it was given its callback.
const (
	AsIfStarted = "Judged as if the chat client had started"
	AsIfDefined = "Judged as if the chat client had found getAuthToken"
)

// VisitMended is the first user's visit for all that comes after the start of the
// chat client: [Session.VisitFirst]; or one more, with the client put in, where the
// page means to have a chat and the client came to none, or to no callback.
func (s *Session) VisitMended() (*Visit, error) {
	return s.pages.mended.Get(func() (*Visit, error) {
		v, err := s.VisitFirst()
		if err != nil || !s.mendable(v) {
			return v, err
		}
		began := s.Options.Now()
		m, err := s.visitMended(v)
		switch {
		case errors.Is(err, errSettled):
			return nil, err
		case err != nil || m.ChatID == "" || len(m.Started) == 0: // then the first says what can be said
			return v, nil
		}
		if m.given {
			s.Note(reports.Warned, "%s, which it does not (see PAGE-CALLBACK-DEFINED): it was started anew once that was there. The callback, the auth endpoint and the token are judged by that.", AsIfDefined)
			s.tellMended(began, m)
			return m, nil
		}
		why := "PAGE-WIDGET"
		if v.BlockedByPolicy() {
			why = "PAGE-CSP"
		}
		s.Note(reports.Warned, "%s: the page keeps it out (see %s), so that it was put in from outside. getAuthToken, the auth endpoint and the token are judged by that.", AsIfStarted, why)
		s.tellMended(began, m)
		return m, nil
	})
}

// mendable says whether a page that has come to no chat, or to no callback, is meant to
// come to one.
func (s *Session) mendable(v *Visit) bool {
	if v.ChatID == "" {
		return s.meansChat(s.Base, v)
	}
	return v.lacksCallback() && v.mentionsCallback()
}

// lacksCallback says whether a chat client has started, and found no callback.
func (v *Visit) lacksCallback() bool {
	return len(v.Started) > 0 && v.Token == "" && !slices.ContainsFunc(v.Started, findsCallback)
}

func findsCallback(c mockkindly.ClientReport) bool { return c.Callback == "function" }

// mentionsCallback says whether any code of a page speaks of a callback, by whatever name.
func (v *Visit) mentionsCallback() bool {
	return slices.ContainsFunc(v.Record.Requests, func(r browser.Request) bool {
		return !r.Kindly && (r.ResourceType == "Document" || r.ResourceType == "Script") && speaksOfCallback.Match(r.ResponseBody)
	})
}

var speaksOfCallback = regexp.MustCompile(`(?i)get\w{0,20}(?:token|jwt)`)

func (s *Session) visitMended(first *Visit) (*Visit, error) {
	ctx, cancel := service.WithTimeout(s.Base, s.Patience.Visit)
	defer cancel()
	v, err := s.openVisit(ctx, first.user, first.login, true) // what the steps did once may be done
	if err != nil {
		return nil, err
	}
	s.putIn(ctx, v, first)
	return v, s.keepVisit(ctx, v)
}

// VisitLoggedOutMended is [Session.VisitLoggedOut] for all that comes after the start of
// the chat client: what keeps that out, such as a banner that only the user's login clicks
// away, says nothing of the callback.
func (s *Session) VisitLoggedOutMended() (*Visit, error) {
	v, err := s.VisitLoggedOut()
	if err != nil || len(v.Started) > 0 || v.Mended || s.TurnsAway(v) || !s.meansChat(s.Base, v) {
		return v, err
	}
	m, err := s.visitMended(v)
	if err != nil || m.ChatID == "" || len(m.Started) == 0 {
		return v, nil
	}
	return m, nil
}

// meansChat says whether a page shows that it is meant to have a chat.
func (s *Session) meansChat(ctx context.Context, v *Visit) bool {
	if len(v.Started) > 0 || v.BlockedByPolicy() || slices.ContainsFunc(v.State.Scripts, meansClient) {
		return true
	}
	here := v.Look(ctx)
	return here.Options || hasCallback(here)
}

// meansClient says whether a script element is meant to be the chat client's,
// whatever is wrong with it.
func meansClient(tag browser.Script) bool {
	if tag.ID == "kindly-chat" || tag.BotKey != "" || isKindlyURL(tag.Src) {
		return true
	}
	for _, value := range tag.Data { // where consent banners keep the URL
		if isKindlyURL(value) {
			return true
		}
	}
	return false
}

// mostPutIn bounds how often the client is put in: a page may go on to another
// document, and leave it behind.
const mostPutIn = 3

// putIn puts the chat client into a page when its own would have run, and waits
// until it has called the callback.
func (s *Session) putIn(ctx context.Context, v, before *Visit) {
	v.given = before.given || before.lacksCallback()
	v.tagRan = before.tagRan || !before.Mended && slices.ContainsFunc(before.State.Scripts, before.took)
	if !v.readyForClient(ctx) {
		return
	}
	if v.given { // what the page's own client comes to, which found none, is not what this one does
		settling, cancel := service.WithTimeout(ctx, s.Options.Timeout)
		defer cancel()
		v.kindly.Journal().Wait(settling, isKind(mockkindly.CallbackSettled))
	}
	v.Mended = true
	key := s.Target.BotKey
	for _, tag := range before.State.Scripts {
		key = cmp.Or(key, tag.BotKey)
	}
	for range mostPutIn {
		seen := v.kindly.Journal().Last() // the page's own client may have come to a chat, and to no callback
		lost, err := v.page.PutClient(ctx, cmp.Or(key, "kindlytest"))
		if err == nil { // else the page went on just then
			v.waitForToken(ctx, seen, s.Options.Timeout)
			select {
			case <-lost:
			default:
				return
			}
		}
		v.page.Settle(ctx)
	}
}

// readyForClient waits, but not for long, until a page is where its own client would
// have run: where browsers take up the script tag, as soon as that is there. Any other
// tag may wait for somebody's consent, and so may the callback: until that is there. A
// callback that was not there in time is put in its place, as soon as it is anywhere.
func (v *Visit) readyForClient(ctx context.Context) bool {
	return until(ctx, func(ctx context.Context) bool {
		if v.given {
			there, err := v.page.PutCallback(ctx)
			return err == nil && there
		}
		if !v.tagRan {
			return hasCallback(v.Look(ctx))
		}
		now, err := v.page.State(ctx)
		return err == nil && slices.ContainsFunc(now.Scripts, meansClient)
	})
}

// hasCallback says whether there is anything in the callback's place.
func hasCallback(here browser.Presence) bool {
	return here.Callback != "" && here.Callback != "undefined"
}

// took says whether the browser has taken a script tag up for the chat client's,
// whatever came of it.
func (v *Visit) took(tag browser.Script) bool {
	return meansClient(tag) && (tag.NoModule || Asked(v.Record, tag.Src) || len(v.Started) > 0)
}

// openAgain opens the page of a visit once more, and waits for its chat client, which
// calls the callback too.
func (s *Session) openAgain(ctx context.Context, before *Visit) (*browser.Page, error) {
	ctx, cancel := service.WithTimeout(ctx, s.Patience.Visit)
	defer cancel()
	v, err := s.openVisit(ctx, before.user, before.login, true) // with a Kindly of its own: what it does is not the first one's doing
	if err != nil {
		return nil, fmt.Errorf("opening the page again: %w", err)
	}
	s.onClose(v.page)
	if before.Mended {
		s.putIn(ctx, v, before)
	}
	settling, stop := context.WithTimeout(ctx, s.Options.Timeout)
	defer stop()
	v.kindly.Journal().Wait(settling, isKind(mockkindly.CallbackSettled))
	return v.page, nil
}
