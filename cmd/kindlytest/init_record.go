package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/starter"
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/server"
	"github.com/kindlytest/kindlytest/target"
)

// record opens a window, in which the user logs in and opens the chat, and keeps
// what they do there. It ends when they close the window.
func (a *app) record(ctx context.Context, answers *starter.Answers, path string) error {
	if answers.Page == "" {
		return hint.Errorf("--page URL is the page with the chat", "--record is given, but no page")
	}
	if answers.Gate != "" {
		return hint.Errorf("write the file without --record, put the gate's key into it, and add the steps by hand", "--record: the gate would not let the window through")
	}
	var t target.Target
	if err := cmp.Or(applyAuthorities(&t, answers.CAFile), a.applyProxy(&t)); err != nil {
		return err
	}
	b, err := browser.Launch(ctx, t.Chrome(browser.Options{Path: path, Headed: true}))
	if err != nil {
		return hint.Errorf("it takes a Chrome with a window; --browser PATH names one. Without --record the login form is read all the same", "--record: %w", err)
	}
	defer b.Close() // it ends with the process in any case
	from := cmp.Or(answers.Login, answers.Page)
	fmt.Fprintf(a.stderr, "Log in at %s, go to the page with the chat, open the chat, and close the window.\n", printable(from))
	deeds, err := accompany(ctx, b, from, func(*browser.Page) {})
	if err != nil {
		return fmt.Errorf("--record: %w", err)
	}
	for _, lost := range keepDeeds(answers, from, deeds) {
		fmt.Fprintln(a.stderr, "note: "+printable(lost))
	}
	return nil
}

// accompany opens a page for somebody, and returns what they did until they closed
// it. opened is called when they can begin.
func accompany(ctx context.Context, b *browser.Browser, url string, opened func(*browser.Page)) ([]browser.Deed, error) {
	kindly, err := mockkindly.New(mockkindly.Options{AnyBot: &mockkindly.Bot{}})
	if err != nil {
		return nil, err
	}
	defer kindly.Close()
	opening, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	user, err := b.NewUser(opening, browser.Login{})
	if err != nil {
		return nil, err
	}
	told := make(chan browser.Deed)
	ended := make(chan struct{})
	defer close(ended)
	page, err := user.Accompany(opening, url, server.New(kindly, server.Options{}), func(d browser.Deed) {
		select {
		case told <- d:
		case <-ended:
		}
	})
	if err != nil {
		return nil, err
	}
	go opened(page)
	var deeds []browser.Deed
	for {
		select {
		case d := <-told:
			deeds = append(deeds, d)
		case <-page.Gone():
			return deeds, nil
		case <-b.Done():
			return deeds, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// keepDeeds makes steps of what was done: of a login all up to the last field, and from
// there until the visitor comes to the page, and of the page what was done there after.
// lost are sentences about what steps can't do, or nobody can tell the place of.
func keepDeeds(answers *starter.Answers, from string, deeds []browser.Deed) (lost []string) {
	onPage := func(i int) bool { return samePage(deeds[i].URL, answers.Page) }
	last := -1 // the deed that ends the login
	for i, d := range deeds {
		if d.Kind == "fill" && slices.Contains([]string{"user", "password", "code"}, d.Field) {
			last = i
		}
	}
	if last >= 0 {
		for last+1 < len(deeds) && deeds[last+1].Kind == "fill" && onPage(last+1) == onPage(last) {
			last++
		}
		if last+1 < len(deeds) && onPage(last) {
			last++ // what submits a form of the page itself
		}
		for last+1 < len(deeds) && !onPage(last+1) {
			last++
		}
	}
	for i, d := range deeds {
		switch {
		case d.Within != "":
			lost = append(lost, fmt.Sprintf("the %s of %s is in a frame of another origin (%s): add the step by hand, as \"FRAME >>> %s\", with the frame's selector for FRAME", d.Kind, d.Within, d.URL, d.Within))
		case d.Selector == "":
			lost = append(lost, fmt.Sprintf("the %s at %s is on what no selector finds: add the step by hand", d.Kind, d.URL))
		case i <= last:
			answers.Recorded = addDeed(answers.Recorded, d)
		case onPage(i):
			answers.PageSteps = addDeed(answers.PageSteps, d)
		default:
			lost = append(lost, fmt.Sprintf("the %s of %s at %s is neither of the login nor on the page, and left out", d.Kind, d.Selector, d.URL))
		}
	}
	if answers.Recorded != nil {
		answers.Login = from
	}
	return lost
}

// samePage compares URLs but for their queries.
func samePage(a, b string) bool {
	page := func(raw string) string {
		u, err := url.Parse(raw)
		if err != nil {
			return raw
		}
		return wire.OriginOf(raw) + cmp.Or(u.EscapedPath(), "/")
	}
	return page(a) == page(b)
}

// addDeed adds a step. Fields that follow each other are one.
func addDeed(steps []starter.Step, d browser.Deed) []starter.Step {
	switch d.Kind {
	case "click":
		return append(steps, starter.Step{Click: d.Selector})
	case "press":
		return append(steps, starter.Step{Press: d.Key})
	}
	f := starter.Field{Selector: d.Selector, Chosen: d.Chosen}
	if f.Chosen == "" {
		f.Variable = variable(d.Field)
	}
	if n := len(steps); n > 0 && len(steps[n-1].Fill) > 0 {
		same := func(g starter.Field) bool { return g.Selector == f.Selector }
		if i := slices.IndexFunc(steps[n-1].Fill, same); i >= 0 {
			steps[n-1].Fill[i] = f // put right
		} else {
			steps[n-1].Fill = append(steps[n-1].Fill, f)
		}
		return steps
	}
	return append(steps, starter.Step{Fill: []starter.Field{f}})
}

var notInNames = regexp.MustCompile(`[^A-Z0-9]+`)

// variable is what the variable of a field's value ends in.
func variable(field string) string {
	switch field {
	case "user":
		return "EMAIL"
	case "password":
		return "PASSWORD"
	case "code":
		return "TOTP"
	}
	return cmp.Or(strings.Trim(notInNames.ReplaceAllString(strings.ToUpper(field), "_"), "_"), "FIELD")
}
