package browser_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// A page chooses the size of what it says. What is taken in of it is bounded, and
// that there was more is told.
func TestPagesCannotTakeOurMemory(t *testing.T) {
	const most = 110 << 20 // bytes of heap, each page saying 40 MB or more
	never := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			t.Error("a body of 40 MB was handed over")
		}
	})
	for _, tt := range []struct {
		name, script string
		told         func(browser.Record) bool
	}{
		{"it throws 40 MB", `setTimeout(() => { throw Error("x".repeat(40e6)) })`,
			func(r browser.Record) bool {
				return len(r.Exceptions) == 1 && strings.Contains(r.Exceptions[0].Text, "MB")
			}},
		{"it logs 40 MB", `console.log("x".repeat(40e6))`,
			func(r browser.Record) bool {
				return len(r.Console) == 1 && strings.Contains(r.Console[0].Text, "40 MB")
			}},
		{"it rejects with 40 MB", `Promise.reject("x".repeat(40e6))`,
			func(r browser.Record) bool { return len(r.Exceptions) == 1 }},
		{"it floods the console", `for (let i = 0; i < 40; i++) console.log("x".repeat(2e6))`,
			func(r browser.Record) bool { return len(r.Console) == 40 }},
		{"it posts 40 MB to Kindly", `fetch("https://bot.kindly.ai/x", {method: "POST", body: "x".repeat(40e6)}).catch(() => {})`,
			func(r browser.Record) bool { return len(r.Requests) == 2 && r.Requests[1].Error != "" }},
		{"it posts a blob of 40 MB to Kindly", `fetch("https://bot.kindly.ai/x", {method: "POST", body: new Blob(["x".repeat(40e6)])}).catch(() => {})`,
			func(r browser.Record) bool { return len(r.Requests) == 2 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, map[string]string{"/": `<script>` + tt.script + `</script>`})
			u := newUser(t, chrome(t), browser.Login{})
			stop := peak()
			p := visitAs(t, u, s.URL, never)
			eventually(t, "it is told", func() bool { return tt.told(p.Record()) })
			if heap := stop(); heap > most {
				t.Errorf("it took %d MB here", heap>>20)
			}
		})
	}
}

// peak measures how far the heap grows until it is stopped.
func peak() (stop func() uint64) {
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	done, most := make(chan struct{}), make(chan uint64)
	go func() {
		var m runtime.MemStats
		highest := uint64(0)
		for {
			runtime.ReadMemStats(&m)
			highest = max(highest, m.HeapAlloc)
			select {
			case <-done:
				most <- highest - min(highest, before.HeapAlloc)
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return func() uint64 { close(done); return <-most }
}

func TestTokenThatIsTooLargeIsToldByItsLength(t *testing.T) {
	k := &stubKindly{}
	s := newSite(t, map[string]string{"/": optionsPage(`kindlyOptions = {getAuthToken: async () => "x".repeat(50e6)}`)})
	u := newUser(t, chrome(t), browser.Login{})
	stop := peak()
	p := visitAs(t, u, s.URL, k)
	if got := k.settled(t, 1); got["outcome"] != "token" || got["length"] != 50e6 {
		t.Errorf("settled: %v", got)
	}
	eventually(t, "the widget says so", func() bool {
		return strings.Contains(script(t, p, `document.querySelector(".kindly-why").textContent`), "too long")
	})
	if got := k.all("/token"); len(got) > 0 {
		t.Error("the token was handed over")
	}
	r, err := p.Call(withTimeout(t), chatID)
	if err != nil || r.Outcome != browser.OutcomeToken || r.Length != 50e6 || len(r.Token) > 2<<20 {
		t.Errorf("%v, of %d, %d bytes kept, %v", r, r.Length, len(r.Token), err)
	}
	if heap := stop(); heap > 100<<20 {
		t.Errorf("it took %d MB here", heap>>20)
	}
}

func TestEndlessDialogsAreNamed(t *testing.T) {
	s := newSite(t, map[string]string{"/": `<script>for (;;) { alert("Your session is over"); confirm("Again?"); prompt("Who are you?") }</script>`})
	u := newUser(t, chrome(t), browser.Login{})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := u.Visit(ctx, s.URL, nil)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), `this alert: "Your session is over"`) {
		t.Errorf("Visit: %v", err)
	}
}

func TestDialogsAreRecorded(t *testing.T) {
	s := newSite(t, map[string]string{"/": `<script>confirm("Cookies?")</script>`})
	got := visit(t, s.URL, nil).Record().Dialogs
	if len(got) != 1 || got[0] != (browser.Dialog{Type: "confirm", Message: "Cookies?", URL: s.URL + "/"}) {
		t.Errorf("dialogs: %+v", got)
	}
}

func TestChromeThatIsKilledIsNoPagesFault(t *testing.T) {
	needChrome(t)
	b, err := browser.Launch(t.Context(), browser.Options{Path: chromePath})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	waiting := make(chan struct{})
	s := newSite(t, nil)
	s.mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		close(waiting)
		<-r.Context().Done()
	})
	u := newUser(t, b, browser.Login{})
	go func() {
		<-waiting
		browser.Kill(b)
	}()
	if _, err := u.Visit(withTimeout(t), s.URL, nil); !errors.Is(err, browser.ErrEnded) || !errors.Is(err, browser.ErrClosed) {
		t.Errorf("Visit: %v", err)
	}
}

// Whoever ends Chrome knows, and reads of no accident.
func TestClosingIsNoEnd(t *testing.T) {
	needChrome(t)
	b, err := browser.Launch(t.Context(), browser.Options{Path: chromePath})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.NewUser(t.Context(), browser.Login{}); !errors.Is(err, browser.ErrClosed) || errors.Is(err, browser.ErrEnded) {
		t.Errorf("NewUser: %v", err)
	}
}

// Chrome gets what it needs of the environment, and no secret of the CI.
func TestChromeGetsNoSecretsOfOurEnvironment(t *testing.T) {
	needChrome(t)
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	t.Setenv("DEPLOY_TOKEN", "secret-of-the-ci")
	t.Setenv("LC_ALL", "C.UTF-8")
	dir := t.TempDir()
	b, err := browser.Launch(t.Context(), browser.Options{Path: chromePath, TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	environments := environmentsOf(t, dir)
	if !strings.Contains(environments, "LC_ALL=C.UTF-8") || !strings.Contains(environments, "PATH=") {
		t.Error("Chrome's environment lacks what it needs")
	}
	if strings.Contains(environments, "secret-of-the-ci") {
		t.Error("Chrome's environment holds a secret")
	}
}

// environmentsOf are those of all processes whose command line names a folder.
func environmentsOf(t *testing.T, dir string) string {
	t.Helper()
	out, err := exec.Command("pgrep", "-f", dir).Output()
	if err != nil {
		t.Fatal("no Chrome was found: ", err)
	}
	var all strings.Builder
	for pid := range strings.FieldsSeq(string(out)) {
		text, err := os.ReadFile(filepath.Join("/proc", pid, "environ"))
		if err == nil { // else it is gone by now
			all.Write(text)
		}
	}
	return all.String()
}
