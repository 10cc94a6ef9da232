package browser_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
)

func TestCall(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		want         browser.CallResult
	}{
		{"a promise", `kindlyOptions = {getAuthToken: async (id) => "t-" + id}`, browser.CallResult{Outcome: "token", Token: "t-c1", Type: "string"}},
		{"a value", `kindlyOptions = {getAuthToken: (id) => "t-" + id}`, browser.CallResult{Outcome: "token", Token: "t-c1", Type: "string", Sync: true}},
		{"a method", `kindlyOptions = {p: "m-", getAuthToken(id) { return this.p + id }}`, browser.CallResult{Outcome: "token", Token: "m-c1", Type: "string", Sync: true}},
		{"the other name", `kindlySettings = {getAuthToken: (id) => "s-" + id}`, browser.CallResult{Outcome: "token", Token: "s-c1", Type: "string", Sync: true}},
		{"both names", `kindlySettings = {getAuthToken: () => "s"}; kindlyOptions = {getAuthToken: () => "o"}`, browser.CallResult{Outcome: "token", Token: "o", Type: "string", Sync: true}},
		{"null", `kindlyOptions = {getAuthToken: () => null}`, browser.CallResult{Outcome: "empty", Type: "null", Sync: true}},
		{"a promise of nothing", `kindlyOptions = {getAuthToken: async () => {}}`, browser.CallResult{Outcome: "empty", Type: "undefined"}},
		{"an empty string", `kindlyOptions = {getAuthToken: () => ""}`, browser.CallResult{Outcome: "empty", Type: "string", Sync: true}},
		{"an object", `kindlyOptions = {getAuthToken: async () => ({token: "t"})}`, browser.CallResult{Outcome: "not-a-string", Type: "object", Is: "an object with the members token"}},
		{"it throws", `kindlyOptions = {getAuthToken: () => { throw new Error("no") }}`, browser.CallResult{Outcome: "threw", Type: "object", Sync: true, Error: "no"}},
		{"it rejects", `kindlyOptions = {getAuthToken: () => Promise.reject("no")}`, browser.CallResult{Outcome: "rejected", Type: "string", Error: "no"}},
		{"an error that tells the token", `kindlyOptions = {getAuthToken: () => { throw "bad eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c-_" }}`, browser.CallResult{Outcome: "threw", Type: "string", Sync: true, Error: "bad (token)"}},
		{"none", ``, browser.CallResult{Outcome: "undefined", Type: "undefined", Sync: true}},
		{"no function", `kindlyOptions = {getAuthToken: "t"}`, browser.CallResult{Outcome: "undefined", Type: "string", Sync: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, map[string]string{"/": "<script>" + tt.script + "</script>"})
			got, err := visit(t, s.URL, nil).Call(withTimeout(t), "c1")
			got.Elapsed = 0
			tt.want.Length = len(tt.want.Token)
			if err != nil || got.Token != tt.want.Token || got != tt.want {
				t.Errorf("got %v that is %q, %v; want %v that is %q", got, got.Is, err, tt.want, tt.want.Is)
			}
		})
	}
}

func TestCallIsBounded(t *testing.T) {
	s := newSite(t, map[string]string{
		"/never": `<script>kindlyOptions = {getAuthToken: () => new Promise(() => {})}</script>`,
		"/long":  `<script>kindlyOptions = {getAuthToken: () => { throw new Error("x".repeat(1e6)) }}</script>`,
		"/slow":  `<script>kindlyOptions = {getAuthToken: () => new Promise((r) => setTimeout(() => r("t"), 300))}</script>`,
	})
	t.Run("a promise that never settles is pending", func(t *testing.T) {
		p := visit(t, s.URL+"/never", nil)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if r, err := p.Call(ctx, "c1"); err != nil || r.Outcome != browser.OutcomePending || r.Elapsed < 200*time.Millisecond {
			t.Errorf("got %v, %v", r, err)
		}
	})
	t.Run("a cancelled context is an error", func(t *testing.T) {
		p := visit(t, s.URL+"/never", nil)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		if _, err := p.Call(ctx, "c1"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a long message is cut", func(t *testing.T) {
		r, err := visit(t, s.URL+"/long", nil).Call(withTimeout(t), "c1")
		if err != nil || r.Outcome != browser.OutcomeThrew || len(r.Error) > 600 {
			t.Errorf("%v, %d bytes", err, len(r.Error))
		}
	})
	t.Run("the time is told", func(t *testing.T) {
		r, err := visit(t, s.URL+"/slow", nil).Call(withTimeout(t), "c1")
		if err != nil || r.Elapsed < 290*time.Millisecond || r.Elapsed > 5*time.Second {
			t.Errorf("%v, %v", r, err)
		}
	})
}

func TestAdvance(t *testing.T) {
	s := newSite(t, map[string]string{"/{$}": `<script>
		const start = Date.now(), began = performance.now(), fired = [];
		for (const m of [14, 5, 20]) setTimeout(() => fired.push(m), m * 60000);
		setTimeout(async () => { await fetch("/slow"); fired.push("fetched after " + Math.round((Date.now() - start) / 60000)) }, 10 * 60000);
		let ticks = 0; setInterval(() => ticks++, 100);
		Object.defineProperty(document, "title", {get: () => [Math.round((Date.now() - start) / 60000), Math.round((performance.now() - began) / 60000), fired, ticks].join(" ")});
	</script>`})
	s.mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) { time.Sleep(200 * time.Millisecond) })
	u := newUser(t, chrome(t), browser.Login{})
	bystander := visitAs(t, u, s.URL, nil)
	p := visitAs(t, u, s.URL, nil)
	ctx := withTimeout(t)
	began := time.Now()
	if err := p.Advance(ctx, 15*time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := title(t, p); !strings.HasPrefix(got, "15 15 5,fetched after 10,14 ") {
		t.Errorf("after 15 minutes: %s", got)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it took %v", took)
	}
	before, started := ticksOf(t, p), time.Now()
	n := 0
	eventually(t, "a timer goes on after it", func() bool { n = ticksOf(t, p) - before; return n >= 5 })
	if most := 4 + int(time.Since(started)/(100*time.Millisecond)); n > most {
		t.Errorf("in %v after it, a timer of 100 ms fired %d times, want %d at most", time.Since(started), n, most)
	}
	if err := p.Advance(ctx, 5*time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := title(t, p); !strings.HasPrefix(got, "20 20 5,fetched after 10,14,20 ") {
		t.Errorf("after 20 minutes: %s", got)
	}
	if got := title(t, bystander); !strings.HasPrefix(got, "0 0  ") {
		t.Errorf("another page of the user: %s", got)
	}
	if err := p.Advance(ctx, -time.Second); err == nil {
		t.Error("the clock was moved back")
	}
}

func ticksOf(t *testing.T, p *browser.Page) int {
	t.Helper()
	fields := strings.Fields(title(t, p))
	n := 0
	for _, c := range fields[len(fields)-1] {
		n = n*10 + int(c-'0')
	}
	return n
}

func TestAdvanceDoesNotWaitForEverForAnAnswer(t *testing.T) {
	s := newSite(t, map[string]string{"/{$}": `<script>const start = Date.now(); setTimeout(() => fetch("/never"), 1000);
		Object.defineProperty(document, "title", {get: () => String(Math.round((Date.now() - start) / 1000))})</script>`})
	s.mux.HandleFunc("GET /never", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	p := visit(t, s.URL, nil)
	if err := p.Advance(withTimeout(t), time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := title(t, p); got != "60" {
		t.Errorf("after a minute: %s s", got)
	}
}
