package server

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/reports"
)

// Checks are those of kindlytest run, which pages and tests start beside the mock:
// one run at a time. All of its values are shown as they are: whoever gives them
// leaves out what is secret.
type Checks interface {
	// Offer is what can be checked, and what the target lacks for some of it.
	Offer() ChecksOffer
	// Start begins a run of the checks that any of the patterns (IDs, areas or globs)
	// selects; of all without a pattern. Its error is a *ChecksError.
	Start(only []string) (ChecksRun, error)
	// Stop ends a run; one that has ended stays as it is.
	Stop(id string) (ChecksRun, bool)
	// Runs are those that are remembered, the newest first.
	Runs() []ChecksRun
	// Rows are the checks of a run that have ended, from the n-th on, without what
	// they saw, which may hold what the run has yet to learn is secret.
	Rows(id string, n int) []reports.Check
	// Report is that of a run that has ended; with "" what the newest of them have
	// found together.
	Report(id string) (reports.Run, bool)
	// Changed is closed when there is more to see.
	Changed() <-chan struct{}
}

// A ChecksError says why a run does not begin.
type ChecksError struct {
	Problem string
	Busy    bool // another run is under way; the request itself may be right
}

func (e *ChecksError) Error() string { return e.Problem }

// A ChecksOffer is what can be checked.
type ChecksOffer struct {
	Target reports.Target `json:"target"`
	Areas  []ChecksArea   `json:"areas"`
	Lacks  []ChecksLack   `json:"lacks"`
}

// A ChecksArea is a part of the checks that is run together.
type ChecksArea struct {
	ID     string       `json:"id"`
	Name   string       `json:"name"`
	Checks []ChecksRule `json:"checks"`
}

// A ChecksRule is a requirement, in the words of a report.
type ChecksRule struct {
	ID          string `json:"id"`
	Level       string `json:"level"`
	Requirement string `json:"requirement"`
	Broken      string `json:"broken"`      // the sentence for when it does not hold
	Consequence string `json:"consequence"` // what can happen then
	Help        string `json:"help"`        // what to do about it
	Source      string `json:"source"`
}

// A ChecksLack is something that serve was not told, and the checks that can't be
// judged for it.
type ChecksLack struct {
	Hint   string   `json:"hint"` // what is missing, and how to add it
	Checks []string `json:"checks"`
}

// A ChecksRun is a run of checks, and how far it has come.
type ChecksRun struct {
	ID         string          `json:"id"`
	State      string          `json:"state"` // running, done or stopped
	Only       []string        `json:"only"`  // what it was asked for; all if empty
	Started    time.Time       `json:"started"`
	DurationMS int64           `json:"duration_ms"`
	Planned    int             `json:"planned"` // checks that were asked for
	Running    []string        `json:"running"` // IDs under way, the oldest first
	Summary    reports.Summary `json:"summary"` // of those that have ended
	// Verdict and Sentence are those of the report, when it has ended.
	Verdict  string `json:"verdict,omitempty"`
	Sentence string `json:"sentence,omitempty"`
}

// The states of a run.
const (
	ChecksRunning = "running"
	ChecksDone    = "done"
	ChecksStopped = "stopped"
)

// withChecks is a handler of a mock that offers checks.
func (s *server) withChecks(h func(Checks, http.ResponseWriter, *http.Request) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if s.opts.Checks == nil {
			return newProblem(http.StatusNotFound, "no-checks", "No checks here", "This mock offers no checks: kindlytest serve does.")
		}
		return h(s.opts.Checks, w, r)
	}
}

func (s *server) getChecks(c Checks, w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, struct {
		ChecksOffer
		Runs []ChecksRun `json:"runs"`
	}{c.Offer(), c.Runs()})
}

// maxPatterns bounds what one run is asked for.
const maxPatterns = 200

func (s *server) postChecksRun(c Checks, w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Only []string `json:"only"`
	}
	if err := decodeAdmin(w, r, &in); err != nil {
		return err
	}
	if len(in.Only) > maxPatterns {
		return inputErrorf("only", "more than %d patterns", maxPatterns)
	}
	run, err := c.Start(in.Only)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusAccepted, run)
}

// getChecksRun answers when the run has ended, or after timeout_ms.
func (s *server) getChecksRun(c Checks, w http.ResponseWriter, r *http.Request) error {
	ms, err := number(r.URL.Query().Get("timeout_ms"), 0)
	if err != nil || ms > maxWait {
		return inputErrorf("timeout_ms", "not a number up to %d", maxWait)
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(ms)*time.Millisecond)
	defer cancel()
	for {
		changed := c.Changed() // before looking: what comes later wakes us
		run, err := checksRun(c, r.PathValue("run"))
		if err != nil {
			return err
		}
		if run.State == ChecksRunning && ctx.Err() == nil {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
			case <-s.kindly.Done():
			}
		}
		return writeJSON(w, http.StatusOK, run)
	}
}

func checksRun(c Checks, id string) (ChecksRun, error) {
	for _, run := range c.Runs() {
		if run.ID == id {
			return run, nil
		}
	}
	return ChecksRun{}, unknownRun(id)
}

func unknownRun(id string) error {
	return newProblem(http.StatusNotFound, "unknown-run", "Unknown run",
		"There is no run of checks %q. The newest few are remembered, until the mock ends.", clip.Text(id, 64))
}

func (s *server) postChecksStop(c Checks, w http.ResponseWriter, r *http.Request) error {
	run, ok := c.Stop(r.PathValue("run"))
	if !ok {
		return unknownRun(r.PathValue("run"))
	}
	return writeJSON(w, http.StatusOK, run)
}

func (s *server) getChecksReport(c Checks, w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("run") // "" on the path of what is known
	report, ok := c.Report(id)
	switch {
	case ok:
		return writeReport(w, report)
	case id == "":
		return newProblem(http.StatusNotFound, "no-report", "No report", "No run of checks has ended yet.")
	}
	if _, err := checksRun(c, id); err != nil {
		return err
	}
	return newProblem(http.StatusConflict, "still-running", "Still running", "The run has not ended: its report is not there yet.")
}

// writeReport writes what report.json would hold.
func writeReport(w http.ResponseWriter, report reports.Run) error {
	var text bytes.Buffer
	if err := reports.Write(&text, report, reports.JSON); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(redact.Signatures(text.Bytes())) // the caller may be gone
	return nil
}

// getChecksStream tells how the newest run gets on (server-sent events): its state
// when that changes, and each check that has ended, from the first on.
func (s *server) getChecksStream(c Checks, w http.ResponseWriter, r *http.Request) error {
	done, err := s.admitStream(w)
	if err != nil {
		return err
	}
	defer done()
	out := newEventWriter(w)
	place := checksPlace{}
	out.follow(r, s.kindly.Done(), c.Changed, func() error { return place.catchUp(c, out) })
	return nil
}

// A checksPlace is how much of a run a client has been sent.
type checksPlace struct {
	run  string
	rows int
}

// catchUp sends what is new: a run that has begun before its rows, and its state
// after them, so that with its end all of them are there.
func (p *checksPlace) catchUp(c Checks, out *eventWriter) error {
	runs := c.Runs()
	if len(runs) == 0 {
		return out.flush()
	}
	newest := runs[0]
	if newest.ID != p.run {
		*p = checksPlace{run: newest.ID}
		if err := out.sendJSON("begin", newest); err != nil {
			return err
		}
	}
	for _, row := range c.Rows(newest.ID, p.rows) {
		if err := out.sendJSON("check", row); err != nil {
			return err
		}
		p.rows++
	}
	if err := out.sendJSON("run", newest); err != nil {
		return err
	}
	return out.flush()
}

func checksProblem(e *ChecksError) *problem {
	if e.Busy {
		return newProblem(http.StatusConflict, "busy", "Another run is under way", "%s", e.Problem)
	}
	return badRequest("%s", e.Problem)
}
