package suites_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// Who greets by a claim that the token does not have says "Hello undefined", and no
// requirement forbids it: it is told, and accuses nobody.
func TestAGapInTheAnswerToAMemberIsTold(t *testing.T) {
	t.Parallel()
	for claim, told := range map[string]bool{"": false, "given_name_of_nobody": true} {
		t.Run("claim "+claim, func(t *testing.T) {
			t.Parallel()
			h := plain()
			h.name = claim
			shop := targetOf(t, h)
			shop.Endpoint, shop.PublicKeys = endpointThatSigns(t, 300), []*token.Key{publicOf(t)}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK-VALID", "SIG-VALID"}})
			tells := func(n reports.Note) bool { return strings.Contains(n.Text, "what the token does not have") }
			if slices.ContainsFunc(run.Notes, tells) != told || len(failed(run)) > 0 {
				t.Errorf("notes %v, failed %v", run.Notes, failed(run))
			}
		})
	}
}
