package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// shared is one Chrome for all tests of the package.
var shared = sync.OnceValues(func() (*browser.Browser, error) {
	return browser.Launch(context.Background(), browser.Options{Path: os.Getenv("KINDLYTEST_BROWSER")})
})

func TestMain(m *testing.M) {
	code := m.Run()
	if b, err := shared(); err == nil {
		if err := b.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "closing Chrome:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// A tab is a page in Chrome, for a test.
type tab struct {
	*browser.Page
	t   testing.TB
	ctx context.Context
}

// visit opens a page as a fresh user. Without Chrome the test is skipped, unless
// that is not allowed.
func visit(t testing.TB, url string) tab {
	t.Helper()
	if _, err := browser.Find(); err != nil && os.Getenv("KINDLYTEST_BROWSER") == "" {
		if os.Getenv("KINDLYTEST_REQUIRE_BROWSER") == "1" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED, nothing was tested: ", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	b, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	u, err := b.NewUser(ctx, browser.Login{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	p, err := u.Visit(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return tab{p, t, ctx}
}

// eval gives the value of a JavaScript expression.
func eval[T any](p tab, js string) T {
	p.t.Helper()
	var out T
	if err := p.Evaluate(p.ctx, js, &out); err != nil {
		p.t.Fatalf("%s: %v", js, err)
	}
	return out
}

// do runs JavaScript for its effect.
func (p tab) do(js string) {
	p.t.Helper()
	if err := p.Evaluate(p.ctx, "(() => { "+js+" })()", nil); err != nil {
		p.t.Fatalf("%s: %v", js, err)
	}
}

func (p tab) keys(keys ...string) {
	p.t.Helper()
	if err := p.Type(p.ctx, keys...); err != nil {
		p.t.Fatal(err)
	}
}

// shows waits until the text of an element holds all the words.
func (p tab) shows(selector string, words ...string) string {
	p.t.Helper()
	list, err := json.Marshal(append([]string{}, words...))
	if err != nil {
		p.t.Fatal(err)
	}
	shown := fmt.Sprintf(`document.querySelector(%q)?.innerText`, selector)
	if !p.becomes(shown + " !== undefined && " + string(list) + ".every((w) => " + shown + ".includes(w))") {
		p.t.Fatalf("%s does not show %q but:\n%s", selector, words, eval[string](p, shown+` ?? "(no such element)"`))
	}
	return eval[string](p, shown)
}

// becomes waits until a condition about the document is true.
func (p tab) becomes(condition string) bool {
	p.t.Helper()
	return eval[bool](p, `new Promise((done) => {
		const end = (met) => { seen.disconnect(); clearTimeout(late); done(met) };
		const look = () => { if (`+condition+`) end(true) };
		const seen = new MutationObserver(look);
		const late = setTimeout(() => end(false), 30_000);
		seen.observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
		look();
	})`)
}

// countAnswers lets the document tell how many answers its scripts have taken.
func (p tab) countAnswers() {
	p.do(`const real = window.fetch; document.body.dataset.answers = "0";
		window.fetch = async (...request) => {
			const answer = await real(...request), json = answer.json.bind(answer);
			answer.json = async () => {
				const value = await json();
				setTimeout(() => { document.body.dataset.answers = Number(document.body.dataset.answers) + 1 }); // after whoever awaits it
				return value;
			};
			return answer;
		}`)
}

// takes sends an answer that is held, and waits until the page has taken
// it and drawn what it knows.
func (p tab) takes(send func()) {
	p.t.Helper()
	before := eval[string](p, `document.body.dataset.answers`)
	send()
	if !p.becomes(`document.body.dataset.answers !== "` + before + `"`) {
		p.t.Fatal("the page took no answer")
	}
	p.frame()
}

// isQuiet fails if the page broke its own policy or threw.
func (p tab) isQuiet() {
	p.t.Helper()
	rec := p.Record()
	if len(rec.CSP)+len(rec.Exceptions)+len(rec.Console) > 0 {
		p.t.Errorf("the page is not quiet: %v %v %v", rec.CSP, rec.Exceptions, rec.Console)
	}
}

// screenshot keeps pictures for people, if KINDLYTEST_SCREENSHOTS names a folder:
// narrow and wide, light and dark.
func (p tab) screenshots(name string) {
	p.t.Helper()
	dir := os.Getenv("KINDLYTEST_SCREENSHOTS")
	if dir == "" {
		return
	}
	for _, s := range []browser.Screen{{Width: 1280, Height: 800}, {Width: 390, Height: 800}, {Width: 1280, Height: 800, Dark: true}, {Width: 390, Height: 800, Dark: true}} {
		if err := p.Show(p.ctx, s); err != nil {
			p.t.Fatal(err)
		}
		p.Settle(p.ctx)
		jpeg, err := p.Screenshot(p.ctx, func(string) bool { return false })
		if err != nil {
			p.t.Fatal(err)
		}
		scheme := "light"
		if s.Dark {
			scheme = "dark"
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.jpg", name, s.Width, scheme)), jpeg, 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
}
