package subject

import (
	"context"
	"slices"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly"
)

// waitForClient waits until the chat client has started, and says whether it
// has. It gives up after patience where it is plain by then that the client never
// will; where that is not, in the first visit after the time of a request, and in
// others about when the client of the visit before had started.
func (v *Visit) waitForClient(ctx context.Context, s *Session, before *Visit) bool {
	opened := s.Options.Now()
	defer func() { v.Waited = s.Options.Now().Sub(opened) }()
	if v.started(ctx, min(patience, s.Options.Timeout)) {
		return true
	}
	start := s.Options.Timeout
	if before != nil { // that there is no chat, as for who is logged out, takes no longer to find out than that there is one
		if len(before.Started) == 0 {
			return false
		}
		start = 2 * before.Waited
	}
	rest := start - s.Options.Now().Sub(opened)
	if rest <= 0 || v.hopeless(ctx) {
		return false
	}
	return v.started(ctx, rest)
}

func (v *Visit) started(ctx context.Context, patience time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := v.kindly.Journal().Wait(ctx, isKind(mockkindly.ClientStarted))
	return err == nil
}

// hopeless says whether waiting will start no chat client: the page is an error
// page, or something that stays as it is holds the client up. A tag that a
// consent manager may release by itself is no such thing.
func (v *Visit) hopeless(ctx context.Context) bool {
	record := v.page.Record()
	if record.Navigation.Status >= 400 {
		return true
	}
	state, err := v.page.State(ctx)
	if err != nil {
		return false
	}
	for _, tag := range state.Scripts {
		if tag.ID == "kindly-chat" && (tag.NoModule || Asked(record, tag.Src)) {
			return true // it has arrived, or was blocked: it would have started
		}
	}
	return IsLogin(state, record)
}

// Asked says whether the page's request for a script has ended.
func Asked(record browser.Record, src string) bool {
	return src != "" && slices.ContainsFunc(record.Requests, func(r browser.Request) bool {
		return r.URL == src && r.ResourceType == "Script" && r.Duration > 0
	})
}

// waitForToken returns when the callback has settled and its token was judged, both by
// events newer than the one numbered after, or when timeout is over; sooner where the
// client has made no chat to call it for. It says whether there was a token.
func (v *Visit) waitForToken(ctx context.Context, after uint64, timeout time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	connecting, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if _, err := v.kindly.Journal().WaitAfter(connecting, after, isKind(mockkindly.ChatCreated)); err != nil {
		return false
	}
	settled, err := v.kindly.Journal().WaitAfter(ctx, after, isKind(mockkindly.CallbackSettled))
	if err != nil || settled.Callback.Outcome != "token" {
		return false
	}
	_, err = v.kindly.Journal().WaitAfter(ctx, after, func(e mockkindly.Event) bool { return e.Token != nil }) // the verdict on it
	return err == nil
}

// WatchStarts waits for a second start of the chat client, until d after the first, and
// then says what the page has done and looks like. The time now is that of the run.
func (v *Visit) WatchStarts(ctx context.Context, d time.Duration, now time.Time) ([]mockkindly.ClientReport, browser.Record, browser.State, error) {
	if first, err := v.kindly.Journal().Wait(ctx, isKind(mockkindly.ClientStarted)); err == nil {
		waiting, cancel := context.WithTimeout(ctx, first.At.Add(d).Sub(now))
		defer cancel()
		v.kindly.Journal().WaitAfter(waiting, first.Seq, isKind(mockkindly.ClientStarted))
	}
	var started []mockkindly.ClientReport
	for _, e := range v.kindly.Journal().Events(0) {
		if e.Client != nil {
			started = append(started, *e.Client)
		}
	}
	state, err := v.page.State(ctx)
	return started, v.page.Record(), state, err
}
