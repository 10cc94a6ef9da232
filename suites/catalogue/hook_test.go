package catalogue

import (
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// A webhook that fails on a forged token has not believed it, and is not told so.
func TestAnErrorIsNotToldAsABelief(t *testing.T) {
	if v := refusal("alg none", subject.Evidence{}, oracle.Judgement{Class: oracle.Error}); v.Kind != subject.Broken || !strings.Contains(v.Broken, "error") || !strings.Contains(v.Advice, "401") {
		t.Errorf("an error: %+v", v)
	}
	if v := refusal("alg none", subject.Evidence{}, oracle.Judgement{Class: oracle.Believed}); v.Kind != subject.Broken || v.Broken != "" || v.Advice != "" {
		t.Errorf("a belief: %+v", v)
	}
}

func TestATokenIsLookedForWithoutWhatIsAroundIt(t *testing.T) {
	const compact = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0abc.c2lnbmF0dXJl"
	for given, want := range map[string]string{
		compact: compact, compact + "\n": compact, `"` + compact + `"`: compact, "Bearer " + compact: compact, "7f3a": "7f3a",
	} {
		if got := coreOf(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}
