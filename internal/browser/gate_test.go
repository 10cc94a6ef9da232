package browser_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// launch starts a Chrome of its own.
func launch(t testing.TB, o browser.Options) *browser.Browser {
	t.Helper()
	needChrome(t)
	o.Path, o.TempDir = chromePath, t.TempDir()
	b, err := browser.Launch(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// gated lets nobody in without what opens its gate, and remembers what came.
func gated(t testing.TB) (*site, func() []string) {
	var mu sync.Mutex
	var refused []string
	s := &site{mux: http.NewServeMux()}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookie := r.Method == http.MethodOptions // a preflight has none
		if c, err := r.Cookie("gate"); err == nil {
			cookie = c.Value == "1"
		}
		user, password, _ := r.BasicAuth()
		if r.URL.Path != "/favicon.ico" && (!cookie || r.Header.Get("X-Bypass") != "open" || r.UserAgent() != "ci/1" || user+password != "stagingpw") {
			mu.Lock()
			refused = append(refused, fmt.Sprint(r.Method, " ", r.URL, " ", r.Header))
			mu.Unlock()
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s, func() []string { mu.Lock(); defer mu.Unlock(); return refused }
}

func TestGateIsPassedByEveryRequestToItsOrigins(t *testing.T) {
	api, refusedThere := gated(t)
	api.mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
		if r.Method == http.MethodPost {
			io.WriteString(w, "a token")
		}
	})
	page, refusedHere := gated(t)
	outside := newSite(t, nil)
	var mu sync.Mutex
	var leaked []string
	outside.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		leaked = append(leaked, r.Header.Get("X-Bypass")+r.Header.Get("Authorization")+r.Header.Get("Cookie"))
		w.Header().Set("Access-Control-Allow-Origin", "*")
	})
	page.mux.Handle("GET /away", http.RedirectHandler(outside.elsewhere()+"/", http.StatusFound))
	page.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		writeHTML(w, fmt.Sprintf(`<img src=/away><script>
			fetch(%q, {method: "POST", credentials: "include", headers: {"Content-Type": "application/json"}, body: "{}"})
				.then((r) => r.text()).then((text) => document.title = text, (e) => document.title = e)</script>`, api.URL+"/token"))
	})
	gates := wire.Gates{{Origins: []string{page.URL, api.URL}, Header: map[string]string{"X-Bypass": "open", "User-Agent": "ci/1"}, User: "staging", Password: "pw", Cookies: map[string]string{"gate": "1"}}}
	b := launch(t, browser.Options{Gates: gates})
	p := visitAs(t, newUser(t, b, browser.Login{}), page.URL+"/", nil)
	eventually(t, "the token comes", func() bool { return title(t, p) == "a token" || len(refusedThere()) > 0 })
	if here, there := refusedHere(), refusedThere(); len(here)+len(there) > 0 {
		t.Errorf("the gates refused %v, %v", here, there)
	}
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(leaked, ""); len(leaked) == 0 || got != "" {
		t.Errorf("another origin got %q in %d requests", got, len(leaked))
	}
}
