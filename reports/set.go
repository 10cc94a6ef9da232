package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// A Set is the runs against several targets, with one verdict. Its JSON form is
// told from that of a single run by its member "runs".
type Set struct {
	Schema     int       `json:"schema"`
	Tool       Tool      `json:"tool"`
	Started    time.Time `json:"started"`
	DurationMS int64     `json:"duration_ms"` // from the first start to the last end
	// ExitCode is the gravest of the runs': a failure (1) outranks what could
	// not be found out (2), and that outranks success.
	ExitCode int   `json:"exit_code"`
	Runs     []Run `json:"runs"`
	// Shard is the part of a whole that it is the report of; nil for the whole.
	Shard *Shard `json:"shard,omitempty"`
}

// NewSet makes one verdict of finished runs. No runs at all are no success.
func NewSet(runs []Run) Set {
	s := Set{Schema: SchemaVersion, ExitCode: 2, Runs: runs}
	var end time.Time
	for i, r := range runs {
		if i == 0 {
			s.Tool, s.Started, s.ExitCode = r.Tool, r.Started, r.ExitCode
		}
		if r.Started.Before(s.Started) {
			s.Started = r.Started
		}
		if e := r.Started.Add(time.Duration(r.DurationMS) * time.Millisecond); e.After(end) {
			end = e
		}
		s.ExitCode = graver(s.ExitCode, r.ExitCode)
	}
	if len(runs) > 0 {
		s.DurationMS = end.Sub(s.Started).Milliseconds()
	}
	return s
}

// graver is the exit code that counts of two.
func graver(a, b int) int {
	for _, code := range []int{1, 2} {
		if a == code || b == code {
			return code
		}
	}
	return 0
}

func writeSetJSON(w io.Writer, s Set) error {
	s.Schema = SchemaVersion
	if s.Runs == nil {
		s.Runs = []Run{}
	}
	for i := range s.Runs {
		if s.Runs[i].Checks == nil {
			s.Runs[i].Checks = []Check{}
		}
	}
	return writeJSON(w, s)
}

// ReadSet reads what Write wrote as JSON of a set or of a run; several says which. It is
// as strict as ReadJSON, and counts summaries and exit codes anew. Of a set it reads
// MaxSetSize bytes at most.
func ReadSet(r io.Reader) (s Set, several bool, err error) {
	data, err := readReport(r, MaxSetSize)
	if err != nil {
		return Set{}, false, err
	}
	if !isSet(data) {
		if len(data) > MaxSize {
			return Set{}, false, tooLarge(MaxSize)
		}
		run, err := parseRun(data)
		return NewSet([]Run{run}), false, err
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return Set{}, true, fmt.Errorf("read the report: %w", err)
	}
	for i := range s.Runs {
		if err := validate(s.Runs[i]); err != nil {
			return Set{}, true, fmt.Errorf("read the report: runs[%d]: %w", i, err)
		}
		s.Runs[i].Finish()
	}
	if s.Shard == nil {
		return NewSet(s.Runs), true, nil
	}
	if err := s.Shard.validate(); err != nil {
		return Set{}, true, fmt.Errorf("read the report: %w", err)
	}
	read := NewShard(s.Runs, s.Shard)
	if len(s.Runs) == 0 { // no run tells it
		read.Tool, read.Started = s.Tool, s.Started
	}
	return read, true, nil
}

// isSet says whether a report holds several runs.
func isSet(data []byte) bool {
	var head struct {
		Runs json.RawMessage `json:"runs"`
	}
	return json.Unmarshal(data, &head) == nil && head.Runs != nil
}

var errSeveral = errors.New("it holds the runs of several targets; each one's own report is beside it, in NAME/report.json")

// setWriters are the forms in which a set is written as one file. SARIF is one a
// target: code scanning tells uploads apart by their category.
var setWriters = map[Format]func(io.Writer, Set) error{
	JSON: writeSetJSON, JUnit: writeSetJUnit, HTML: writeSetHTML, Markdown: writeSetMarkdown,
}

func (s Set) write(w io.Writer, format Format) error { return setWriters[format](w, s) }

func (s Set) has(format Format) bool { return setWriters[format] != nil }

// parts are the runs, if each can have a folder of its own, named after its target.
func (s Set) parts() ([]Run, error) { return s.Runs, s.foldersOf() }

// foldersOf refuses targets whose name is not that of a folder of their own.
func (s Set) foldersOf() error {
	seen := map[string]bool{}
	for _, run := range s.Runs {
		name := run.Target.Name
		if !filepath.IsLocal(name) || name == "." || strings.ContainsAny(name, `/\:`) {
			return fmt.Errorf("the target's name %q can't be that of a folder", name)
		}
		if seen[strings.ToLower(name)] {
			return fmt.Errorf("two targets are called %q", name)
		}
		seen[strings.ToLower(name)] = true
	}
	return nil
}

// writeSetJUnit writes all runs as one JUnit document: the suites of each run
// carry its target's name.
func writeSetJUnit(w io.Writer, s Set) error {
	doc := xmlSuites{Name: "kindlytest", Time: seconds(s.DurationMS)}
	for _, run := range s.Runs {
		for _, suite := range junitSuites(run) {
			suite.Name = run.Target.Name + "." + suite.Name
			doc.add(suite)
		}
	}
	return writeXML(w, doc)
}

// writeSetMarkdown writes the one verdict and a line a target, and then each run
// as writeMarkdown does, as far as there is room.
func writeSetMarkdown(w io.Writer, s Set) error {
	var m markdown
	v := s.verdict()
	var b strings.Builder
	fmt.Fprintf(&b, "## %s kindlytest: %s\n\n**%s**\n\n**Result:** %s\n\n| Target | Result |\n| --- | --- |\n", markdownSymbol(v.Level), v.Word, inline(s.sentence(), maxMarkdownText), v.Detail)
	for _, run := range s.Runs {
		v := verdictOf(run)
		fmt.Fprintf(&b, "| %s | %s %s: %s |\n", code(run.Target.Name, maxMarkdownCell), markdownSymbol(v.Level), v.Word, inline(v.Detail, maxMarkdownCell))
	}
	m.add(b.String(), false)
	for _, run := range s.Runs {
		m.add(fmt.Sprintf("\n---\n\n# %s\n\n", code(run.Target.Name, maxMarkdownCell)), false)
		m.sections(run)
	}
	m.end()
	if _, err := io.WriteString(w, m.b.String()); err != nil {
		return fmt.Errorf("write the Markdown report: %w", err)
	}
	return nil
}
