// Package reports holds the result of a run, and renders it. JSON is the
// canonical form (schema 2; that of schema 1 is still read); every other format is made from the same value.
//
//	run := reports.Run{…}
//	run.Finish()
//	paths, err := reports.WriteFiles(dir, run, reports.JSON, reports.JUnit)
//
// Terminal shows a run to people while it goes on; ReadJSON reads a report back,
// to render it once more. What a target said is hostile text in every format:
// it is escaped, bounded, and cannot move a cursor, run, or load anything.
//
// The package imports nothing of kindlytest: whoever has a Run can render it.
// A Run carries no credential: whoever fills it redacts first (see Evidence).
package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// SchemaVersion is the version of the JSON form. It changes only when a reader
// of the old form would misread the new one. Schema 2 tells what is wrong by its
// causes; it has every member of schema 1.
const SchemaVersion = 2

// An Outcome is how one check ended.
type Outcome string

const (
	Passed   Outcome = "passed"
	Failed   Outcome = "failed"   // a MUST does not hold
	Warned   Outcome = "warned"   // a SHOULD does not hold, or a MUST holds with a doubt
	Informed Outcome = "info"     // what is INFO does not hold: something to know
	Skipped  Outcome = "skipped"  // a need is missing, or it was deselected; see Reason
	Errored  Outcome = "errored"  // could not run: not the customer's failure
	Expected Outcome = "expected" // failed, and is listed as a known failure
)

// Outcomes in the order in which people want to read them.
var Outcomes = []Outcome{Failed, Errored, Warned, Expected, Informed, Skipped, Passed}

// A Run is one run against one target.
type Run struct {
	Schema int    `json:"schema"`
	Tool   Tool   `json:"tool"`
	Target Target `json:"target"`
	// Config is the file that describes the target, if one does.
	Config     *Place    `json:"config,omitempty"`
	Started    time.Time `json:"started"`
	DurationMS int64     `json:"duration_ms"`
	ExitCode   int       `json:"exit_code"`
	// Problem says why nothing, or not all, could be checked; empty if all could.
	Problem string  `json:"problem,omitempty"`
	Hint    string  `json:"hint,omitempty"` // the way out of Problem
	Strict  bool    `json:"strict,omitempty"`
	Summary Summary `json:"summary"`
	Notes   []Note  `json:"notes,omitempty"` // what the reader should know before the checks
	// Causes are the mistakes that account for what does not hold, gravest first.
	Causes []Cause `json:"causes,omitempty"`
	Checks []Check `json:"checks"`
	// Timeline is the way of the first user's token, oldest first.
	Timeline []Moment `json:"timeline,omitempty"`
	// Screenshot is a data URL of what the page showed when its callback had
	// settled, at most MaxScreenshot bytes; see Screenshot. JSON and HTML have it.
	Screenshot string `json:"screenshot,omitempty"`
}

// Tool names the program that made the run.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Target is what was checked. It holds names and URLs, no credentials.
type Target struct {
	Name     string    `json:"name,omitempty"`
	Page     string    `json:"page,omitempty"`
	Endpoint string    `json:"endpoint,omitempty"` // "POST https://…", as found or configured
	Webhooks []Webhook `json:"webhooks,omitempty"`
	Args     []string  `json:"args,omitempty"` // the run's arguments, to repeat it
	// Stack is what the target seems to be written in: "node-jsonwebtoken".
	Stack      string   `json:"stack,omitempty"`
	StackSigns []string `json:"stack_signs,omitempty"` // what says so: "the header X-Powered-By"
	// Commit and Branch are what was checked, where CI tells it.
	Commit string `json:"commit,omitempty"`
	Branch string `json:"branch,omitempty"`
}

// A Place is a line of a file.
type Place struct {
	Path string `json:"path"`           // relative to the working directory, with slashes
	Line int    `json:"line,omitempty"` // from 1 on; 0 is the whole file
}

// Webhook is one webhook of the target.
type Webhook struct {
	Name      string `json:"name,omitempty"`
	URL       string `json:"url"`
	ConnectTo string `json:"connect_to,omitempty"`
}

// A Note is a remark on the whole run, such as "the private key signs what
// looks like production".
type Note struct {
	Level Outcome `json:"level"` // Warned, Informed or Errored
	Text  string  `json:"text"`
}

// A Severity says how bad a cause is.
type Severity string

// Severities, gravest first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// PlaceSeparator stands between the webhooks that make the same mistake.
const PlaceSeparator = ", "

// A Cause is one mistake, of which failed checks are the symptoms.
type Cause struct {
	ID          string   `json:"id"`          // stable: "webhook-verifies-nothing"
	Title       string   `json:"title"`       // what is wrong, in the customer's words
	Consequence string   `json:"consequence"` // what can happen now
	Severity    Severity `json:"severity"`
	Owner       string   `json:"owner"` // page, endpoint, token, webhook, infrastructure, configuration
	// Confirmed: a check has seen it itself, mostly by an experiment; otherwise it is
	// inferred, from what an answer says or from which checks fail.
	Confirmed bool `json:"confirmed"`
	// Seen is what it was recognised by: "the same request signed in hex is accepted".
	Seen string `json:"seen"`
	// Where names the webhook or the address that it is about, if it is one of several;
	// several webhooks that make the same mistake with [PlaceSeparator] between them.
	Where string `json:"where,omitempty"`
	// Explains lists the checks of this run whose outcome it accounts for.
	Explains []string   `json:"explains"`
	Fix      string     `json:"fix"`
	Sample   *Sample    `json:"sample,omitempty"`
	Repeat   string     `json:"repeat,omitempty"` // the command that repeats it
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Repeats says how often a failure was seen when it was tried again.
type Repeats struct {
	Seen int `json:"seen"` // how often it did not hold
	Of   int `json:"of"`   // how often it was tried
}

// Summary counts the checks by outcome.
type Summary struct {
	Passed   int `json:"passed"`
	Failed   int `json:"failed"`
	Warned   int `json:"warned"`
	Info     int `json:"info"`
	Skipped  int `json:"skipped"`
	Errored  int `json:"errored"`
	Expected int `json:"expected"`
	// Deaths is how often a process of the target died during the run, as far as that could be told: at least.
	Deaths int `json:"deaths,omitempty"`
}

// A Check is one requirement and how it came out.
type Check struct {
	ID       string `json:"id"`
	Area     string `json:"area"`
	Level    string `json:"level"`    // MUST, SHOULD, INFO
	Fidelity string `json:"fidelity"` // documented, observed, assumed
	// Observed is what the team has seen itself of what the requirement rests on.
	Observed    []Observation `json:"observed,omitempty"`
	Requirement string        `json:"requirement"` // the sentence
	Source      string        `json:"source"`
	Help        string        `json:"help,omitempty"` // what to do where it does not hold, whatever the outcome
	Outcome     Outcome       `json:"outcome"`
	Reason      string        `json:"reason,omitempty"`   // of skipped, errored, expected
	Expected    string        `json:"expected,omitempty"` // what a sound target does
	Actual      string        `json:"actual,omitempty"`   // what this one did
	Fix         string        `json:"fix,omitempty"`      // what this one should change
	Sample      *Sample       `json:"sample,omitempty"`   // code that does what Fix says; of failed and warned
	Repeat      string        `json:"repeat,omitempty"`   // the command that repeats only this
	Weak        bool          `json:"weak"`               // passed, but proves less than it should
	DurationMS  int64         `json:"duration_ms"`
	// AsOf is the start of the run that the row is from, where that is an earlier
	// one; see Update.
	AsOf time.Time `json:"as_of,omitzero"`
	// Broken is the requirement as a sentence for when it does not hold, and
	// Consequence what can happen then; of failed and warned.
	Broken      string `json:"broken,omitempty"`
	Consequence string `json:"consequence,omitempty"`
	// Cause is the ID of the cause that accounts for the outcome, if one does.
	Cause string `json:"cause,omitempty"`
	// Severity says how bad it is that the requirement does not hold; where it is
	// empty, the area decides.
	Severity Severity `json:"severity,omitempty"`
	// Deselected: it was skipped because nobody asked for it, not for want of
	// anything.
	Deselected bool `json:"deselected,omitempty"`
	// Witness is the token that the verdict rests on: page, endpoint, repaired,
	// minted; empty where none was needed.
	Witness  string     `json:"witness,omitempty"`
	Repeats  *Repeats   `json:"repeats,omitempty"`
	Evidence []Evidence `json:"evidence,omitempty"`
}

// An Observation is one thing that the team has seen the real Kindly do.
type Observation struct {
	Row     string `json:"row"`               // of kindly-observed.json: "request.timeout"
	By      string `json:"by"`                // "observed by you, 214 deliveries, 3 March 2026"
	Text    string `json:"text"`              // what was seen
	Default string `json:"default,omitempty"` // what kindlytest takes Kindly to do, for all others
	Verdict string `json:"verdict"`           // agrees, differs, new
}

// String is what was seen, and the default beside it.
func (o Observation) String() string {
	if o.Default == "" {
		return o.Text
	}
	return o.Text + " (by default: " + o.Default + ")"
}

// KnownFrom is how it is known that Kindly behaves so.
func (c Check) KnownFrom() string {
	if len(c.Observed) == 0 {
		return c.Fidelity
	}
	return c.Observed[0].By
}

// observed is what was seen, for people.
func (c Check) observed() string {
	var out []string
	for _, o := range c.Observed {
		out = append(out, o.String())
	}
	return strings.Join(out, "; ")
}

// Evidence is one exchange that the verdict rests on, without credentials:
// tokens have no signature, cookies and secrets are replaced.
type Evidence struct {
	At         time.Time `json:"at"`
	Title      string    `json:"title"`
	DurationMS int64     `json:"duration_ms,omitempty"`
	Request    *Request  `json:"request,omitempty"`
	Response   *Response `json:"response,omitempty"`
}

// Request is the request side of an Evidence.
type Request struct {
	Method  string   `json:"method"`
	URL     string   `json:"url"`
	Headers []Header `json:"headers,omitempty"`
	Body    string   `json:"body,omitempty"`
}

// Response is the response side: a status, or an error.
type Response struct {
	Status  int      `json:"status,omitempty"`
	Headers []Header `json:"headers,omitempty"`
	Body    string   `json:"body,omitempty"`
	Error   string   `json:"error,omitempty"`
}

// Header is one header line.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Finish counts the outcomes and sets the exit code:
//
//	0  no MUST failed (and under strict, no SHOULD)
//	1  one did
//	2  nothing was checked, or Problem says why not all could be
//
// A failure outranks a problem: whoever gates on 1 must see it.
//
// A check whose outcome is none of Outcomes counts as errored: what was not
// judged must not look green.
//
// Causes are put in order, gravest first. Deaths are kept: no check counts them.
func (r *Run) Finish() {
	r.Schema = SchemaVersion
	for i := range r.Checks {
		if c := &r.Checks[i]; !slices.Contains(Outcomes, c.Outcome) {
			c.Reason = fmt.Sprintf("the check ended with the unknown outcome %q", string(c.Outcome))
			c.Outcome = Errored
		}
	}
	deaths := max(r.Summary.Deaths, 0)
	r.Summary = summarize(r.Checks)
	r.Summary.Deaths = deaths
	r.Causes = gravestFirst(r.Causes)
	r.ExitCode = r.exitCode()
}

func (r *Run) exitCode() int {
	s := r.Summary
	switch {
	case s.Failed > 0 || r.Strict && s.Warned > 0:
		return 1
	case s.judged() == 0 || r.Problem != "" || s.Errored > 0:
		return 2
	}
	return 0
}
