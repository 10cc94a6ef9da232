package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/clientwatch"
	"github.com/kindlytest/kindlytest/internal/observed"
)

// observeClient opens the page with Kindly's own chat client, and puts what it did
// into the file of what is known of the real Kindly.
func (a *app) observeClient(ctx context.Context, fs *pflag.FlagSet, args []string, f *runFlags) error {
	c, err := a.oneTarget(fs, args, f)
	if err != nil {
		return err
	}
	switch {
	case c.Target.PageURL == "":
		return hint.Errorf("kindlytest run PAGE --observe-client", "--observe-client wants the page that has the chat")
	case f.observeFor <= 0:
		return fmt.Errorf("--observe-for must be more than nothing, and is %s", f.observeFor)
	}
	seen, err := a.watchClient(ctx, c, f)
	if err != nil {
		switch {
		case errors.Is(err, clientwatch.ErrNoClient):
			return hint.Errorf("a page that shows it only after a click needs page.steps in kindlytest.yaml", "%w", err)
		case errors.Is(err, clientwatch.ErrNotLoaded):
			return hint.Errorf("look at the page in a browser of this machine; proxy, resolve and ca_file in kindlytest.yaml tell the way out", "%w", err)
		}
		return err
	}
	path := observedPath(c, f)
	known, err := a.observedSoFar(path)
	if err != nil {
		return err
	}
	if before := known.Habits.Client; before != nil {
		seen = before.And(seen)
	}
	known = known.With(&seen)
	known.Tool = "kindlytest " + ownVersion()
	text, err := known.JSON()
	if err != nil {
		return fmt.Errorf("write what was seen: %w", err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return err
	}
	a.showLearnt(known, path)
	return nil
}

// observedPath is the file that run and serve would take.
func observedPath(c *config.Config, f *runFlags) string {
	name := c.ObservedFile
	if name == "" {
		name = observed.DefaultName
	}
	if filepath.IsAbs(name) || f.output.config == "" {
		return name
	}
	return filepath.Join(filepath.Dir(f.output.config), name)
}

// observedSoFar is what a file tells; of one that is not there, nothing.
func (a *app) observedSoFar(path string) (observed.Learnt, error) {
	known, err := config.ReadObserved(config.ReadFile, path)
	if errors.Is(err, fs.ErrNotExist) {
		return observed.NewLearner().Learnt(nil), nil
	}
	if err != nil {
		return observed.Learnt{}, err
	}
	return *known, nil
}

// watchClient opens the page as the first user, with Kindly's hosts as they are.
func (a *app) watchClient(ctx context.Context, c *config.Config, f *runFlags) (observed.Client, error) {
	var none observed.Client
	t, o := c.Target, c.Options
	b, err := browser.Launch(ctx, t.Chrome(browser.Options{Path: o.BrowserPath, URL: o.BrowserURL, Headed: o.Headed, RealKindly: true}))
	if err != nil {
		return none, err
	}
	defer b.Close()
	logIn := browser.Login{}
	if t.Login != nil {
		logIn = *t.Login
	}
	opening, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	user, err := b.NewUser(opening, logIn)
	if err != nil {
		return none, fmt.Errorf("logging in: %w", err)
	}
	defer user.Close()
	return clientwatch.Watch(ctx, user, t.PageURL, clientwatch.Options{For: f.observeFor, Steps: t.PageSteps, Opened: func() {
		fmt.Fprintf(a.stderr, "watching Kindly's own chat client until %s (Ctrl-C ends it)\n", time.Now().Add(f.observeFor).Format(time.TimeOnly))
	}})
}
