//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/porttest"
)

// A tab shows a page of serve in a real browser.
type tab struct {
	*browser.Page
	t   *testing.T
	ctx context.Context
}

func openTab(t *testing.T, url string, screen browser.Screen) tab {
	t.Helper()
	requireBrowser(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	b, err := browser.Launch(ctx, browser.Options{Path: os.Getenv("KINDLYTEST_BROWSER")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	u, err := b.NewUser(ctx, browser.Login{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := u.Visit(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Show(ctx, screen); err != nil {
		t.Fatal(err)
	}
	return tab{p, t, ctx}
}

func (p tab) eval(js string, out any) {
	p.t.Helper()
	if err := p.Evaluate(p.ctx, js, out); err != nil {
		p.t.Fatalf("%s: %v", js, err)
	}
}

func (p tab) do(js string) { p.t.Helper(); p.eval("(() => { "+js+" })()", nil) }

// becomes waits until a condition about the document is true.
func (p tab) becomes(condition string) bool {
	p.t.Helper()
	var met bool
	p.eval(`new Promise((done) => {
		const end = (met) => { seen.disconnect(); clearTimeout(late); done(met) };
		const look = () => { if (`+condition+`) end(true) };
		const seen = new MutationObserver(look);
		const late = setTimeout(() => end(false), 60_000);
		seen.observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
		look();
	})`, &met)
	return met
}

// shows waits until the text of an element holds all the words.
func (p tab) shows(selector string, words ...string) {
	p.t.Helper()
	list, err := json.Marshal(words)
	if err != nil {
		p.t.Fatal(err)
	}
	shown := fmt.Sprintf(`document.querySelector(%q)?.innerText`, selector)
	if !p.becomes(shown + " !== undefined && " + string(list) + ".every((w) => " + shown + ".includes(w))") {
		var got string
		p.eval(shown+` ?? "(no such element)"`, &got)
		p.t.Fatalf("%s does not show %q but:\n%s", selector, words, got)
	}
}

// pictures keeps pictures for people, if KINDLYTEST_SCREENSHOTS names a folder.
func (p tab) pictures(name string, s browser.Screen) {
	p.t.Helper()
	dir := os.Getenv("KINDLYTEST_SCREENSHOTS")
	for _, dark := range []bool{true, false} {
		if dir == "" {
			return
		}
		s.Dark = dark
		if err := p.Show(p.ctx, s); err != nil {
			p.t.Fatal(err)
		}
		p.Settle(p.ctx)
		jpeg, err := p.Screenshot(p.ctx, func(string) bool { return false })
		if err != nil {
			p.t.Fatal(err)
		}
		scheme := map[bool]string{true: "dark", false: "light"}[dark]
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.jpg", name, s.Width, scheme)), jpeg, 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
}

// hostileAnswer is no JSON, and would be markup.
const hostileAnswer = `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`

// startHook is a team's webhook on a port that it comes back to.
func startHook(t *testing.T, port int, answer, contentType string) *http.Server {
	t.Helper()
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, answer)
	})}
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return s
}

// choose says what is to be run.
func (p tab) choose(area string) {
	p.t.Helper()
	p.do(`const s = document.querySelector(".tools select"); s.value = "` + area + `"; s.dispatchEvent(new Event("change"))`)
}

func (p tab) click(selector string) {
	p.t.Helper()
	if !p.becomes(`document.querySelector("` + selector + `:not(:disabled)")?.offsetWidth > 0`) {
		p.t.Fatalf("there is no %s to click on", selector)
	}
	p.do(`document.querySelector("` + selector + `").click()`)
}

// openCause opens the first cause that is so grave.
func (p tab) openCause(severity string) {
	p.t.Helper()
	p.do(`[...document.querySelectorAll("[role=option]:not([hidden])")].find((r) => r.querySelector(".badge").textContent === "` + severity + `").click()`)
}

// TestChecksAreRunFromThePage runs them in a real browser on both widths, again when the
// app has been restarted, and again when the mock has.
func TestChecksAreRunFromThePage(t *testing.T) {
	for _, screen := range []browser.Screen{{Width: 1280, Height: 800}, {Width: 390, Height: 800}} {
		t.Run(fmt.Sprint(screen.Width), func(t *testing.T) {
			port, mock := porttest.Free(t), porttest.Free(t)
			broken := startHook(t, port, hostileAnswer, "text/html")
			args := []string{"--listen", fmt.Sprintf("127.0.0.1:%d", mock), "--webhook", fmt.Sprintf("orders=http://127.0.0.1:%d/kindly", port)}
			s := serve(t, nil, args...)
			p := openTab(t, s.base+"/checks", screen)
			p.shows("#list", "Nothing was checked yet")
			p.shows(".state", "Live")
			p.do(`location.hash = "#/result"`)
			p.shows("#detail", "What to add", "serve --page URL", "--private-key FILE")
			p.do(`document.querySelector(".back").click()`)
			p.choose("RESP")
			p.click(".go")
			p.shows("#said", "FAILED")
			p.shows("#list", "failed", "RESP-JSON")
			p.pictures("checks-small", screen)

			p.do(`[...document.querySelectorAll("[role=option]:not([hidden])")].find((r) => r.querySelector(".title").textContent === "RESP-JSON").click()`)
			p.shows("#detail", "RESP-JSON", "failed", "What was exchanged", "<img src=x", "kindlytest run --webhook", "kindlytest explain RESP-JSON")
			p.pictures("check-small", screen)
			var hostile bool
			if p.eval(`document.title === "taken" || document.querySelectorAll("main img, main script").length > 0`, &hostile); hostile {
				t.Error("what the webhook answered became markup")
			}
			var wide bool
			if p.eval(`document.documentElement.scrollWidth > innerWidth`, &wide); wide {
				t.Error("the page is wider than its window")
			}

			if err := broken.Close(); err != nil {
				t.Fatal(err)
			}
			startHook(t, port, soundAnswer, "application/json")
			if screen.Width < 800 { // what waited for it is run again with what failed
				p.do(`document.querySelector(".back").click()`)
				p.choose("failed")
				p.click(".go")
				p.shows("#said", "PASSED")
				p.do(`location.hash = "#/check/RESP-FIELDS"`)
				p.shows("#detail", "RESP-FIELDS", "passed")
				p.do(`location.hash = "#/check/RESP-JSON"`)
			} else {
				p.click(".again")
			}
			p.shows("#said", "PASSED")
			p.shows("#detail", "RESP-JSON", "passed")
			p.shows("#list", "RESP-JSON")

			s.stop(t, syscall.SIGKILL)
			p.shows(".state", "Not connected")
			serve(t, nil, args...)
			p.shows(".state", "Live")
			p.do(`location.hash = "#/result"`)
			p.shows("#detail", "The mock was restarted")
			p.do(`document.querySelector(".back").click()`)
			p.choose("RESP")
			p.click(".go")
			if !p.becomes(`/^[A-Z ]+\. /.test(document.querySelector("#said").textContent)`) {
				t.Error("nothing is said of the end")
			}
			p.do(`location.hash = "#/check/RESP-JSON"`)
			p.shows("#detail", "passed")
			rec := p.Record()
			if len(rec.CSP)+len(rec.Exceptions) > 0 {
				t.Errorf("the page is not quiet: %v %v", rec.CSP, rec.Exceptions)
			}
		})
	}
}

// TestChecksOfAWholeShopOnThePage shows a shop with faults: live, by its causes, and without
// any of its secrets.
func TestChecksOfAWholeShopOnThePage(t *testing.T) {
	shop, _ := shopFor(t, "alg-none-accepted", "stack-trace-in-errors", "token-in-local-storage", "no-nosniff")
	env, secrets := secretsOf(t, shop)
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"public.pem": string(shop.PublicPEM), "private.pem": string(shop.PrivatePEM), "kindlytest.yaml": strings.Replace(configFor(shop), "http://127.0.0.1:9/", shop.Webhooks[0].LocalURL, 1),
	})
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	s := serve(t, list, "--listen", "127.0.0.1:0", "-c", filepath.Join(dir, "kindlytest.yaml"))
	defer s.stop(t, syscall.SIGTERM)
	screen := browser.Screen{Width: 1280, Height: 800}
	p := openTab(t, s.base+"/checks", screen)
	p.shows(".state", "Live")
	p.pictures("checks-empty", screen)
	p.click(".go")
	if !p.becomes(`/\d failed so far/.test(document.querySelector("#list").innerText)`) {
		t.Error("nothing is shown while it runs")
	}
	p.pictures("checks-running", screen)
	if !p.becomes(`document.querySelector("#said").textContent.startsWith("FAILED")`) {
		t.Fatal("the run does not end")
	}
	p.shows("#list", "critical", "passed")
	p.openCause("critical")
	p.shows("#detail", "What to change", "It explains", "What was exchanged", "confirmed")
	for _, narrow := range []browser.Screen{screen, {Width: 390, Height: 800}} {
		p.pictures("cause", narrow)
		p.do(`location.hash = "#/result"`)
		p.shows("#detail", "What is checked", "Runs")
		p.pictures("result", narrow)
		p.do(`location.hash = "#/check/AUTH-ERROR-LEAK"`)
		p.shows("#detail", "AUTH-ERROR-LEAK")
		p.pictures("check", narrow)
		p.do(`document.querySelector(".back").click()`)
		p.pictures("checks", narrow)
		p.openCause("critical")
	}

	res, err := http.Get(s.base + "/mock/v1/checks/report")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range secrets {
		if secret != "" && strings.Contains(string(text), secret) {
			t.Errorf("%s is in the report", name)
		}
	}
	if n := strings.Count(string(text), `"evidence"`); n < 5 {
		t.Errorf("the report has %d exchanges, too few to tell", n)
	}
}

// TestTheBrowsersConsoleSaysWhatRunWouldSay loads the client of serve into pages that do
// something wrong.
func TestTheBrowsersConsoleSaysWhatRunWouldSay(t *testing.T) {
	requireBrowser(t)
	s := serve(t, nil, "--listen", "127.0.0.1:0")
	defer s.stop(t, syscall.SIGTERM)
	for _, tt := range []struct{ page, id, says string }{
		{`<script>kindlyOptions = {getAuthToken: () => ({token: "x"})}</script><script id=kindly-chat src="%s/kindly-chat.js" data-bot-key=demo></script>`, "PAGE-CALLBACK-TOKEN", "Return the token alone"},
		{`<script>kindlyOptions = {getAuthToken: () => null}</script><script id=kindly-chat src="%s/kindly-chat.js"></script>`, "PAGE-WIDGET", "data-bot-key"},
		{`<script>kindlyOptions = {}</script><script id=kindly-chat src="%s/kindly-chat-pure.js" data-bot-key=demo></script>`, "PAGE-CALLBACK-DEFINED", "window.kindlyOptions"},
		{`<script>kindlyOptions = {getAuthToken: () => "no.to.ken"}</script><script id=kindly-chat src="%s/kindly-chat.js" data-bot-key=demo></script>`, "TOK-COMPACT", "checks#/check/TOK-COMPACT"},
	} {
		page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprintf(w, "<!doctype html><link rel=icon href=data:,>"+tt.page, s.base)
		}))
		p := openTab(t, page.URL, browser.Screen{Width: 800, Height: 600})
		want := "kindlytest: " + tt.id + ": "
		found := ""
		waitUntil(t, want, func() bool {
			for _, c := range p.Record().Console {
				if strings.HasPrefix(c.Text, want) {
					found = c.Text
				}
			}
			return found != ""
		})
		if !strings.Contains(found, tt.says) || !strings.Contains(found, "More: "+s.base+"/checks#/check/"+tt.id) || !strings.Contains(found, "kindlytest explain "+tt.id) {
			t.Errorf("of %s the console says %q (%v)", tt.id, found, p.Record().Console)
		}
		page.Close()
	}
}
