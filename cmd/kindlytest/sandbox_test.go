package main

import (
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

func TestPagesWithoutSandboxAreWarnedOf(t *testing.T) {
	for _, tt := range []struct {
		name, page, browser string
		root, warned        bool
	}{
		{"as root", "https://shop.example/", "", true, true},
		{"as a user", "https://shop.example/", "", false, false},
		{"no page", "", "", true, false},
		{"on this machine", "http://localhost:3000/", "", true, false},
		{"somebody else's Chrome", "https://shop.example/", "ws://chrome/", true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			notes := sandboxNotes(tt.root, target.Target{PageURL: tt.page}, suites.Options{BrowserURL: tt.browser})
			if warned := strings.Contains(strings.Join(notes, "\n"), "no sandbox"); warned != tt.warned {
				t.Errorf("notes %q", notes)
			}
		})
	}
}
