package catalogue

import (
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// TestATokensMistakeIsTheChecksCause: what token.Check recognised is not lost on
// the way to the report.
func TestATokensMistakeIsTheChecksCause(t *testing.T) {
	result := token.Check(`{"error":"not logged in"}`, token.Expect{Now: time.Unix(1_900_000_000, 0)})
	for _, r := range token.Rules() {
		if v := judgeRule(r, result); r.ID == "TOK-COMPACT" && v.Cause != token.TextForToken.ID {
			t.Errorf("%s comes from %q, want %q", r.ID, v.Cause, token.TextForToken.ID)
		}
	}
}
