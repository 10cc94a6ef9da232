// Package figures is the tables that cmd/bench and cmd/attack print, and write
// into pages of the documentation.
package figures

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// A Table is what was measured.
type Table struct {
	by   string // says what writes it, in the page
	rows []row
}

const yes, no = "yes", "**no**"

type row struct {
	what, measured, goal, met string
}

// AtMost adds a figure that has an upper bound.
func (t *Table) AtMost(limit float64, unit, what string, got float64, detail string, args ...any) {
	t.judged(got <= limit, "at most", limit, unit, what, got, fmt.Sprintf(detail, args...))
}

// AtLeast adds a figure that has a lower bound.
func (t *Table) AtLeast(limit float64, unit, what string, got float64, detail string, args ...any) {
	t.judged(got >= limit, "at least", limit, unit, what, got, fmt.Sprintf(detail, args...))
}

func (t *Table) judged(met bool, bound string, limit float64, unit, what string, got float64, detail string) {
	measured := figure(got) + " " + unit
	if detail != "" {
		measured += " (" + detail + ")"
	}
	t.Judge(met, what, measured, fmt.Sprintf("%s %s %s", bound, figure(limit), unit))
}

// Judge adds what was judged elsewhere.
func (t *Table) Judge(met bool, what, measured, goal string) {
	r := row{what: what, measured: measured, goal: goal, met: yes}
	if !met {
		r.met = no
	}
	t.add(r)
}

// Stated adds what has no goal.
func (t *Table) Stated(what, format string, args ...any) {
	t.add(row{what: what, measured: fmt.Sprintf(format, args...)})
}

func (t *Table) add(r row) {
	t.rows = append(t.rows, r)
	fmt.Printf("%-62s %s", r.what, r.measured)
	if r.goal != "" {
		fmt.Printf("   [%s: %s]", r.goal, strings.Trim(r.met, "*"))
	}
	fmt.Println()
}

// figure prints three digits, of large numbers all.
func figure(f float64) string {
	switch {
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

// missed is how many figures miss their goal.
func (t *Table) missed() int {
	n := 0
	for _, r := range t.rows {
		if r.met == no {
			n++
		}
	}
	return n
}

// write puts the table into a page, between two comments; the rest is written by
// hand.
func (t *Table) write(path string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin, end := "<!-- begin: "+t.by+" writes this -->", "<!-- end: "+t.by+" -->"
	before, rest, ok := strings.Cut(string(page), begin)
	_, after, found := strings.Cut(rest, end)
	if !ok || !found {
		return fmt.Errorf("%s has no place for the table: %s … %s", path, begin, end)
	}
	return os.WriteFile(path, []byte(before+begin+"\n\n"+t.markdown()+"\n"+end+after), 0o644)
}

func (t *Table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d cores, %s/%s, %s\n\n", time.Now().Format("2 January 2006"), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	b.WriteString("| what | measured | goal | met |\n|---|---|---|---|\n")
	for _, r := range t.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.what, r.measured, r.goal, r.met)
	}
	return b.String()
}
