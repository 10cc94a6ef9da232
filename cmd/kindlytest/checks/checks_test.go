package checks

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/server"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A hook is a webhook that can be mended, and held.
type hook struct {
	*httptest.Server
	mended atomic.Bool
	held   chan struct{} // nil, or it answers when that is closed
	asked  chan struct{} // something for each request that is held
}

const hmacSecret = "correct-horse-battery"

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{asked: make(chan struct{}, 1000)}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if h.held != nil {
			h.asked <- struct{}{}
			select {
			case <-h.held:
			case <-r.Context().Done():
			}
		}
		if !h.mended.Load() {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, "my secret is "+hmacSecret)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"reply":"Hello"}`)
	}))
	t.Cleanup(h.Close)
	return h
}

func newChecker(t *testing.T, h *hook) *Checker {
	t.Helper()
	c := New(target.Target{Webhooks: []target.Webhook{{Name: "orders", URL: h.URL, Secret: hmacSecret}}},
		suites.Options{Args: []string{"run", "--webhook", h.URL}}, func(run *reports.Run) { run.Target.Branch = "main" })
	t.Cleanup(c.Close)
	return c
}

func start(t *testing.T, c *Checker, only ...string) server.ChecksRun {
	t.Helper()
	run, err := c.Start(only)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// ended waits for the end of the newest run.
func ended(t *testing.T, c *Checker) server.ChecksRun {
	t.Helper()
	late := time.After(time.Minute)
	for {
		changed := c.Changed()
		if run := c.Runs()[0]; run.State != server.ChecksRunning {
			return run
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("it does not end: %+v", c.Runs()[0])
		}
	}
}

func rowOf(t *testing.T, run reports.Run, id string) reports.Check {
	t.Helper()
	i := slices.IndexFunc(run.Checks, func(c reports.Check) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("there is no %s", id)
	}
	return run.Checks[i]
}

func TestARunTellsWhatRunWouldTell(t *testing.T) {
	h := newHook(t)
	c := newChecker(t, h)
	if _, ok := c.Report(""); ok {
		t.Error("there is a report before there was a run")
	}
	first := start(t, c, "RESP-JSON", "resp-status")
	run := ended(t, c)
	if run.ID != first.ID || run.State != server.ChecksDone || run.Verdict != "FAILED" || run.Sentence == "" || run.Summary.Failed != 1 || run.Planned != 2 {
		t.Errorf("the run is %+v", run)
	}
	rows := c.Rows(run.ID, 0)
	if len(rows) != 2 || len(c.Rows(run.ID, 1)) != 1 || len(c.Rows(run.ID, 99)) != 0 {
		t.Errorf("the rows are %+v", rows)
	}
	for _, row := range rows {
		if row.ID == "RESP-JSON" && (row.Outcome != reports.Failed || row.Broken == "" || row.Consequence == "") {
			t.Errorf("live, the row is %+v", row)
		}
		if row.Actual+row.Fix != "" || len(row.Evidence) > 0 {
			t.Errorf("live, the row has what the target said: %+v", row)
		}
	}
	report, ok := c.Report(run.ID)
	row := rowOf(t, report, "RESP-JSON")
	if !ok || row.Fix == "" || len(row.Evidence) == 0 || report.Target.Branch != "main" || !strings.Contains(row.Repeat, "kindlytest run --webhook") {
		t.Errorf("the report's row is %+v", row)
	}

	h.mended.Store(true)
	start(t, c, "RESP-JSON")
	if run := ended(t, c); run.Verdict != "PASSED" {
		t.Errorf("mended, the run is %+v", run)
	}
	known, _ := c.Report("")
	if mended, kept := rowOf(t, known, "RESP-JSON"), rowOf(t, known, "RESP-STATUS"); mended.Outcome != reports.Passed || kept.Outcome != reports.Passed || kept.AsOf.IsZero() {
		t.Errorf("together they know %+v and %+v", mended, kept)
	}
	text, err := json.Marshal([]any{c.Runs(), c.Rows(run.ID, 0), report, known, c.Offer()})
	if err != nil || strings.Contains(string(text), hmacSecret) {
		t.Errorf("%v: the secret is shown", err)
	}
}

func TestOneRunAtATimeWhichCanBeStopped(t *testing.T) {
	h := newHook(t)
	h.held = make(chan struct{})
	c := newChecker(t, h)
	run := start(t, c, "RESP")
	<-h.asked
	if _, err := c.Start(nil); err == nil || !err.(*server.ChecksError).Busy {
		t.Errorf("another one begins beside it: %v", err)
	}
	if _, ok := c.Stop("99"); ok {
		t.Error("a run that never was is stopped")
	}
	if _, ok := c.Stop(run.ID); !ok {
		t.Error("the run is not known")
	}
	if run := ended(t, c); run.State != server.ChecksStopped || len(run.Running) > 0 {
		t.Errorf("it ended as %+v", run)
	}
	if report, ok := c.Report(run.ID); !ok || !strings.Contains(report.Problem, "interrupted") {
		t.Errorf("its report says %q", report.Problem)
	}
	if _, ok := c.Report(""); ok {
		t.Error("what was stopped counts as known")
	}
	close(h.held)
	start(t, c, "RESP-STATUS")
	ended(t, c)

	if _, err := c.Start([]string{"RESP-JSN"}); err == nil || err.(*server.ChecksError).Busy || !strings.Contains(err.Error(), "did you mean RESP-JSON?") {
		t.Errorf("a slip of the pen: %v", err)
	}
}

func TestCloseEndsWhatRuns(t *testing.T) {
	h := newHook(t)
	h.held = make(chan struct{})
	c := newChecker(t, h)
	start(t, c)
	<-h.asked
	c.Close()
	if run := c.Runs()[0]; run.State != server.ChecksStopped {
		t.Errorf("it is %+v", run)
	}
	if _, err := c.Start(nil); err == nil {
		t.Error("a run begins after the end")
	}
}

func TestTheNewestRunsAreRemembered(t *testing.T) {
	h := newHook(t)
	h.mended.Store(true)
	c := newChecker(t, h)
	for range remembered + 2 {
		start(t, c, "RESP-STATUS")
		ended(t, c)
	}
	runs := c.Runs()
	if len(runs) != remembered || runs[0].ID != "12" || runs[remembered-1].ID != "3" {
		t.Errorf("%d runs, %s to %s", len(runs), runs[0].ID, runs[len(runs)-1].ID)
	}
	if _, ok := c.Report("1"); ok {
		t.Error("the first report is still there")
	}
}

func TestOfferSaysWhatToAdd(t *testing.T) {
	offer := newChecker(t, newHook(t)).Offer()
	var hints []string
	for _, l := range offer.Lacks {
		hints = append(hints, l.Hint)
	}
	for _, want := range []string{"serve --page URL", "--private-key FILE"} {
		if !strings.Contains(strings.Join(hints, "\n"), want) {
			t.Errorf("%q is not in %q", want, hints)
		}
	}
	n := 0
	for _, a := range offer.Areas {
		n += len(a.Checks)
	}
	if n != len(suites.Checks()) || offer.Target.Webhooks[0].Name != "orders" {
		t.Errorf("%d checks of %+v", n, offer.Target)
	}
}
