package runner

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/suggest"
	"github.com/kindlytest/kindlytest/suites/catalogue"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
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

func nearestID(pattern string) string {
	var candidates []string
	for _, a := range catalogue.Areas() {
		candidates = append(candidates, a.ID)
	}
	for _, c := range catalogue.All() {
		candidates = append(candidates, c.ID())
	}
	return suggest.Word(pattern, candidates)
}

// Deselected says why a check is not to run; "" if it is.
func Deselected(o subject.Options, c catalogue.Check) string {
	if len(o.Only) > 0 {
		if _, ok := matchesAny(o.Only, c.ID()); !ok {
			return "not asked for" // by --only, --last-failed, or on the page of serve
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
func Selects(o subject.Options, c catalogue.Check) bool { return Deselected(o, c) == "" }

// Selected counts the checks that Only, Skip and Safe leave in a run.
func Selected(o subject.Options) int {
	n := 0
	for _, c := range catalogue.All() {
		if Selects(o, c) {
			n++
		}
	}
	return n
}

// Select returns the checks that any of the patterns (IDs, areas or globs) selects, in the
// order of a report; all of them if there is no pattern. The error names the first pattern
// that selects none, and the likeliest that does: a typo must not turn a gate green.
func Select(patterns ...string) ([]catalogue.Check, error) {
	all := catalogue.All()
	for _, p := range patterns {
		if slices.ContainsFunc(all, func(c catalogue.Check) bool { return matches(p, c.ID()) }) {
			continue
		}
		if nearest := nearestID(p); nearest != "" {
			return nil, fmt.Errorf("%q selects no check; did you mean %s?", p, nearest)
		}
		return nil, fmt.Errorf("%q selects no check; `kindlytest list` shows them", p)
	}
	if len(patterns) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(c catalogue.Check) bool {
		_, ok := matchesAny(patterns, c.ID())
		return !ok
	}), nil
}

// Validate says what keeps a target from being checked as the options say.
func Validate(t target.Target, o subject.Options) error {
	if t.Offers()&(target.NeedPage|target.NeedEndpoint|target.NeedWebhook) == 0 {
		return fmt.Errorf("nothing to check: give a page, an auth endpoint or a webhook")
	}
	for _, list := range [][]string{o.Only, o.Skip} {
		if _, err := Select(list...); err != nil {
			return err
		}
	}
	for id := range o.ExpectedFailures {
		if _, ok := catalogue.Find(id); !ok {
			return fmt.Errorf("expected_failures names %q, which is no check; `kindlytest list` shows them", id)
		}
	}
	return nil
}
