package main

import (
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// sandboxNotes warn of a page that Chrome opens without its sandbox. The page of
// a team's own machine is trusted as much as the machine.
func sandboxNotes(withoutSandbox bool, t target.Target, o suites.Options) []string {
	if !withoutSandbox || t.PageURL == "" || o.BrowserURL != "" || wire.IsLoopback(t.PageURL) {
		return nil
	}
	return []string{"as root Chrome has no sandbox: a page that takes it over is root here. Run kindlytest as another user, or on pages of your own only"}
}

// jobNotes are sandboxNotes of several targets, once.
func jobNotes(jobs []suites.Job) []string {
	for _, j := range jobs {
		if notes := sandboxNotes(browser.WithoutSandbox(), j.Target, j.Options); notes != nil {
			return notes
		}
	}
	return nil
}
