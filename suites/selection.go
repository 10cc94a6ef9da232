package suites

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/suites/near"
)

// matches says whether a pattern (ID, area or glob; any letter case) selects id.
func matches(pattern, id string) bool {
	pattern = strings.ToUpper(pattern)
	area, _, _ := strings.Cut(id, "-")
	if pattern == id || pattern == area {
		return true
	}
	ok, err := path.Match(pattern, id)
	return err == nil && ok
}

func matchesAny(patterns []string, id string) (string, bool) {
	for _, p := range patterns {
		if matches(p, id) {
			return p, true
		}
	}
	return "", false
}

// ValidateSelection returns an error that names the first pattern that selects
// no check, and a near one that does. A typo must not turn a gate green.
func ValidateSelection(patterns []string) error {
	for _, p := range patterns {
		if selectsSomething(p) {
			continue
		}
		if near := nearestID(p); near != "" {
			return fmt.Errorf("%q selects no check; did you mean %s?", p, near)
		}
		return fmt.Errorf("%q selects no check; `kindlytest list` shows them", p)
	}
	return nil
}

func selectsSomething(pattern string) bool {
	for id := range catalogue {
		if matches(pattern, id) {
			return true
		}
	}
	return false
}

func nearestID(pattern string) string {
	candidates := slices.Clone(Areas)
	for _, c := range Checks() {
		candidates = append(candidates, c.ID())
	}
	return near.Word(pattern, candidates)
}

// deselected says why a check is not to run; "" if it is.
func (o Options) deselected(c Check) string {
	if len(o.Only) > 0 {
		if _, ok := matchesAny(o.Only, c.ID()); !ok {
			return "not selected by --only"
		}
	}
	if p, ok := matchesAny(o.Skip, c.ID()); ok {
		return "deselected by --skip " + p
	}
	if o.Safe && c.Hostile {
		return "left out by --safe: it sends hostile input"
	}
	return ""
}

// Selects says whether Only, Skip and Safe leave a check in a run.
func (o Options) Selects(c Check) bool { return o.deselected(c) == "" }

// Select returns the checks that any of the patterns (IDs, areas or globs)
// selects, in the order of a report; all of them if there is no pattern. The
// errors are those of [ValidateSelection].
func Select(patterns ...string) ([]Check, error) {
	if err := ValidateSelection(patterns); err != nil {
		return nil, err
	}
	var selected []Check
	for _, c := range Checks() {
		if _, ok := matchesAny(patterns, c.ID()); ok || len(patterns) == 0 {
			selected = append(selected, c)
		}
	}
	return selected, nil
}
