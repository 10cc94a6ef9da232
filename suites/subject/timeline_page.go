package subject

import (
	"cmp"
	"fmt"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
)

// happened is an event of Kindly's journal as a moment; later are the events
// that followed.
func happened(e mockkindly.Event, later []mockkindly.Event) (reports.Moment, bool) {
	m := reports.Moment{At: e.At, OK: true}
	switch {
	case e.Client != nil:
		m.Kind, m.Title = reports.MomentPage, "The chat client started"
		m.Detail = fmt.Sprintf("bot key %q, options: %s, getAuthToken: %s", Bound(e.Client.BotKey, 80),
			cmp.Or(Bound(e.Client.Options, 80), "none"), cmp.Or(Bound(e.Client.Callback, 80), "none"))
	case e.Kind == mockkindly.ChatCreated:
		m.Kind, m.Title, m.Detail = reports.MomentPage, "A chat was opened", "chat id "+e.Chat
	case e.Kind == mockkindly.CallbackCalled:
		return called(e, later), true
	case e.Token != nil:
		return judged(e.At, e.Token.Result), true
	default:
		return m, false
	}
	return m, true
}

// called is a call of the callback, and what came of it.
func called(e mockkindly.Event, later []mockkindly.Event) reports.Moment {
	m := reports.Moment{At: e.At, Kind: reports.MomentCallback, Title: "getAuthToken was called, and has not settled",
		Detail: Bound(e.Callback.Reason, 80)}
	for _, l := range later {
		if l.Kind == mockkindly.CallbackSettled && l.Chat == e.Chat {
			m.OK, m.DurationMS = l.Callback.Outcome == "token", l.Callback.Elapsed.Milliseconds()
			m.Title, m.Detail = settled(l.Callback)
			return m
		}
	}
	return m
}

// settled says what came of a call of the callback.
func settled(c *mockkindly.CallbackReport) (title, detail string) {
	titles := map[string]string{
		"token": "getAuthToken gave a token", "empty": "getAuthToken gave an empty string",
		"not-a-string": "getAuthToken gave no string", "undefined": "getAuthToken gave nothing",
		"threw": "getAuthToken threw", "rejected": "getAuthToken's promise was rejected",
	}
	title = cmp.Or(titles[c.Outcome], "getAuthToken ended: "+Bound(c.Outcome, 80))
	switch {
	case c.Error != "":
		return title, c.Error
	case c.Type != "" && c.Type != "string":
		return title, "a value of type " + Bound(c.Type, 80)
	}
	return title, ""
}

// judged is Kindly's judgement of a token.
func judged(at time.Time, r token.Result) reports.Moment {
	m := reports.Moment{At: at, Kind: reports.MomentVerify, OK: r.Accepted(), Title: "Kindly accepts the token", Detail: broken(r)}
	if !m.OK {
		m.Title = "Kindly refuses the token"
	}
	return m
}

// broken lists the rules that a token breaks, those that count first.
func broken(r token.Result) string {
	var refused, must, others string
	for _, v := range r.Violations {
		line := v.Rule.ID + ": " + v.Actual + ". "
		switch {
		case v.Refused():
			refused += line
		case v.Level == rule.Must:
			must += line
		default:
			others += line
		}
	}
	return cmp.Or(refused+must+others, "no rule is broken")
}

// pageErrors are the failures that the page itself had meanwhile, oldest first
// of each sort.
func pageErrors(record browser.Record) []reports.Moment {
	var out []reports.Moment
	add := func(at time.Time, title, detail string) {
		if !at.IsZero() {
			out = append(out, reports.Moment{At: at, Kind: reports.MomentError, Title: title, Detail: detail})
		}
	}
	for _, e := range record.Exceptions {
		add(e.At, "The page threw", e.Text)
	}
	for _, r := range record.Requests {
		switch {
		case r.CORSError != "":
			add(r.Started, "A request was refused by CORS", r.Method+" "+redact.URL(r.URL)+": "+r.CORSError)
		case r.BlockedReason != "":
			add(r.Started, "A request was blocked ("+r.BlockedReason+")", r.Method+" "+redact.URL(r.URL))
		case r.Error != "":
			add(r.Started, "A request failed", r.Method+" "+redact.URL(r.URL)+": "+r.Error)
		case r.Status >= 400 && r.ResourceType != "Document" && !r.Kindly: // what Kindly says is told apart
			add(r.Started, "A request failed", fmt.Sprintf("%s %s: status %d", r.Method, redact.URL(r.URL), r.Status))
		}
	}
	for _, e := range record.Console {
		if e.Level == "error" && e.Source != "network" { // requests stand above
			add(e.At, "The console shows an error", e.Text)
		}
	}
	return out
}
