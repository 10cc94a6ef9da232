package allowlist

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// A Finding is what is wrong with a list of patterns by itself.
type Finding struct {
	Rule                  rule.Rule
	Expected, Actual, Fix string
}

// Judge judges a list of patterns, one finding a requirement at most.
func Judge(patterns []string) []Finding {
	invalid := finder{Finding: Finding{Rule: Patterns, Expected: "host names, or *. before one"}}
	broad := finder{Finding: Finding{Rule: Broad, Expected: "entries that cover your own hosts only"}}
	shared := finder{Finding: Finding{Rule: SharedTenant, Expected: "no wildcard over a shared suffix"}}
	for _, text := range patterns {
		p, err := ParsePattern(text)
		var wrong *PatternError
		switch {
		case errors.As(err, &wrong) && wrong.Broad:
			broad.add(text, wrong.Reason, "")
		case errors.As(err, &wrong):
			invalid.add(text, wrong.Reason, wrong.Suggestion)
		case p.SharedTenant() != "":
			shared.add(text, "anyone can get a name under "+p.SharedTenant(), "")
		}
	}
	var out []Finding
	for _, f := range []finder{invalid, broad, shared} {
		if f.Actual != "" {
			f.Fix = cmp.Or(f.Fix, f.Rule.Fix)
			out = append(out, f.Finding)
		}
	}
	return out
}

// maxListed is how many entries a finding shows.
const maxListed = 3

// maxQuoted is how much of an entry it shows, in bytes.
const maxQuoted = 100

type finder struct {
	Finding
	n int
}

func (f *finder) add(text, reason, suggestion string) {
	f.n++
	switch {
	case f.n == maxListed+1:
		f.Actual += "; and more"
		fallthrough
	case f.n > maxListed:
		return
	case f.n > 1:
		f.Actual += "; "
	}
	f.Actual += fmt.Sprintf("%q: %s", clip.Text(text, maxQuoted), reason)
	if suggestion != "" {
		f.Fix = strings.TrimSpace(f.Fix + fmt.Sprintf(" Write %q instead of %q.", suggestion, clip.Text(text, maxQuoted)))
	}
}
