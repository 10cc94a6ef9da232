package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/reports"
)

// aWebhook answers what its test wants, and counts.
type aWebhook struct {
	*httptest.Server
	answer atomic.Value // of string
	asked  atomic.Int64
}

func startWebhook(t *testing.T, answer string) *aWebhook {
	t.Helper()
	h := &aWebhook{}
	h.answer.Store(answer)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(h.answer.Load().(string)))
	}))
	t.Cleanup(h.Close)
	return h
}

// check runs checks of the webhook's answers, which need neither Chrome nor key.
func (h *aWebhook) check(t *testing.T, dir string, args ...string) result {
	t.Helper()
	return runHere(t.Context(), nil, "", append([]string{"run", "--webhook", h.URL + "/kindly", "--report-dir", dir}, args...)...)
}

func readRun(t *testing.T, dir string) reports.Run {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	run, err := reports.ReadJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func rowOf(t *testing.T, run reports.Run, id string) reports.Check {
	t.Helper()
	for _, c := range run.Checks {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("there is no %s", id)
	return reports.Check{}
}

const (
	soundAnswer = `{"reply":"Hello"}`
	noJSON      = `Hello`
)

func TestRunOfSomeChecksUpdatesTheReport(t *testing.T) {
	h, dir := startWebhook(t, noJSON), t.TempDir()
	if out := h.check(t, dir, "--only", "RESP", "--format", "json,html"); out.code != exitBroken {
		t.Fatalf("exit code %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	first := readRun(t, dir)
	if rowOf(t, first, "RESP-JSON").Outcome != reports.Failed {
		t.Fatalf("%+v", rowOf(t, first, "RESP-JSON"))
	}
	h.answer.Store(soundAnswer)
	out := h.check(t, dir, "--only", "RESP-JSON")
	if out.code != exitOK {
		t.Errorf("what was asked for holds, and the exit code is %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	if !strings.Contains(out.stdout, "of earlier runs too") {
		t.Errorf("it does not say what else the report holds:\n%s", out.stdout)
	}
	second := readRun(t, dir)
	now, before := rowOf(t, second, "RESP-JSON"), rowOf(t, second, "RESP-STATUS")
	if now.Outcome != reports.Passed || !now.AsOf.IsZero() {
		t.Errorf("what was looked at: %+v", now)
	}
	if before.Outcome != rowOf(t, first, "RESP-STATUS").Outcome || !before.AsOf.Equal(first.Started) {
		t.Errorf("what was not: %+v, want it as of %s", before, first.Started)
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil || !strings.Contains(string(page), first.Started.Format("2006-01-02 15:04:05 UTC")+"</time></dd>") {
		t.Errorf("the page was not asked for again, and does not say from when its rows are: %v", err)
	}
	// A whole run writes a whole report.
	if h.check(t, dir); strings.Contains(readText(t, dir, "report.json"), `"as_of"`) {
		t.Error("a whole run kept earlier rows")
	}
}

func readText(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLastFailedRunsWhatFailed(t *testing.T) {
	h, dir := startWebhook(t, noJSON), t.TempDir()
	if out := h.check(t, dir, "--last-failed", "--only", "RESP-JSON,RESP-STATUS"); !strings.Contains(out.stderr, "there is no earlier report of this target") {
		t.Errorf("without a report: %s", out.stderr)
	}
	h.answer.Store(soundAnswer)
	out := h.check(t, dir, "--last-failed", "--json")
	if out.code != exitOK || strings.Contains(out.stderr, "all is checked") {
		t.Errorf("exit code %d: %s", out.code, out.stderr)
	}
	run, err := reports.ReadJSON(strings.NewReader(out.stdout))
	if err != nil {
		t.Fatal(err)
	}
	if s := run.Summary; s.Passed != 1 || rowOf(t, run, "RESP-JSON").Outcome != reports.Passed || !rowOf(t, run, "RESP-STATUS").Deselected {
		t.Errorf("not that one alone was run: %+v", s)
	}
	if reason := rowOf(t, run, "RESP-STATUS").Reason; strings.Contains(reason, "--only") {
		t.Errorf("nobody gave --only, and the row says %q", reason)
	}
	if out := h.check(t, dir, "--last-failed", "--only", "RESP-JSON"); !strings.Contains(out.stderr, "nothing failed in the earlier run") || !strings.Contains(out.stdout, "PASSED") {
		t.Errorf("nothing left to run must not be nothing run: %s%s", out.stdout, out.stderr)
	}
}

func TestMaxFailuresEndsARunEarly(t *testing.T) {
	h, dir := startWebhook(t, noJSON), t.TempDir()
	all := h.check(t, filepath.Join(dir, "all"), "--concurrency", "1")
	few := h.check(t, filepath.Join(dir, "few"), "--concurrency", "1", "--max-failures", "1")
	if all.code != exitBroken || few.code != exitBroken {
		t.Fatalf("exit codes %d and %d\n%s", all.code, few.code, few.stdout)
	}
	a, f := readRun(t, filepath.Join(dir, "all")).Summary, readRun(t, filepath.Join(dir, "few"))
	if a.Failed < 2 || f.Summary.Failed != 1 {
		t.Errorf("%d fail in all, and %d of at most one", a.Failed, f.Summary.Failed)
	}
	told := false
	for _, c := range f.Checks {
		told = told || c.Deselected && strings.Contains(c.Reason, "--max-failures")
	}
	if !told {
		t.Error("no row says why it was not run")
	}
}

// Nothing may be sent for a report that can't be written.
func TestTheReportFolderIsTriedFirst(t *testing.T) {
	h := startWebhook(t, soundAnswer)
	file := writeFile(t, "kindlytest-reports", "")
	out := h.check(t, file)
	if out.code != exitUsage || !strings.Contains(out.stderr, "--report-dir: ") || out.stdout != "" || h.asked.Load() > 0 {
		t.Errorf("exit code %d, %d requests\n%s%s", out.code, h.asked.Load(), out.stdout, out.stderr)
	}
}

// What can't be read is not replaced by the report of a part of several targets; one target
// has nothing to lose.
func TestAnEarlierReportThatCannotBeReadIsKept(t *testing.T) {
	h := startWebhook(t, soundAnswer)
	webhook := "webhooks: [{url: " + h.URL + "/kindly}]"
	one := writeFile(t, "kindlytest.yaml", "version: 1\n"+webhook+"\n")
	several := writeFile(t, "kindlytest.yaml", "version: 1\ntargets: [{name: a, "+webhook+"}, {name: b, "+webhook+"}]\n")
	const newer = `{"schema": 999, "runs": []}`
	for _, part := range [][]string{{"--only", "RESP-JSON"}, {"--target", "a"}, {"--last-failed"}} {
		dir := filepath.Dir(writeFile(t, "report.json", newer))
		run := []string{"run", "-c", several, "--report-dir", dir}
		h.asked.Store(0)
		out := runHere(t.Context(), nil, "", append(run, part...)...)
		if out.code != exitUsage || !strings.Contains(out.stderr, "read it with a newer kindlytest") || !strings.Contains(out.stderr, "hint: ") || h.asked.Load() > 0 || readText(t, dir, "report.json") != newer {
			t.Errorf("%q: exit code %d, %d requests\n%s%s", part, out.code, h.asked.Load(), out.stdout, out.stderr)
		}
		if runHere(t.Context(), nil, "", append(run, "--skip", "LIVE,HOOK")...); readText(t, dir, "report.json") == newer {
			t.Error("a run of all does not replace it")
		}
	}
	for _, text := range []string{newer, `{"schema": 1, "checks": [`, "no JSON"} {
		dir := filepath.Dir(writeFile(t, "report.json", text))
		out := runHere(t.Context(), nil, "", "run", "-c", one, "--report-dir", dir, "--only", "RESP-JSON")
		if out.code != exitOK || readText(t, dir, "report.json") == text {
			t.Errorf("%s: exit code %d\n%s", text, out.code, out.stderr)
		}
	}
}

func TestExpectedFailuresEnd(t *testing.T) {
	h, dir := startWebhook(t, noJSON), t.TempDir()
	for _, row := range []struct {
		until   string
		outcome reports.Outcome
		code    int
	}{
		{time.Now().UTC().Format(time.DateOnly), reports.Expected, exitOK}, // to the end of the day
		{"2020-01-31", reports.Failed, exitBroken},
	} {
		file := writeFile(t, "kindlytest.yaml", "version: 1\nwebhooks: [{url: "+h.URL+"/kindly}]\nchecks:\n  expected_failures: [{id: RESP-JSON, reason: OPS-12, until: "+row.until+"}]\n")
		out := runHere(t.Context(), nil, "", "run", "-c", file, "--only", "RESP-JSON", "--report-dir", dir)
		c := rowOf(t, readRun(t, dir), "RESP-JSON")
		if out.code != row.code || c.Outcome != row.outcome || !strings.Contains(c.Reason, "OPS-12") {
			t.Errorf("until %s: exit code %d, %s: %s", row.until, out.code, c.Outcome, c.Reason)
		}
		if row.outcome == reports.Failed && !strings.Contains(out.stdout, "until 2020-01-31") {
			t.Errorf("it does not say that the time is over:\n%s", out.stdout)
		}
	}
	file := writeFile(t, "kindlytest.yaml", "version: 1\nwebhooks: [{url: "+h.URL+"/kindly}]\nchecks:\n  expected_failures: [{id: RESP-JSON, reason: OPS-12, until: soon}]\n")
	if out := runHere(t.Context(), nil, "", "run", "-c", file); out.code != exitUsage || !strings.Contains(out.stderr, `kindlytest.yaml:4:`) || !strings.Contains(out.stderr, `until must be a day such as 2027-01-31, not "soon"`) {
		t.Errorf("exit code %d: %s", out.code, out.stderr)
	}
}
