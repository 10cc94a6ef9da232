package subject

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// A Chrome that was killed during a login is no matter of selectors.
func TestChromeThatEndedIsNamed(t *testing.T) {
	err := fmt.Errorf("opening the page: %w", &browser.StepError{Number: 2, Action: "click", Selector: "#go", Err: browser.ErrEnded})
	got := new(Session).pageProblem(err)
	if strings.Contains(got.Hint, "selector") || !strings.Contains(got.Hint, "memory") {
		t.Errorf("hint: %s", got.Hint)
	}
}
