package main

import (
	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/checks"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/reports"
)

// checker runs what kindlytest run would, on what serve was told.
func (a *app) checker(c *config.Config, fs *pflag.FlagSet, f *serveFlags) *checks.Checker {
	o := c.Options
	o.Version, o.BrowserPath = ownVersion(), f.browser
	if fs.Changed("timeout") {
		o.Timeout = f.timeout
	}
	if fs.Changed("safe") {
		o.Safe = f.safe
	}
	o.Args = f.runArgs(fs)
	return checks.New(c.Target, o, func(run *reports.Run) { a.origin(run, f.used) })
}

// onlyServes are flags of serve that run does not have.
var onlyServes = []string{"page", "open", "headless", "db", "db-sync", "app-webhook", "listen", "host", "config"}

// runArgs is the command line of run that checks the same.
func (f *serveFlags) runArgs(fs *pflag.FlagSet) []string {
	words := []string{"run"}
	switch {
	case f.page != "":
		words = append(words, f.page)
	case f.open != "":
		words = append(words, f.open)
	}
	if f.used != "" {
		words = append(words, "--config", f.used)
	}
	return repeatable(words, fs, onlyServes...)
}
