package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/starter"
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/target"
)

// formPatience bounds the look at a login form: the files can be written without.
const formPatience = 15 * time.Second

// readForm looks at the page where users log in, and keeps how its form is filled
// in. A page that sends its visitors to a login names it. What can't be read is
// left to the user.
func (a *app) readForm(ctx context.Context, answers *starter.Answers) {
	address := cmp.Or(answers.Login, answers.Page)
	if address == "" || answers.Gate != "" { // the gate would be read
		return
	}
	ctx, cancel := context.WithTimeout(ctx, formPatience)
	defer cancel()
	form, at, err := a.lookAtForm(ctx, address, answers.CAFile)
	if err != nil {
		fmt.Fprintf(a.stderr, "note: no login form was read at %s: %s\n", printable(withoutQuery(address)), printable(err.Error()))
		return
	}
	if form.User == "" && form.Password == "" {
		return // whatNow says that the selectors are to be adapted
	}
	if answers.Login == "" {
		if form.Password == "" { // a search or a newsletter
			return
		}
		answers.Login = at
	}
	answers.Form = starter.Form{User: form.User, Password: form.Password, Submit: form.Submit, Code: form.Code, Read: true}
}

func (a *app) lookAtForm(ctx context.Context, address, caFile string) (form browser.Form, at string, err error) {
	var t target.Target
	if err := cmp.Or(applyAuthorities(&t, caFile), a.applyProxy(&t)); err != nil {
		return form, "", err
	}
	b, err := browser.Launch(ctx, t.Chrome(browser.Options{UserAgentSuffix: "kindlytest/" + ownVersion()}))
	if err != nil {
		return form, "", err
	}
	defer b.Close() // only looked at
	user, err := b.NewUser(ctx, browser.Login{})
	if err != nil {
		return form, "", err
	}
	page, err := user.Visit(ctx, address, nil)
	if err != nil {
		return form, "", err
	}
	if failed := page.Record().Navigation.Error; failed != "" {
		return form, "", errors.New(failed)
	}
	page.Settle(ctx)
	state, err := page.State(ctx)
	if err != nil {
		return form, "", err
	}
	form, err = page.LoginForm(ctx)
	return form, withoutQuery(state.URL), err
}

// withoutQuery cuts off what a redirect added: it is of one visit.
func withoutQuery(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
