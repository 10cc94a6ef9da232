package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// A table is what was measured.
type table struct{ rows []row }

type row struct {
	what, measured, goal, met string
}

// atMost adds a figure that has an upper bound.
func (t *table) atMost(limit float64, unit, what string, got float64, detail string, args ...any) {
	t.judged(got <= limit, "at most", limit, unit, what, got, fmt.Sprintf(detail, args...))
}

// atLeast adds a figure that has a lower bound.
func (t *table) atLeast(limit float64, unit, what string, got float64, detail string, args ...any) {
	t.judged(got >= limit, "at least", limit, unit, what, got, fmt.Sprintf(detail, args...))
}

func (t *table) judged(met bool, bound string, limit float64, unit, what string, got float64, detail string) {
	r := row{what: what, measured: figure(got) + " " + unit, goal: fmt.Sprintf("%s %s %s", bound, figure(limit), unit), met: "yes"}
	if !met {
		r.met = "**no**"
	}
	if detail != "" {
		r.measured += " (" + detail + ")"
	}
	t.add(r)
}

// stated adds what has no goal.
func (t *table) stated(what, format string, args ...any) {
	t.add(row{what: what, measured: fmt.Sprintf(format, args...)})
}

func (t *table) add(r row) {
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

// The table stands between these lines of the page; the rest is written by
// hand.
const begin, end = "<!-- begin: make bench writes this -->", "<!-- end -->"

func (t *table) write(path string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(page), begin)
	_, after, found := strings.Cut(rest, end)
	if !ok || !found {
		return fmt.Errorf("%s has no place for the table: %s … %s", path, begin, end)
	}
	return os.WriteFile(path, []byte(before+begin+"\n\n"+t.markdown()+"\n"+end+after), 0o644)
}

func (t *table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d cores, %s/%s, %s\n\n", time.Now().Format("2 January 2006"), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	b.WriteString("| what | measured | goal | met |\n|---|---|---|---|\n")
	for _, r := range t.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.what, r.measured, r.goal, r.met)
	}
	return b.String()
}
