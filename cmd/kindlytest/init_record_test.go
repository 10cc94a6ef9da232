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
		write(w, "<form method=post><input name=email type=email><input name=pw type=password><button>Go</button></form>")
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("pw") == "correct-horse" {
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: r.FormValue("email")})
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
			{Press: "Enter"}, {Click: "#chat"}}, false, nil)
		p.Close()
	})
	if err := <-did; err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	answers := starter.Answers{Page: s.URL + "/"}
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

func TestRecordNeedsAPage(t *testing.T) {
	r := runHere(t.Context(), nil, "", "init", "--endpoint", "http://127.0.0.1:1/token", "--record", "--dry-run")
	if r.code != 2 || !strings.Contains(r.stderr, "--record is given, but no page") {
		t.Errorf("code %d: %s", r.code, r.stderr)
	}
}
