package runner

import (
	"context"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/catalogue"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// What holds when it is looked at again is flaky, unless once is too often: a belief, a
// leak or a death.
func TestWhatHoldsWhenItIsTriedAgainIsFlaky(t *testing.T) {
	bad := func() subject.Verdict { return subject.Violated("200", "500") }
	good := func() subject.Verdict { return subject.Holds("200") }
	sure := func() subject.Verdict { return bad().Surely() }
	death := func() subject.Verdict { return bad().Surely().Because("process-dies") }
	type try = func() subject.Verdict
	for name, row := range map[string]struct {
		tries   []try // from the first on
		outcome reports.Outcome
		actual  string
		repeats *reports.Repeats
	}{
		"it holds":                       {[]try{good}, reports.Passed, "200", nil},
		"it never holds":                 {[]try{bad, bad}, reports.Failed, "500", nil},
		"it does not once":               {[]try{bad, good, good}, reports.Warned, "flaky: 1 of 3: 500", &reports.Repeats{Seen: 1, Of: 3}},
		"it does not twice":              {[]try{bad, good, bad}, reports.Failed, "flaky: 2 of 3: 500", &reports.Repeats{Seen: 2, Of: 3}},
		"a belief or a leak, once":       {[]try{sure}, reports.Failed, "500", nil},
		"a death, once":                  {[]try{death}, reports.Failed, "500", nil},
		"one that shows at the next try": {[]try{bad, good, sure}, reports.Failed, "500", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := subject.Open(t.Context(), target.Target{}, subject.Options{})
			defer s.Close()
			tried := 0
			c := catalogue.Check{
				Requirement: rule.Rule{ID: "RESP-STATUS", Level: rule.Must, Text: "It answers.", Broken: "It does not answer.", Fix: "Answer."},
				Probe: func(context.Context, *subject.Session) subject.Verdict {
					if tried++; tried > len(row.tries) {
						t.Fatalf("tried %d times", tried)
					}
					return row.tries[tried-1]()
				},
			}
			got := report(s, c, judge(t.Context(), s, c), 0)
			if got.Outcome != row.outcome || got.Actual != row.actual || tried != len(row.tries) {
				t.Errorf("%s, %q after %d tries; want %s, %q after %d", got.Outcome, got.Actual, tried, row.outcome, row.actual, len(row.tries))
			}
			if (got.Repeats == nil) != (row.repeats == nil) || got.Repeats != nil && *got.Repeats != *row.repeats {
				t.Errorf("repeats %v, want %v", got.Repeats, row.repeats)
			}
			if strings.Contains(got.Repeats.String(), "flaky") != (row.repeats != nil) {
				t.Errorf("the report says %q", got.Repeats)
			}
		})
	}
}
