package subject

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/target"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func TestEventsAsMoments(t *testing.T) {
	called := mockkindly.Event{Kind: mockkindly.CallbackCalled, Chat: "c1", At: noon, Callback: &mockkindly.CallbackReport{Reason: "INITIAL_CONNECT"}}
	settled := func(outcome, message string) mockkindly.Event {
		return mockkindly.Event{Kind: mockkindly.CallbackSettled, Chat: "c1", At: noon.Add(time.Second),
			Callback: &mockkindly.CallbackReport{Outcome: outcome, Error: message, Elapsed: 61 * time.Millisecond}}
	}
	refused := token.Result{Violations: []token.Violation{
		{Rule: rule.Rule{ID: "TOK-TYP"}, Level: rule.Should, Actual: "no typ"}, {Rule: rule.Rule{ID: "TOK-EXP", Refused: rule.Documented}, Level: rule.Must, Actual: "exp is past"},
	}}
	unsafe := token.Result{Violations: []token.Violation{{Rule: rule.Rule{ID: "TOK-SECRETS"}, Level: rule.Must, Actual: "a password"}}}
	for name, row := range map[string]struct {
		event mockkindly.Event
		later []mockkindly.Event
		kind  reports.MomentKind
		ok    bool
		says  string
	}{
		"the chat client started":  {mockkindly.Event{Kind: mockkindly.ClientStarted, Client: &mockkindly.ClientReport{BotKey: "demo"}}, nil, reports.MomentPage, true, `"demo"`},
		"a chat was opened":        {mockkindly.Event{Kind: mockkindly.ChatCreated, Chat: "c1"}, nil, reports.MomentPage, true, "c1"},
		"the callback gave it":     {called, []mockkindly.Event{settled("token", "")}, reports.MomentCallback, true, "gave a token"},
		"the callback threw":       {called, []mockkindly.Event{settled("threw", "x is undefined")}, reports.MomentCallback, false, "threw: x is undefined"},
		"the callback never ended": {called, nil, reports.MomentCallback, false, "has not settled"},
		"an odd outcome":           {called, []mockkindly.Event{settled("odd", "")}, reports.MomentCallback, false, "ended: odd"},
		"accepted":                 {mockkindly.Event{Kind: mockkindly.TokenAccepted, Token: &mockkindly.TokenReport{}}, nil, reports.MomentVerify, true, "no rule is broken"},
		"refused":                  {mockkindly.Event{Kind: mockkindly.TokenRefused, Token: &mockkindly.TokenReport{Result: refused}}, nil, reports.MomentVerify, false, "refuses the token: TOK-EXP: exp is past. TOK-TYP"},
		"taken, though unsafe":     {mockkindly.Event{Kind: mockkindly.TokenAccepted, Token: &mockkindly.TokenReport{Result: unsafe}}, nil, reports.MomentVerify, true, "accepts the token: TOK-SECRETS: a password"},
	} {
		t.Run(name, func(t *testing.T) {
			m, told := happened(row.event, row.later)
			if text := m.Title + ": " + m.Detail; !told || m.Kind != row.kind || m.OK != row.ok || !strings.Contains(text, row.says) {
				t.Errorf("told %v: %+v, want %s, ok %v and %q", told, m, row.kind, row.ok, row.says)
			}
		})
	}
	if m, told := happened(settled("token", ""), nil); told {
		t.Errorf("the end of a call is told apart from the call: %+v", m)
	}
}

func TestFailuresOfThePageAsMoments(t *testing.T) {
	got := pageErrors(browser.Record{
		Exceptions: []browser.Exception{{Text: "TypeError: boom", At: noon}},
		Requests: []browser.Request{
			{Method: "GET", URL: "https://a.example/?token=s3cr3t", Status: 404, Started: noon},
			{Method: "POST", URL: "https://b.example/", CORSError: "MissingAllowOriginHeader", Error: "net::ERR_FAILED", Started: noon},
			{Method: "GET", URL: "https://c.example/", BlockedReason: "csp", Started: noon},
			{Method: "POST", URL: "https://bot.kindly.ai/", Status: 422, Kindly: true, Started: noon},
			{Method: "GET", URL: "https://d.example/", Status: 200, Started: noon},
		},
		Console: []browser.ConsoleEntry{{Level: "error", Source: "console-api", Text: "oh no", At: noon}, {Level: "error", Source: "network", At: noon}, {Level: "log", At: noon}},
	})
	var lines []string
	for _, m := range got {
		if m.OK || m.Kind != reports.MomentError {
			t.Errorf("%+v", m)
		}
		lines = append(lines, m.Title+": "+m.Detail)
	}
	want := []string{"The page threw: TypeError: boom", "A request failed: GET https://a.example/?token=[removed]: status 404",
		"A request was refused by CORS: POST https://b.example/: MissingAllowOriginHeader", "A request was blocked (csp): GET https://c.example/",
		"The console shows an error: oh no"}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestStoriesAreBoundedOrderedAndWithoutSecrets(t *testing.T) {
	s := &Session{Redact: &redactor{}, Target: target.Target{PageURL: "https://staging.example.com/?preview_token=s3cr3t1"}}
	s.Redact.Learn("hunter2")
	s.tellVisit(noon.Add(time.Hour), nil, errors.New("typing hunter2 failed"))
	for i := range 2 * maxMoments {
		s.tell(reports.Moment{At: noon.Add(-time.Duration(i) * time.Second), Title: "hunter2 " + strings.Repeat("x", 2*maxTitle), Detail: "eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0.c2ln"})
	}
	moments, _ := s.Timeline()
	if len(moments) != maxMoments || !strings.Contains(moments[maxMoments-1].Title, "Could not look at") {
		t.Errorf("%d moments, the last one %+v", len(moments), moments[len(moments)-1])
	}
	for i, m := range moments {
		if text := m.Title + m.Detail; strings.Contains(text, "hunter2") || strings.Contains(text, "c2ln") || strings.Contains(text, "s3cr3t1") || len(m.Title) > maxTitle+20 {
			t.Fatalf("moment %d shows %q", i, text)
		}
		if i > 0 && m.At.Before(moments[i-1].At) {
			t.Fatalf("moment %d is before the one that it follows", i)
		}
	}
}

func TestWhatAPictureMustNotShow(t *testing.T) {
	r := &redactor{}
	r.Learn("hunter2")
	for text, want := range map[string]bool{
		"Your password is hunter2":                            true,
		"eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0.":                true,
		"key: 0123456789abcdef0123456789abcdef":               true,
		"Logged in as Ada Lovelace":                           false,
		"An ordinary sentence of more than thirty characters": false,
		"https://staging.example.com/a/b":                     false,
	} {
		if got := r.Covers(text); got != want {
			t.Errorf("%q is covered: %v", text, got)
		}
	}
}
