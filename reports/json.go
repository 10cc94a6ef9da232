package reports

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/kindlytest/kindlytest/internal/plainjson"
)

// MaxSize bounds what ReadJSON reads, in bytes. Evidence is bounded where it is
// gathered, so that the report of a full run has a few megabytes at most.
const MaxSize = 64 << 20

// MaxSetSize bounds what ReadSet reads: a thousand targets of which most hold.
const MaxSetSize = 256 << 20

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of the JSON form. The caller
// owns the bytes.
func Schema() []byte { return slices.Clone(schema) }

// writeRunJSON writes the canonical form of a finished run, indented, with a final
// newline. Bytes that are no UTF-8 become U+FFFD.
func writeRunJSON(w io.Writer, run Run) error {
	run.Schema = SchemaVersion
	if run.Checks == nil {
		run.Checks = []Check{} // a list, never null
	}
	return writeJSON(w, run)
}

func writeJSON(w io.Writer, report any) error {
	if err := plainjson.Write(CalmJSON(w), report); err != nil {
		return fmt.Errorf("write the JSON report: %w", err)
	}
	return nil
}

// ReadJSON reads what Write wrote as JSON of a run, and reports of schema 1, which know no
// causes. It refuses a newer schema version, a
// check without ID, an unknown outcome, and more than MaxSize bytes. Members
// that it does not know are ignored, for a version may add some. The summary
// and the exit code are counted anew, so that they always agree with the checks.
func ReadJSON(r io.Reader) (Run, error) {
	data, err := readReport(r, MaxSize)
	if err != nil {
		return Run{}, err
	}
	if isSet(data) {
		return Run{}, fmt.Errorf("read the report: %w", errSeveral)
	}
	return parseRun(data)
}

// readReport reads the bytes of a report of this version or an older one.
func readReport(r io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("read the report: %w", err)
	}
	if int64(len(data)) > most {
		return nil, tooLarge(most)
	}
	if err := checkVersion(data); err != nil {
		return nil, fmt.Errorf("read the report: %w", err)
	}
	return data, nil
}

func tooLarge(most int64) error {
	return fmt.Errorf("read the report: it is larger than %d MB", most>>20)
}

func parseRun(data []byte) (Run, error) {
	var run Run
	if err := json.Unmarshal(data, &run); err != nil {
		return Run{}, fmt.Errorf("read the report: %w", err)
	}
	if err := validate(run); err != nil {
		return Run{}, fmt.Errorf("read the report: %w", err)
	}
	run.Finish()
	return run, nil
}

// checkVersion comes before all else: a field that changed its type in another
// version must be reported as another version.
func checkVersion(data []byte) error {
	var head struct {
		Schema *json.Number `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("it is not a JSON report: %w", err)
	}
	if head.Schema == nil {
		return errors.New(`it has no "schema" member, so it is not a report of kindlytest (report.json is)`)
	}
	version, err := head.Schema.Int64()
	switch {
	case err != nil || version < 1:
		return fmt.Errorf("its schema version is %s; this program reads versions 1 to %d", *head.Schema, SchemaVersion)
	case version > SchemaVersion:
		return fmt.Errorf("its schema version is %d, this program reads up to %d: read it with a newer kindlytest", version, SchemaVersion)
	}
	return nil
}

// More than any run has. What a report that is not ours takes to show grows with both.
const mostCauses, mostChecks = 200, 1000

func validate(run Run) error {
	if len(run.Causes) > mostCauses || len(run.Checks) > mostChecks {
		return fmt.Errorf("it has %d causes and %d checks; no run has more than %d and %d", len(run.Causes), len(run.Checks), mostCauses, mostChecks)
	}
	for i, c := range run.Causes {
		if c.ID == "" {
			return fmt.Errorf("causes[%d] has no id", i)
		}
	}
	for i, c := range run.Checks {
		if c.ID == "" {
			return fmt.Errorf("checks[%d] has no id", i)
		}
		if !slices.Contains(Outcomes, c.Outcome) {
			return fmt.Errorf("checks[%d] (%q) has the unknown outcome %q", i, c.ID, string(c.Outcome))
		}
	}
	return nil
}
