package suites_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// unjudged are the checks of an endpoint that can't be made of one in such a
// form; all others must come to a verdict.
var unjudged = map[string][]string{
	"query-form":  {"AUTH-BODY-MALFORMED", "AUTH-BODY-TEXT-PLAIN", "AUTH-CHATID-QUERY", "LIVE-AUTH-BODY"},
	"stream-form": {"AUTH-BODY-MALFORMED", "AUTH-BODY-TEXT-PLAIN", "AUTH-CHATID-QUERY", "LIVE-AUTH-BODY"},
	"path-form":   {"AUTH-BODY-MALFORMED", "AUTH-BODY-TEXT-PLAIN", "AUTH-CSRF", "LIVE-AUTH-BODY"},
	"header-form": {"AUTH-BODY-MALFORMED", "AUTH-BODY-TEXT-PLAIN", "AUTH-CSRF", "LIVE-AUTH-BODY"},
	"field-form":  {"AUTH-BODY-TEXT-PLAIN"},
	"parts-form":  {"AUTH-BODY-TEXT-PLAIN"},
	"text-form":   {"AUTH-BODY-TEXT-PLAIN"},
}

// A team may ask for a token and answer in whatever form it likes.
func TestSoundEndpointOfEveryFormIsJudged(t *testing.T) {
	t.Parallel()
	each(t, fixtures.Forms(), fixtures.Manner.String, func(t *testing.T, m fixtures.Manner) {
		target, customer := startReference(t, fixtures.Options{Manner: m})
		target = withSession(t, target, customer)
		o := options(t, target)
		o.Only = []string{"PAGE", "AUTH", "TOK", "LIVE-AUTH-*"}
		run := suites.RunQuietly(t.Context(), target, o)
		if run.Problem != "" {
			t.Errorf("problem: %q", run.Problem)
		}
		noneIs(t, run, reports.Failed, reports.Warned, reports.Errored)
		for _, c := range run.Checks {
			of := strings.HasPrefix(c.ID, "AUTH-") && !strings.HasPrefix(c.ID, "AUTH-CORS-") || strings.HasPrefix(c.ID, "LIVE-AUTH-")
			expected := slices.Contains(unjudged[m.Name], c.ID)
			if skipped := c.Outcome == reports.Skipped; of && skipped != expected {
				t.Errorf("%s is %s, want it to be skipped: %t", c.ID, c.Outcome, expected)
				describe(t, c)
			}
			if c.ID == "AUTH-FORM" {
				usual := slices.Contains([]string{"sends-user", "strict-members", "once-only"}, m.Name)
				if usual != (c.Outcome == reports.Passed) {
					t.Errorf("AUTH-FORM is %s", c.Outcome)
					describe(t, c)
				}
			}
		}
	})
}
