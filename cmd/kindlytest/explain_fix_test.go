package main

import (
	"testing"

	"github.com/kindlytest/kindlytest/suites/causes"
)

// Who asks what to do about a cause is told; of the mistakes that an experiment tells
// apart, by what that says.
func TestEachCauseIsExplainedWithItsFix(t *testing.T) {
	for _, c := range causes.All() {
		if explainedCauseOf(c).Fix == "" {
			t.Errorf("%s has none", c.ID)
		}
	}
	for _, id := range []string{"hmac-hex", "callback-opens-window", "webhook-clock"} {
		if c, ok := causes.Find(id); !ok || explainedCauseOf(c).Fix == dependsOnWhatWasSeen {
			t.Errorf("%s says no more than that it depends", id)
		}
	}
}
