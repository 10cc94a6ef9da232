//go:build unix

package main

import (
	"testing"

	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/suites"
)

// TestHabitsNameChecks keeps the literals of habits and those of checks together.
func TestHabitsNameChecks(t *testing.T) {
	for row, ids := range observed.Leaning() {
		for _, id := range ids {
			if _, ok := suites.Find(id); !ok {
				t.Errorf("%s names the check %s, which is not there", row, id)
			}
		}
	}
}
