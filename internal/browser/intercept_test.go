package browser_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// A log is a handler that notes what it got.
type requestLog struct {
	mu   sync.Mutex
	seen []string
}

func (l *requestLog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	l.seen = append(l.seen, r.Method+" "+r.Host+r.URL.String()+" "+string(body))
	l.mu.Unlock()
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Headers", "x-extra")
	w.Header().Set("Access-Control-Allow-Methods", "PUT")
	io.WriteString(w, "document.title = 'from Kindly'; self.fromKindly = 1;")
}

func (l *requestLog) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.seen, "\n")
}

func (l *requestLog) has(t *testing.T, want string) {
	t.Helper()
	eventually(t, "the handler gets "+want, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, s := range l.seen {
			if strings.HasPrefix(s, want) {
				return true
			}
		}
		return false
	})
}

func TestKindlysHostsAreAnsweredHere(t *testing.T) {
	for _, tt := range []struct{ name, html, want string }{
		{"a script", `<script src="https://chat.kindlycdn.com/kindly-chat.js?v=1"></script>`, "GET chat.kindlycdn.com/kindly-chat.js?v=1 "},
		{"over http", `<script src="http://chat.kindlycdn.com/x.js"></script>`, "GET chat.kindlycdn.com/x.js "},
		{"a module", `<script type=module src="https://chat.kindlycdn.com/m.js"></script>`, "GET chat.kindlycdn.com/m.js "},
		{"the bare domain", `<script src="https://kindlycdn.com/x.js"></script>`, "GET kindlycdn.com/x.js "},
		{"an API call with a body", `<script>fetch("https://bot.kindly.ai/a%20b", {method: "POST", body: "grüße"})</script>`, "POST bot.kindly.ai/a%20b grüße"},
		{"a request that needs a preflight", `<script>fetch("https://api.kindly.ai/p", {method: "PUT", headers: {"X-Extra": "1"}, body: "b"})</script>`, "PUT api.kindly.ai/p b"},
		{"an XMLHttpRequest", `<script>const x = new XMLHttpRequest(); x.open("POST", "https://bot.kindly.ai/xhr"); x.send("b")</script>`, "POST bot.kindly.ai/xhr b"},
		{"a beacon", `<script>navigator.sendBeacon("https://bot.kindly.ai/beacon", "b")</script>`, "POST bot.kindly.ai/beacon b"},
		{"in a frame of the same site", `<iframe src=/inner></iframe>`, "GET bot.kindly.ai/inner "},
		{"in a frame of another site", `<iframe id=f></iframe><script>f.src = location.href.replace("127.0.0.1", "localhost") + "inner"</script>`, "GET bot.kindly.ai/inner "},
		{"in a worker", `<script>new Worker("/worker.js")</script>`, "GET bot.kindly.ai/worker "},
		{"in a shared worker", `<script>new SharedWorker("/worker.js")</script>`, "GET bot.kindly.ai/worker "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, map[string]string{"/{$}": tt.html, "/inner": `<script>fetch("https://bot.kindly.ai/inner")</script>`})
			s.mux.HandleFunc("GET /worker.js", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/javascript")
				fmt.Fprint(w, `fetch("https://bot.kindly.ai/worker")`)
			})
			var l requestLog
			p := visit(t, s.URL+"/", &l)
			l.has(t, tt.want)
			p.Settle(withTimeout(t))
			method, rest, _ := strings.Cut(tt.want, " ")
			q := find(t, p.Record(), method, strings.TrimSpace(strings.SplitN(rest, " ", 2)[0]))
			if !q.Kindly || q.Status != 200 || q.Error != "" {
				t.Errorf("recorded as %+v", q)
			}
			if ex := p.Record().Exceptions; len(ex) > 0 {
				t.Errorf("the page got an exception: %v", ex)
			}
		})
	}
}

func TestServiceWorkersAreIntercepted(t *testing.T) {
	s := newSite(t, map[string]string{"/{$}": `<script>
		navigator.serviceWorker.register("/sw.js").then(() => navigator.serviceWorker.ready).then(async () => {
			if (!navigator.serviceWorker.controller) await new Promise((r) => navigator.serviceWorker.oncontrollerchange = r);
			await fetch("https://bot.kindly.ai/through-sw");
			document.title = "done";
		});</script>`})
	s.mux.HandleFunc("GET /sw.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, `onactivate = (e) => e.waitUntil(clients.claim()); onfetch = (e) => e.respondWith(fetch(e.request));`)
	})
	var l requestLog
	p := visit(t, s.URL+"/", &l)
	l.has(t, "GET bot.kindly.ai/through-sw")
	eventually(t, "the answer reaches the page", func() bool {
		st, err := p.State(withTimeout(t))
		return err == nil && st.Title == "done"
	})
}

func TestOtherHostsAreNotTouched(t *testing.T) {
	other := newSite(t, map[string]string{"/x.kindly.ai/": "not Kindly"})
	s := newSite(t, map[string]string{"/": fmt.Sprintf(`<iframe src="%s/x.kindly.ai/"></iframe>`, other.URL)})
	var l requestLog
	rec := visit(t, s.URL, &l).Record()
	if got := l.all(); got != "" {
		t.Errorf("the handler got %v", got)
	}
	if q := find(t, rec, "GET", "x.kindly.ai"); q.Kindly || q.Status != 200 {
		t.Errorf("got %+v", q)
	}
}

func TestKindlyHost(t *testing.T) {
	for host, want := range map[string]bool{
		"chat.kindlycdn.com": true, "kindlycdn.com": true, "bot.kindly.ai": true, "kindly.ai": true, "BOT.KINDLY.AI": true, "bot.kindly.ai.": true,
		"": false, "notkindly.ai": false, "kindly.ai.evil.example": false, "kindlycdn.com.evil.example": false, "kindly": false,
	} {
		if got := browser.KindlyHost(host); got != want {
			t.Errorf("KindlyHost(%q) is %v", host, got)
		}
	}
}

func TestHandlersThatMisbehave(t *testing.T) {
	s := newSite(t, map[string]string{"/": `<script src="https://chat.kindlycdn.com/kindly-chat.js"></script>`})
	for name, h := range map[string]http.Handler{
		"none":         nil,
		"a panic":      http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh") }),
		"too much":     http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.CopyN(w, zeros{}, 32<<20) }),
		"a bad header": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header()["Bad\r\nName"] = []string{"a\r\nb"} }),
	} {
		t.Run(name, func(t *testing.T) {
			rec := visit(t, s.URL, h).Record()
			q := find(t, rec, "GET", "kindly-chat.js")
			if name != "a bad header" && q.Error == "" {
				t.Errorf("got %+v", q)
			}
			if rec.Navigation.Status != 200 {
				t.Errorf("the page itself: %+v", rec.Navigation)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestHandlersEndWithThePage(t *testing.T) {
	s := newSite(t, map[string]string{"/": `<script>fetch("https://bot.kindly.ai/")</script>`})
	ended := make(chan struct{})
	u := newUser(t, chrome(t), browser.Login{})
	p, err := u.Visit(withTimeout(t), s.URL, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(ended)
	}))
	if err != nil {
		t.Fatal(err)
	}
	p.Settle(withTimeout(t))
	p.Close()
	select {
	case <-ended:
	case <-withTimeout(t).Done():
		t.Error("the handler still runs")
	}
}

func TestThePagesPolicyApplies(t *testing.T) {
	const page = `<script nonce=n>fetch("https://bot.kindly.ai/api").catch(() => {})</script><script src="https://chat.kindlycdn.com/kindly-chat.js"></script>`
	for _, tt := range []struct{ name, policy, blocked, directive string }{
		{"script-src without Kindly", "script-src 'self' 'nonce-n'; connect-src https://bot.kindly.ai", "kindly-chat.js", "script-src"},
		{"connect-src without Kindly", "script-src https://chat.kindlycdn.com 'nonce-n'; connect-src 'self'", "/api", "connect-src"},
		{"both with Kindly", "script-src https://chat.kindlycdn.com 'nonce-n'; connect-src https://bot.kindly.ai", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, nil)
			s.mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Security-Policy", tt.policy)
				writeHTML(w, page)
			})
			var l requestLog
			rec := visit(t, s.URL, &l).Record()
			for _, url := range []string{"kindly-chat.js", "/api"} {
				method := "GET"
				if url == "/api" && url == tt.blocked {
					method = "" // Chrome does not say
				}
				q := find(t, rec, method, url)
				reached := strings.Contains(l.all(), url)
				if blocked := url == tt.blocked; (q.BlockedReason == "csp") != blocked || reached == blocked {
					t.Errorf("%v: blocked reason %q, reached the handler: %v", q, q.BlockedReason, reached)
				}
			}
			if tt.blocked == "" {
				if len(rec.CSP) > 0 {
					t.Errorf("violations: %+v", rec.CSP)
				}
				return
			}
			if len(rec.CSP) != 1 || !strings.HasPrefix(rec.CSP[0].Directive, tt.directive) || !strings.Contains(rec.CSP[0].BlockedURL, tt.blocked) || rec.CSP[0].ReportOnly {
				t.Errorf("violations: %+v", rec.CSP)
			}
		})
	}
}
