package browser_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
)

func TestRequestsAreThoseOnTheWire(t *testing.T) {
	s := newSite(t, map[string]string{"/": `<script>fetch("/token", {method: "POST", body: JSON.stringify({chatId: "c1"}), credentials: "include"}).then((r) => r.json())</script>`})
	s.mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "one=1; HttpOnly")
		w.Header().Add("Set-Cookie", "two=2")
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"token":"t"}`)
	})
	u := newUser(t, chrome(t), browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "secret", HTTPOnly: true}}})
	q := find(t, visitAs(t, u, s.URL, nil).Record(), "POST", "/token")
	if string(q.Body) != `{"chatId":"c1"}` || string(q.ResponseBody) != `{"token":"t"}` || q.Status != 200 || q.Error != "" {
		t.Errorf("got %+v", q)
	}
	if q.Header.Get("Cookie") != "sid=secret" || q.Header.Get("Origin") != s.URL || q.Header.Get("Sec-Fetch-Mode") != "cors" {
		t.Errorf("sent headers: %v", q.Header)
	}
	if got := q.ResponseHeader.Values("Set-Cookie"); !slices.Equal(got, []string{"one=1; HttpOnly", "two=2"}) {
		t.Errorf("Set-Cookie: %q", got)
	}
	if q.Initiator.Type != "script" || q.Initiator.Line != 1 || q.Target != "page" || q.Duration <= 0 || q.Started.IsZero() || q.Kindly {
		t.Errorf("got %+v", q)
	}
	if printed := fmt.Sprintf("%v %+v %#v", q, q, []browser.Request{q}); strings.Contains(printed, "secret") {
		t.Errorf("the printed form tells the cookie: %s", printed)
	}
}

func TestEachHopOfARedirectIsARequest(t *testing.T) {
	s := newSite(t, map[string]string{"/": `<script>fetch("/a?x")</script>`})
	for from, to := range map[string]string{"/a": "/b", "/b": "/c"} {
		s.mux.HandleFunc("GET "+from, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Hop", from)
			http.Redirect(w, r, to, http.StatusFound)
		})
	}
	s.mux.HandleFunc("GET /c", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Hop", "/c") })
	rec := visit(t, s.URL, nil).Record()
	a, b, c := find(t, rec, "GET", "/a"), find(t, rec, "GET", "/b"), find(t, rec, "GET", "/c")
	for i, hop := range []browser.Request{a, b, c} {
		path := "/" + string(rune('a'+i))
		if hop.ResponseHeader.Get("X-Hop") != path || hop.ID != a.ID || hop.Header.Get("Host") == "" || hop.Duration == 0 {
			t.Errorf("hop %s: %+v", path, hop)
		}
	}
	if a.Status != 302 || b.Status != 302 || c.Status != 200 {
		t.Errorf("statuses %d %d %d", a.Status, b.Status, c.Status)
	}
}

func TestCrossOriginRequests(t *testing.T) {
	api := newSite(t, nil)
	api.mux.HandleFunc("/open", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Allow-Headers", "content-type")
	})
	api.mux.HandleFunc("/shut", func(w http.ResponseWriter, r *http.Request) {})
	s := newSite(t, map[string]string{"/": fmt.Sprintf(`<script>for (const u of ["%[1]s/open", "%[1]s/shut"])
		fetch(u, {method: "POST", headers: {"Content-Type": "application/json"}, body: "{}"}).catch(() => {})</script>`, api.URL)})
	rec := visit(t, s.URL, nil).Record()
	if q := find(t, rec, "OPTIONS", "/open"); q.ResourceType != "Preflight" || q.Header.Get("Access-Control-Request-Method") != "POST" {
		t.Errorf("preflight: %+v", q)
	}
	if q := find(t, rec, "POST", "/open"); q.Status != 200 || q.Header.Get("Origin") != s.URL {
		t.Errorf("allowed: %+v", q)
	}
	if q := find(t, rec, "POST", "/shut"); q.CORSError == "" || q.Error == "" {
		t.Errorf("refused: %+v", q)
	}
}

func TestBodies(t *testing.T) {
	s := newSite(t, map[string]string{"/": `<script src=/big.js></script><img src=/pic.png>
		<script>fetch("/up", {method: "POST", body: "x".repeat(1200000)})</script>`})
	s.mux.HandleFunc("GET /big.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, "//"+strings.Repeat("x", 2<<20))
	})
	s.mux.HandleFunc("GET /pic.png", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		fmt.Fprint(w, "\x89PNG")
	})
	s.mux.HandleFunc("POST /up", func(w http.ResponseWriter, r *http.Request) {})
	rec := visit(t, s.URL, nil).Record()
	if q := find(t, rec, "GET", "/big.js"); len(q.ResponseBody) != 1<<20 || !q.BodyTruncated {
		t.Errorf("a big script: %d bytes, truncated %v", len(q.ResponseBody), q.BodyTruncated)
	}
	if q := find(t, rec, "GET", "/pic.png"); q.ResponseBody != nil {
		t.Errorf("a picture's body is kept: %q", q.ResponseBody)
	}
	if q := find(t, rec, "GET", s.URL); !strings.Contains(string(q.ResponseBody), "/pic.png") {
		t.Errorf("the document: %q", q.ResponseBody)
	}
	if q := find(t, rec, "POST", "/up"); len(q.Body) > 1<<20 {
		t.Errorf("a big upload: %d bytes", len(q.Body))
	}
}

func TestConsole(t *testing.T) {
	s := newSite(t, map[string]string{"/{$}": `<script>
		console.log("plain", 1, true, null, undefined);
		console.warn({deep: {er: {still: {here: "eyJ" + "x".repeat(200)}}}}, ["a"]);
		console.error(new Error("broken"));
		const loop = {}; loop.loop = loop; console.info(loop);
		setTimeout(() => new Image().src = "/missing.png");
	</script>`})
	p := visit(t, s.URL, nil)
	entries := p.Record().Console
	for i, want := range []struct{ level, source, text string }{
		{"log", "console-api", "plain 1 true null undefined"},
		{"warning", "console-api", `{"deep":{"er":{"still":{"here":"eyJ` + strings.Repeat("x", 200) + `"}}}} ["a"]`},
		{"error", "console-api", "Error: broken"},
		{"info", "console-api", "Object"},
		{"error", "network", "404"},
	} {
		if i >= len(entries) {
			t.Fatalf("entry %d is missing: %v", i, want)
		}
		e := entries[i]
		if e.Level != want.level || e.Source != want.source || !strings.Contains(e.Text, want.text) || e.At.IsZero() || e.Kindly {
			t.Errorf("entry %d is %+v, want %v", i, e, want)
		}
	}
	if e := entries[len(entries)-1]; e.URL != s.URL+"/missing.png" {
		t.Errorf("the failed request's entry is about %q", e.URL)
	}
}

func TestExceptions(t *testing.T) {
	s := newSite(t, map[string]string{"/": `<script>throw new TypeError("one")</script><script>
		Promise.reject(new Error("two"));
		const late = Promise.reject(new Error("handled")); setTimeout(() => late.catch(() => {}), 20);
		Promise.reject("three");
	</script>`})
	got := visit(t, s.URL, nil).Record().Exceptions
	if len(got) != 3 {
		t.Fatalf("got %d: %+v", len(got), got)
	}
	for i, want := range []struct {
		text      string
		rejection bool
	}{{"TypeError: one", false}, {"Error: two", true}, {"three", true}} {
		if !strings.Contains(got[i].Text, want.text) || got[i].Rejection != want.rejection || got[i].URL != s.URL+"/" {
			t.Errorf("%d: got %+v, want %v", i, got[i], want)
		}
	}
}

func TestRecordsAreBounded(t *testing.T) {
	s := newSite(t, map[string]string{"/": `<script>
		for (let i = 0; i < 1500; i++) console.log("x".repeat(20000));
		for (let i = 0; i < 300; i++) Promise.reject(i);
	</script>`})
	rec := visit(t, s.URL, nil).Record()
	if len(rec.Console) != 1000 || len(rec.Exceptions) > 200 || rec.Dropped < 500 {
		t.Errorf("%d console entries, %d exceptions, %d dropped", len(rec.Console), len(rec.Exceptions), rec.Dropped)
	}
	if n := len(rec.Console[0].Text); n > 17000 {
		t.Errorf("an entry of %d bytes", n)
	}
}

// A development server sends each module by itself, thousands of them: neither their number
// nor their size is at the cost of what the page asks.
func TestThousandsOfPartsLeaveRoomForWhatThePageAsks(t *testing.T) {
	s := newSite(t, map[string]string{"/": `<script>
		const loaded = (e) => new Promise((done) => { e.onload = e.onerror = done });
		const image = (i) => Object.assign(new Image(), {src: "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==#" + i});
		const module = (i) => document.head.appendChild(Object.assign(document.createElement("script"), {src: "/module.js?" + i}));
		(async () => {
			await Promise.all(Array.from({length: 2200}, (_, i) => loaded(image(i))));
			for (let i = 0; i < 36; i++) await loaded(module(i));
			await fetch("/token");
			document.title = "done";
		})();
	</script>`, "/token": "x"})
	s.mux.HandleFunc("GET /module.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Write(bytes.Repeat([]byte("//1\n"), 1<<18))
	})
	p := visit(t, s.URL+"/", nil)
	untilDone(t, p)
	if q := find(t, p.Record(), "GET", "/token"); q.Status != 200 || q.Unread || len(q.ResponseBody) == 0 {
		t.Errorf("recorded as %+v", q)
	}
	if rec := p.Record(); rec.Missed != 0 || len(rec.Requests) < 2200 {
		t.Errorf("%d requests, %d missed", len(rec.Requests), rec.Missed)
	}
}

func TestRequestsAreBounded(t *testing.T) {
	s := newSite(t, map[string]string{"/": `<script>
		Promise.all(Array.from({length: 2100}, (_, i) => fetch("data:," + i))).then(() => document.title = "done");
	</script>`})
	p := visit(t, s.URL, nil)
	untilDone(t, p)
	if rec := p.Record(); len(rec.Requests) != 2000 || rec.Missed < 100 {
		t.Errorf("%d requests, %d missed", len(rec.Requests), rec.Missed)
	}
}

// untilDone waits until a page says so in its title, and is quiet.
func untilDone(t *testing.T, p *browser.Page) {
	t.Helper()
	eventually(t, "the page is done", func() bool {
		st, err := p.State(withTimeout(t))
		return err == nil && st.Title == "done"
	})
	p.Settle(withTimeout(t))
}

func TestRecordIsASnapshot(t *testing.T) {
	s := newSite(t, map[string]string{"/": "x"})
	p := visit(t, s.URL, nil)
	first := p.Record()
	first.Requests[0].Header.Set("User-Agent", "changed")
	clear(first.Requests[0].ResponseBody)
	first.Navigation.Header.Set("Content-Type", "changed")
	second := p.Record()
	if second.Requests[0].Header.Get("User-Agent") == "changed" || second.Requests[0].ResponseBody[0] == 0 || second.Navigation.Header.Get("Content-Type") == "changed" {
		t.Error("a caller's change shows in the next record")
	}
}
