package browser

import (
	"slices"
	"strings"
	"testing"
)

// Users get tabs of their own; another one would show as an empty window.
func TestNoTabIsOpenedAtTheStart(t *testing.T) {
	for _, headed := range []bool{false, true} {
		args := flags(Options{Headed: headed}, "profile")
		isPage := func(arg string) bool { return !strings.HasPrefix(arg, "--") }
		if !slices.Contains(args, "--no-startup-window") || slices.ContainsFunc(args, isPage) {
			t.Errorf("headed %v: %v", headed, args)
		}
		if slices.Contains(args, "--headless") == headed {
			t.Errorf("headed %v, and the flags say otherwise", headed)
		}
	}
}
