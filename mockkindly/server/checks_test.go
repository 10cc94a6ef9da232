package server

import (
	"bufio"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/reports"
)

// fakeChecks are checks that a test lets end. The first run has ended.
type fakeChecks struct {
	mu      sync.Mutex
	runs    []ChecksRun // the newest first
	rows    map[string][]reports.Check
	changed chan struct{}
}

func newChecks() *fakeChecks {
	return &fakeChecks{changed: make(chan struct{}), rows: map[string][]reports.Check{"1": {aRow("TOK-ALG")}}, runs: []ChecksRun{
		{ID: "1", State: ChecksDone, Only: []string{}, Started: time.Now(), Planned: 1, Running: []string{}, Verdict: "PASSED", Sentence: "Ready to go live."},
	}}
}

func aRow(id string) reports.Check {
	return reports.Check{ID: id, Area: "TOK", Level: "MUST", Fidelity: "documented", Requirement: "It holds.", Source: "https://docs.example/", Outcome: reports.Passed}
}

func (c *fakeChecks) Offer() ChecksOffer {
	return ChecksOffer{Target: reports.Target{Page: "http://localhost:3000/"}, Areas: []ChecksArea{{ID: "TOK", Name: "Token", Checks: []ChecksRule{{ID: "TOK-ALG", Level: "MUST"}}}},
		Lacks: []ChecksLack{{Hint: "no private key was given", Checks: []string{"HOOK-EXPIRED"}}}}
}

func (c *fakeChecks) Start(only []string) (ChecksRun, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case slices.Contains(only, "NOTHING"):
		return ChecksRun{}, &ChecksError{Problem: `"NOTHING" selects no check.`}
	case c.runs[0].State == ChecksRunning:
		return ChecksRun{}, &ChecksError{Problem: "It has not ended.", Busy: true}
	}
	run := ChecksRun{ID: "2", State: ChecksRunning, Only: append([]string{}, only...), Started: time.Now(), Running: []string{}}
	c.runs = append([]ChecksRun{run}, c.runs...)
	return run, nil
}

func (c *fakeChecks) Stop(id string) (ChecksRun, bool) {
	for _, run := range c.Runs() {
		if run.ID == id {
			return run, true
		}
	}
	return ChecksRun{}, false
}

func (c *fakeChecks) Runs() []ChecksRun {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.runs)
}

func (c *fakeChecks) Rows(id string, n int) []reports.Check {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.rows[id][min(n, len(c.rows[id])):])
}

func (c *fakeChecks) Report(id string) (reports.Run, bool) {
	if id != "" && id != "1" {
		return reports.Run{}, false
	}
	run := reports.Run{Tool: reports.Tool{Name: "kindlytest", Version: "1"}, Started: time.Now(), Checks: []reports.Check{aRow("TOK-ALG")}}
	run.Finish()
	return run, true
}

func (c *fakeChecks) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// change is something that happens.
func (c *fakeChecks) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	close(c.changed)
	c.changed = make(chan struct{})
}

func TestRunsOfChecksAreRefused(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	for _, tt := range []struct {
		name, method, path, body string
		want                     int
		detail                   string
	}{
		{"a selection of nothing", "POST", "/mock/v1/checks/runs", `{"only":["NOTHING"]}`, 400, "selects no check"},
		{"too much is asked for", "POST", "/mock/v1/checks/runs", `{"only":["` + strings.Repeat(`X","`, maxPatterns) + `X"]}`, 400, "more than"},
		{"one that is begun", "POST", "/mock/v1/checks/runs", `{}`, 202, ""},
		{"another beside it", "POST", "/mock/v1/checks/runs", `{}`, 409, "not ended"},
		{"its report, too early", "GET", "/mock/v1/checks/runs/2/report", "", 409, "not ended"},
		{"one that never was", "GET", "/mock/v1/checks/runs/99", "", 404, "no run"},
		{"the report of one that never was", "GET", "/mock/v1/checks/runs/99/report", "", 404, "no run"},
		{"the end of one that never was", "POST", "/mock/v1/checks/runs/99/stop", "", 404, "no run"},
		{"a wait without end", "GET", "/mock/v1/checks/runs/2?timeout_ms=60001", "", 400, "timeout_ms"},
	} {
		w := do(k, tt.method, tt.path, tt.body)
		if w.Code != tt.want || !strings.Contains(w.Body.String(), tt.detail) {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
	}
}

func TestAMockWithoutChecksSaysSo(t *testing.T) {
	k := newMockFor(t, Options{}, mockkindly.Options{})
	for _, rt := range (&server{}).table() {
		if !strings.HasPrefix(rt.path, "/mock/v1/checks") {
			continue
		}
		w := do(k, rt.method, strings.ReplaceAll(rt.path, "{run}", "1"), "")
		if w.Code != 404 || !strings.Contains(w.Body.String(), "offers no checks") {
			t.Errorf("%s %s: %d %s", rt.method, rt.path, w.Code, w.Body)
		}
	}
}

func TestReportOfChecksIsReportJSON(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	for _, path := range []string{"/mock/v1/checks/report", "/mock/v1/checks/runs/1/report"} {
		run, err := reports.ReadJSON(do(k, "GET", path, "").Body)
		if err != nil || len(run.Checks) != 1 {
			t.Errorf("%s: %v, %+v", path, err, run)
		}
	}
}

// TestRunOfChecksIsFollowed reads the stream of a run that goes on, and waits for its end.
func TestRunOfChecksIsFollowed(t *testing.T) {
	checks := newChecks()
	k := newMockFor(t, Options{Checks: checks}, mockkindly.Options{})
	listening := httptest.NewServer(k)
	defer listening.Close()
	res, err := listening.Client().Get(listening.URL + "/mock/v1/checks/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	next := func() (name string, data struct{ ID, State string }) {
		for lines.Scan() {
			if n, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				name = n
			}
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(text), &data); err != nil {
					t.Fatal(err)
				}
				return name, data
			}
		}
		t.Fatal("the stream has ended: ", lines.Err())
		return "", data
	}
	expect := func(want ...string) {
		t.Helper()
		for _, w := range want {
			if name, data := next(); strings.TrimSpace(name+" "+data.ID+" "+data.State) != w {
				t.Errorf("got %s %+v, want %s", name, data, w)
			}
		}
	}
	expect("begin 1 done", "check TOK-ALG", "run 1 done")
	checks.change(func() {
		checks.runs = append([]ChecksRun{{ID: "2", State: ChecksRunning}}, checks.runs...)
		checks.rows["2"] = []reports.Check{aRow("TOK-EXP")}
	})
	expect("begin 2 running", "check TOK-EXP", "run 2 running")
	waited := make(chan string)
	go func() { waited <- do(k, "GET", "/mock/v1/checks/runs/2?timeout_ms=60000", "").Body.String() }()
	checks.change(func() {
		checks.runs[0].State = ChecksDone
		checks.rows["2"] = append(checks.rows["2"], aRow("TOK-IAT"))
	})
	expect("check TOK-IAT", "run 2 done")
	if got := <-waited; !strings.Contains(got, `"state":"done"`) {
		t.Errorf("the wait gave %s", got)
	}
}
