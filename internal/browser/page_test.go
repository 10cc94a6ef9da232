package browser_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
)

func TestNavigationSaysHowTheDocumentCame(t *testing.T) {
	s := newSite(t, map[string]string{"/here": "here", "/js": "<script>location.replace('/here')</script>"})
	s.mux.Handle("GET /moved", http.RedirectHandler("/moved2", http.StatusFound))
	s.mux.Handle("GET /moved2", http.RedirectHandler("/here", http.StatusMovedPermanently))
	for _, tt := range []struct {
		name, path string
		want       browser.Navigation
	}{
		{"a page", "/here", browser.Navigation{URL: s.URL + "/here", Status: 200}},
		{"a page that is not there", "/nowhere", browser.Navigation{URL: s.URL + "/nowhere", Status: 404}},
		{"two redirects", "/moved", browser.Navigation{URL: s.URL + "/here", Status: 200, Redirects: []string{s.URL + "/moved", s.URL + "/moved2"}}},
		{"a redirect by script", "/js", browser.Navigation{URL: s.URL + "/here", Status: 200}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := visit(t, s.URL+tt.path, nil).Record().Navigation
			if got.URL != tt.want.URL || got.Status != tt.want.Status || got.Error != "" || !slices.Equal(got.Redirects, tt.want.Redirects) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if got.Header.Get("Content-Type") == "" {
				t.Errorf("no headers: %v", got.Header)
			}
		})
	}
}

func TestUnreachablePageIsARecordAndNoError(t *testing.T) {
	got := visit(t, "http://127.0.0.1:1/", nil).Record().Navigation
	if !strings.Contains(got.Error, "ERR_") || got.Status != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestVisitRefusesWhatIsNoPage(t *testing.T) {
	u := newUser(t, chrome(t), browser.Login{})
	for _, url := range []string{"", "shop.example", "file:///etc/passwd", "javascript:alert(1)", "http://", "http://[::1"} {
		if _, err := u.Visit(withTimeout(t), url, nil); err == nil {
			t.Errorf("%q was opened", url)
		}
	}
}

func TestVisitEndsWithItsContext(t *testing.T) {
	s := newSite(t, nil)
	s.mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	u := newUser(t, chrome(t), browser.Login{})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := u.Visit(ctx, s.URL+"/?secret=1", nil)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error tells the query: %v", err)
	}
}

func TestEndlessImageDoesNotHoldUpTheVisit(t *testing.T) {
	s := newSite(t, map[string]string{"/": "<img src=/never.png>"})
	s.mux.HandleFunc("GET /never.png", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	u := newUser(t, chrome(t), browser.Login{})
	began := time.Now()
	p, err := u.Visit(withTimeout(t), s.URL, nil)
	if err != nil || time.Since(began) > 10*time.Second {
		t.Fatalf("%v after %v", err, time.Since(began))
	}
	p.Close()
}

func TestPagesCannotHoldUsUp(t *testing.T) {
	s := newSite(t, map[string]string{
		"/dialogs": `<script>alert("a"); document.title = [confirm("b"), confirm("b"), confirm("c"), prompt("d", "e")]; onbeforeunload = (e) => e.preventDefault()</script>`,
		"/popup":   `<script>window.open("/popped")</script>`,
		"/loop":    `<script>setTimeout(() => { for (;;); }, 50)</script>`,
	})
	popped := make(chan struct{}, 9)
	s.mux.HandleFunc("GET /popped", func(w http.ResponseWriter, r *http.Request) { popped <- struct{}{}; writeHTML(w, "popped") })
	t.Run("dialogs are answered, a question once with OK", func(t *testing.T) {
		p := visit(t, s.URL+"/dialogs", nil)
		if got := title(t, p); got != "true,false,true," {
			t.Errorf("confirm, confirm again, another confirm and prompt gave %s", got)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("windows are closed", func(t *testing.T) {
		visit(t, s.URL+"/popup", nil)
		if len(popped) > 0 {
			t.Error("the window loaded its document")
		}
	})
	t.Run("a page in an endless loop can be closed", func(t *testing.T) {
		p := visit(t, s.URL+"/loop", nil)
		time.Sleep(100 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := p.State(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("State returned %v", err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("a closed page says so", func(t *testing.T) {
		p := visit(t, s.URL+"/popup", nil)
		p.Close()
		if _, err := p.State(withTimeout(t)); !errors.Is(err, browser.ErrClosed) {
			t.Errorf("State returned %v", err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("closing again: %v", err)
		}
	})
}

// Some pages have a chat on wide screens only.
func TestTheScreenIsThatOfADesk(t *testing.T) {
	s := newSite(t, map[string]string{"/": `<meta name=viewport content="width=device-width"><script>document.title = matchMedia("(min-width: 1280px) and (min-height: 600px)").matches</script>`})
	if got := title(t, visit(t, s.URL, nil)); got != "true" {
		t.Errorf("a page takes it for a small device")
	}
}

func TestUserAgentIsChromesWithTheSuffix(t *testing.T) {
	s := newSite(t, map[string]string{"/": "<script>document.title = navigator.userAgent</script>"})
	p := visit(t, s.URL, nil)
	st, err := p.State(withTimeout(t))
	if err != nil {
		t.Fatal(err)
	}
	sent := find(t, p.Record(), "GET", s.URL).Header.Get("User-Agent")
	if sent != st.Title || !strings.HasSuffix(sent, " kindlytest/test") || strings.Contains(sent, "Headless") || !strings.Contains(sent, "Chrome/") {
		t.Errorf("sent %q, navigator has %q", sent, st.Title)
	}
}

func TestState(t *testing.T) {
	s := newSite(t, map[string]string{"/": `<script id=kindly-chat src=/x.js data-bot-key=bot-1 data-shadow-dom=1 defer></script>
		<script>localStorage.a = "1"; sessionStorage.b = "2"; document.cookie = "c=3; SameSite=Strict"</script>`})
	s.mux.HandleFunc("GET /x.js", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "4", HttpOnly: true, MaxAge: 3600, Path: "/x"})
	})
	p := visit(t, s.URL, nil)
	st, err := p.State(withTimeout(t))
	if err != nil {
		t.Fatal(err)
	}
	if st.URL != s.URL+"/" || st.Title != "Test page" || st.LocalStorage["a"] != "1" || st.SessionStorage["b"] != "2" {
		t.Errorf("got %+v", st)
	}
	if len(st.Scripts) != 2 || st.Scripts[0].ID != "kindly-chat" || st.Scripts[0].BotKey != "bot-1" ||
		st.Scripts[0].Src != s.URL+"/x.js" || st.Scripts[0].Data["shadowDom"] != "1" {
		t.Errorf("scripts: %+v", st.Scripts)
	}
	slices.SortFunc(st.Cookies, func(a, b browser.StoredCookie) int { return strings.Compare(a.Name, b.Name) })
	if len(st.Cookies) != 2 || !st.Cookies[0].Session || st.Cookies[0].SameSite != "Strict" || st.Cookies[0].Value != "3" ||
		!st.Cookies[1].HTTPOnly || st.Cookies[1].Session || time.Until(st.Cookies[1].Expires) < 50*time.Minute {
		t.Errorf("cookies: %#v", st.Cookies)
	}
}

func TestResolveSendsAHostElsewhere(t *testing.T) {
	needChrome(t)
	s := newSite(t, map[string]string{"/": "the shop"})
	address := strings.TrimPrefix(s.URL, "http://")
	b, err := browser.Launch(withTimeout(t), browser.Options{Path: chromePath, TempDir: t.TempDir(), Resolve: map[string]string{"shop.example": address}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p := visitAs(t, newUser(t, b, browser.Login{}), "http://shop.example/", nil)
	nav := p.Record().Navigation
	if nav.Status != 200 || nav.URL != "http://shop.example/" {
		t.Errorf("got %+v", nav)
	}
}

func TestGoneTellsOfATabThatItsUserClosed(t *testing.T) {
	s := newSite(t, map[string]string{"/": "hello"})
	p := visit(t, s.URL, nil)
	select {
	case <-p.Gone():
		t.Fatal("it is gone while it is open")
	default:
	}
	if err := browser.CloseTab(p); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Gone():
	case <-time.After(10 * time.Second):
		t.Error("it is not gone although it is closed")
	}
}
