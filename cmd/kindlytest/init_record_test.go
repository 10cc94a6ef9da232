package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/starter"
	"github.com/kindlytest/kindlytest/internal/browser"
)

// What somebody did in the window logs in again, as steps that are read from the
// file; and nothing that was typed is in it.
func TestRecordedStepsLogIn(t *testing.T) {
	requireBrowser(t)
	write := func(w http.ResponseWriter, format string, args ...any) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<link rel=icon href=data:,>"+format, args...)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("sid"); err == nil {
			write(w, "<p class=account>%s</p><button id=chat onclick='document.title = \"chat\"'>Chat</button>", c.Value)
			return
		}
		write(w, "<a href=/login>Log in</a>")
	})
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		write(w, "<form method=post><input name=email type=email><input name=pw type=password><button id=eye type=button onclick='document.querySelector(\"[name=pw]\").type = \"text\"'>Show</button><button>Go</button></form>")
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("pw") == "correct-horse" {
			http.SetCookie(w, &http.Cookie{Name: "asked", Value: r.FormValue("email")})
		}
		http.Redirect(w, r, "/stay", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /stay", func(w http.ResponseWriter, r *http.Request) {
		write(w, "Stay signed in? <form method=post><button id=yes>Yes</button></form>")
	})
	mux.HandleFunc("POST /stay", func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("asked"); err == nil {
			http.SetCookie(w, &http.Cookie{Name: "asked", MaxAge: -1})
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: c.Value})
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b, err := browser.Launch(ctx, browser.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	did := make(chan error, 1)
	deeds, err := accompany(ctx, b, s.URL+"/", func(p *browser.Page) {
		did <- p.Do(ctx, []browser.Step{
			{Click: "a"},
			{Fill: []browser.Field{{Selector: "[name=email]", Value: "ada@example.com"}, {Selector: "[name=pw]", Value: "correct-horse"}}},
			{Click: "#eye"}, {Click: "button:not([type])"}, {Click: "#yes"}, {Click: "#chat"}}, false, nil)
		p.Close()
	})
	if err := <-did; err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	answers := starter.Answers{Page: s.URL}
	if lost := keepDeeds(&answers, answers.Page, deeds); lost != nil {
		t.Errorf("lost: %v", lost)
	}
	file := starter.Files(answers)[0].Text
	for _, typed := range []string{"ada@", "correct-horse"} {
		if strings.Contains(string(file), typed) {
			t.Errorf("%q is in the file", typed)
		}
	}
	env := map[string]string{"KINDLYTEST_EMAIL": "grace@example.com", "KINDLYTEST_PASSWORD": "correct-horse"}
	c, err := config.Parse("kindlytest.yaml", file, config.Sources{Env: func(name string) (string, bool) { return env[name], true }})
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	user, err := b.NewUser(ctx, *c.Target.Login)
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	page, err := user.Visit(ctx, s.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := page.Do(ctx, c.Target.PageSteps, false, nil); err != nil {
		t.Errorf("%v\n%s", err, file)
	}
	if state, err := page.State(ctx); err != nil || state.Title != "chat" || state.Cookies[0].Value != "grace@example.com" {
		t.Errorf("the page is titled %q, %v\n%s", state.Title, err, file)
	}
}

// Of what was done no deed is left out in silence.
func TestDeedsAreOfTheLoginOrThePageOrLost(t *testing.T) {
	const page, login = "https://shop.example/", "https://id.example/login"
	fill := func(url string) browser.Deed {
		return browser.Deed{Kind: "fill", Selector: "#pw", Field: "password", URL: url}
	}
	click := func(selector, url string) browser.Deed {
		return browser.Deed{Kind: "click", Selector: selector, URL: url}
	}
	for name, row := range map[string]struct {
		deeds             []browser.Deed
		login, page, lost int // of which so many are
	}{
		"beside the form":                 {[]browser.Deed{fill(login), click("#eye", login), click("#go", login), click("#chat", page)}, 3, 1, 0},
		"asked something more":            {[]browser.Deed{fill(login), click("#go", login), click("#yes", "https://id.example/stay"), click("#chat", page)}, 3, 1, 0},
		"a form that sends itself":        {[]browser.Deed{fill(login), click("#chat", page)}, 1, 1, 0},
		"a form of the page":              {[]browser.Deed{click("#in", page), fill(page), click("#go", page), click("#chat", page)}, 3, 1, 0},
		"nothing on the page":             {[]browser.Deed{fill(login), click("#go", login), click("#yes", "https://id.example/stay")}, 3, 0, 0},
		"elsewhere, after the page":       {[]browser.Deed{fill(login), click("#go", login), click("#chat", page), click("#more", "https://shop.example/more")}, 2, 1, 1},
		"elsewhere, where nobody logs in": {[]browser.Deed{click("#more", "https://shop.example/more"), click("#chat", page)}, 0, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			answers := starter.Answers{Page: "https://shop.example?lang=en"}
			lost := keepDeeds(&answers, login, row.deeds)
			if len(answers.Recorded) != row.login || len(answers.PageSteps) != row.page || len(lost) != row.lost {
				t.Errorf("login %v, page %v, lost %q: want %d, %d, %d", answers.Recorded, answers.PageSteps, lost, row.login, row.page, row.lost)
			}
		})
	}
}

func TestRecordNeedsAPage(t *testing.T) {
	r := runHere(t.Context(), nil, "", "init", "--endpoint", "http://127.0.0.1:1/token", "--record", "--dry-run")
	if r.code != 2 || !strings.Contains(r.stderr, "--record is given, but no page") {
		t.Errorf("code %d: %s", r.code, r.stderr)
	}
}
