package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/porttest"
	"github.com/kindlytest/kindlytest/reports"
)

// theApp is a small one: a page with the chat, a token endpoint that may mistake
// the chat, and a webhook that may answer no JSON.
const theApp = `const http = require("http"), crypto = require("crypto"), fs = require("fs");
const wrong = %t; // edition %d
const key = fs.readFileSync("private.pem");
const b64 = (v) => Buffer.from(v).toString("base64url");
const token = (chat) => {
  const now = Math.floor(Date.now() / 1000);
  const text = b64(JSON.stringify({alg: "RS256", typ: "JWT"})) + "." + b64(JSON.stringify({sub: "42", name: "Ada", email: "ada@example.com",
    email_verified: true, iat: now, exp: now + 300, chat: {id: chat, webhook_domains: ["*.example.com"]}}));
  return text + "." + crypto.createSign("RSA-SHA256").update(text).sign(key, "base64url");
};
const page = '<!doctype html><title>Shop</title><script>window.kindlyOptions = {getAuthToken: async (chatId) => (await (await fetch("/token", ' +
  '{method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId})})).json()).token}</scr' + 'ipt>' +
  '<script id="kindly-chat" src="https://chat.kindlycdn.com/kindly-chat.js" data-bot-key="shop" defer></scr' + 'ipt>';
http.createServer((request, response) => {
  let body = "";
  request.on("data", (b) => body += b).on("end", () => {
    const answer = (type, text) => { response.setHeader("Content-Type", type); response.setHeader("Cache-Control", "no-store"); response.end(text); };
    let sent = {};
    try { sent = JSON.parse(body); } catch {}
    switch (request.url) {
    case "/": return answer("text/html", page);
    case "/token": return answer("application/json", JSON.stringify({token: token(wrong ? "6f1c8f3e-2b7a-4c59-9d1e-0a4b5c6d7e8f" : sent.chatId)}));
    case "/kindly": return wrong ? answer("text/plain", "Hello") : answer("application/json", JSON.stringify({reply: "Hello"}));
    }
    response.statusCode = 404;
    response.end();
  });
}).listen(%d, "127.0.0.1", () => console.log("edition %d listens"));
`

// An editedApp is the app under node --watch, which restarts it when it is saved.
type editedApp struct {
	t       *testing.T
	dir     string
	port    int
	edition int
	lines   chan string
}

func startEdited(t *testing.T) *editedApp {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("KINDLYTEST_REQUIRE_STACKS") == "1" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED, NOT CHECKED: there is no Node.js")
	}
	private, _, err := keyPair()
	if err != nil {
		t.Fatal(err)
	}
	e := &editedApp{t: t, dir: t.TempDir(), port: porttest.Free(t), lines: make(chan string, 1000)}
	if err := os.WriteFile(filepath.Join(e.dir, "private.pem"), private, 0o600); err != nil {
		t.Fatal(err)
	}
	e.write(true)
	cmd := exec.CommandContext(t.Context(), node, "--watch", "server.js")
	cmd.Dir = e.dir
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it ends the app, too
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context is done
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			e.lines <- s.Text()
		}
	}()
	e.listening()
	return e
}

// write saves an edition in place: node --watch sees no file that replaces another.
func (e *editedApp) write(wrong bool) {
	e.t.Helper()
	e.edition++
	text := fmt.Sprintf(theApp, wrong, e.edition, e.port, e.edition)
	if err := os.WriteFile(filepath.Join(e.dir, "server.js"), []byte(text), 0o600); err != nil {
		e.t.Fatal(err)
	}
}

// listening waits for the newest edition, and says since when it listens.
func (e *editedApp) listening() time.Time {
	e.t.Helper()
	for {
		select {
		case line := <-e.lines:
			if line == fmt.Sprintf("edition %d listens", e.edition) {
				return time.Now()
			}
		case <-time.After(time.Minute):
			e.t.Fatal("the app does not listen")
		}
	}
}

// A seen is what run --watch prints, to wait for.
type seen struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
	read int
}

func (s *seen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p)
	select {
	case s.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

// next waits for one of the texts beyond what was read, reads up to it, and says when.
func (s *seen) next(t *testing.T, words ...string) (string, time.Time) {
	t.Helper()
	patience := time.After(3 * time.Minute)
	for {
		s.mu.Lock()
		rest := s.text.String()[s.read:]
		for _, w := range words {
			if i := strings.Index(rest, w); i >= 0 {
				s.read += i + len(w)
				s.mu.Unlock()
				return w, time.Now()
			}
		}
		s.mu.Unlock()
		select {
		case <-s.more:
		case <-patience:
			t.Fatalf("none of %q is said after:\n%s", words, rest)
		}
	}
}

// watched runs kindlytest run --watch, until the test ends.
func watched(t *testing.T, e *editedApp, args ...string) (*seen, func() int) {
	t.Helper()
	s := &seen{more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	a := &app{stdin: strings.NewReader(""), stdout: s, stderr: s, lookupEnv: func(string) (string, bool) { return "", false }}
	code := make(chan int, 1)
	go func() {
		code <- a.run(ctx, append([]string{"run", "--watch", "--watch-path", e.dir, "--report-dir", filepath.Join(e.dir, "reports")}, args...))
	}()
	ended := sync.OnceValue(func() int { cancel(); return <-code })
	t.Cleanup(func() { ended() })
	return s, ended
}

// saves edits the app to and fro, and returns the shortest time from that it
// listens again to the verdict on what failed: what else the machine does takes
// time, too, and must not count.
func (e *editedApp) saves(s *seen, id string, bound time.Duration) time.Duration {
	e.t.Helper()
	var took []time.Duration
	for range 8 {
		e.write(false)
		listens := e.listening()
		_, at := s.next(e.t, "✔ "+id+"  holds now")
		took = append(took, at.Sub(listens))
		s.next(e.t, "PASSED")
		if slices.Min(took) <= bound {
			break
		}
		e.write(true)
		e.listening()
		s.next(e.t, "FAILED")
	}
	e.t.Logf("from listening to the verdict: %v", took)
	return slices.Min(took)
}

func TestWatchSeesAVerdictChangeWithoutAPage(t *testing.T) {
	e := startEdited(t)
	s, end := watched(t, e, "--webhook", fmt.Sprintf("http://127.0.0.1:%d/kindly", e.port), "--only", "RESP-JSON,RESP-STATUS")
	s.next(t, "FAILED")
	const bound = 300 * time.Millisecond
	if best := e.saves(s, "RESP-JSON", bound); best > bound {
		t.Errorf("it took %s at best, more than %s", best, bound)
	}
	if code := end(); code != exitOK {
		t.Errorf("exit code %d, though the last verdict is PASSED", code)
	}
	if run := readRun(t, filepath.Join(e.dir, "reports")); rowOf(t, run, "RESP-JSON").Outcome != reports.Passed || run.ExitCode != 0 {
		t.Errorf("the report says %+v", rowOf(t, run, "RESP-JSON"))
	}
}

func TestWatchSeesAVerdictChangeWithAPage(t *testing.T) {
	requireBrowser(t)
	e := startEdited(t)
	s, _ := watched(t, e, fmt.Sprintf("http://127.0.0.1:%d/", e.port), "--only", "AUTH-BIND-CHAT,AUTH-POST-TOKEN")
	s.next(t, "FAILED")
	const bound = time.Second
	if best := e.saves(s, "AUTH-BIND-CHAT", bound); best > bound {
		t.Errorf("it took %s at best, more than %s", best, bound)
	}
}

// Nothing of the app runs yet: it is waited for. Then it dies and comes back.
func TestWatchWaitsForTheApp(t *testing.T) {
	port := porttest.Free(t)
	s := &seen{more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	a := &app{stdin: strings.NewReader(""), stdout: s, stderr: s, lookupEnv: func(string) (string, bool) { return "", false }}
	ended := make(chan int, 1)
	go func() {
		ended <- a.run(ctx, []string{"run", "--watch", "--watch-path", t.TempDir(), "--report-dir", filepath.Join(t.TempDir(), "reports"),
			"--webhook", fmt.Sprintf("http://127.0.0.1:%d/kindly", port), "--only", "RESP-JSON"})
	}()
	s.next(t, fmt.Sprintf("waiting for 127.0.0.1:%d to listen", port))
	listen := func(answer string) *http.Server {
		server := &http.Server{Addr: fmt.Sprintf("127.0.0.1:%d", port), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, answer)
		})}
		l, err := net.Listen("tcp", server.Addr)
		if err != nil {
			t.Fatal(err)
		}
		go server.Serve(l)
		return server
	}
	first := listen(noJSON)
	s.next(t, "FAILED")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	// Long enough to be seen: what comes back at once was not away.
	time.Sleep(2 * trySeldom)
	second := listen(soundAnswer)
	defer second.Close()
	s.next(t, "your app is back")
	s.next(t, "✔ RESP-JSON  holds now")
	cancel()
	if code := <-ended; code != exitOK && code != exitBroken {
		t.Errorf("exit code %d", code)
	}
}

// What is asked of an app that ends for a change proves nothing, and nothing is said of it.
func TestWatchAccusesNobodyOfARestart(t *testing.T) {
	port, dir := porttest.Free(t), t.TempDir()
	address := fmt.Sprintf("127.0.0.1:%d", port)
	var ends atomic.Bool
	var server *http.Server
	listen := func(answer string) {
		own := &http.Server{Addr: address}
		server = own
		own.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if ends.Load() { // it listened, and does no more
				own.Close()
				panic(http.ErrAbortHandler)
			}
			_, _ = io.WriteString(w, answer)
		})
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		go own.Serve(l)
	}
	listen(noJSON)
	s := &seen{more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	a := &app{stdin: strings.NewReader(""), stdout: s, stderr: s, lookupEnv: func(string) (string, bool) { return "", false }}
	ended := make(chan int, 1)
	go func() {
		ended <- a.run(ctx, []string{"run", "--watch", "--watch-path", dir, "--report-dir", filepath.Join(t.TempDir(), "reports"),
			"--webhook", "http://" + address + "/kindly", "--only", "RESP-JSON"})
	}()
	s.next(t, "FAILED")
	ends.Store(true)
	from := s.read
	if err := os.WriteFile(filepath.Join(dir, "app.js"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.next(t, "waiting for "+address+" to listen")
	ends.Store(false)
	listen(soundAnswer)
	defer server.Close()
	s.next(t, "✔ RESP-JSON  holds now")
	s.mu.Lock()
	if said := s.text.String()[from:s.read]; strings.Contains(said, "✘ RESP-JSON") {
		t.Errorf("it is accused of the restart:\n%s", said)
	}
	s.mu.Unlock()
	cancel()
	<-ended
}

func TestWatchKeys(t *testing.T) {
	w := &watching{screen: &screen{app: &app{stdout: io.Discard}}, out: &outputFlags{reportDir: t.TempDir()}, listens: &presence{}}
	for key, want := range map[byte]*request{
		'a': {why: "asked for all"}, 'f': {why: "asked for what failed", failed: true}, 'q': {quit: true}, 3: {quit: true}, 'x': nil,
	} {
		if got := w.onKey(t.Context(), key); (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("%q asks for %+v, want %+v", key, got, want)
		}
	}
	if got := w.onChange([]string{"/x/kindlytest.yaml"}, true); got.renew {
		t.Error("there is no file that describes the target")
	}
	w.out.config = "kindlytest.yaml"
	if got := w.onChange([]string{"/x/kindlytest.yaml"}, true); !got.renew || !got.changed {
		t.Errorf("%+v", got)
	}
}

// Where the app is, the file says: it is watched wherever the sources are, and the
// address that it names now is the one that is waited for.
func TestWatchFollowsTheFileThatDescribesTheTarget(t *testing.T) {
	answers := func(answer string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, answer)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "kindlytest.yaml")
	describe := func(url string) {
		text := "version: 1\nname: shop\nwebhooks: [{name: hook, url: https://hooks.example.com/kindly, connect_to: " + url + "}]\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	gone := answers(noJSON)
	describe(gone)
	s := &seen{more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	a := &app{stdin: strings.NewReader(""), stdout: s, stderr: s, lookupEnv: func(string) (string, bool) { return "", false }}
	ended := make(chan int, 1)
	go func() {
		ended <- a.run(ctx, []string{"run", "--watch", "--watch-path", t.TempDir(), "-c", file,
			"--report-dir", filepath.Join(dir, "reports"), "--only", "RESP-JSON"})
	}()
	s.next(t, "FAILED")
	nobody := porttest.Nobody
	describe("http://" + nobody + "/")
	s.next(t, "kindlytest.yaml changed")
	s.next(t, "waiting for "+nobody+" to listen")
	describe(answers(soundAnswer))
	s.next(t, "✔ RESP-JSON  holds now")
	s.next(t, "PASSED")
	cancel()
	if code := <-ended; code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

// With --last-failed the first run, too, begins with what the report says has failed.
func TestWatchBeginsWithWhatFailedLastTime(t *testing.T) {
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, noJSON)
	}))
	t.Cleanup(hook.Close)
	args := []string{"run", "--webhook", hook.URL, "--only", "RESP-JSON,RESP-STATUS", "--report-dir", filepath.Join(t.TempDir(), "reports")}
	if out := runHere(t.Context(), nil, "", args...); out.code != exitBroken {
		t.Fatalf("exit code %d: %s", out.code, out.stderr)
	}
	s := &seen{more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	a := &app{stdin: strings.NewReader(""), stdout: s, stderr: s, lookupEnv: func(string) (string, bool) { return "", false }}
	ended := make(chan int, 1)
	go func() {
		ended <- a.run(ctx, append(args, "--watch", "--last-failed", "--watch-path", t.TempDir()))
	}()
	s.next(t, "0 of 1 that failed hold now")
	s.next(t, "FAILED")
	cancel()
	<-ended
}

func TestWatchScreenKeepsTheVerdictInSight(t *testing.T) {
	long := []string{"✘ Not ready", "a", "b", "c", "d", "e", "f", "g", "reports: x", "FAILED  1 of 2 checks ·", "  2 skipped"}
	for name, row := range map[string]struct {
		rows, notes int
		want        []string
	}{
		"no terminal":     {0, 0, long},
		"room for all":    {15, 0, long},
		"a wrapped end":   {12, 0, slices.Concat(long[:6], []string{"… o opens the rest"}, long[9:])},
		"room for a note": {12, 1, slices.Concat(long[:5], []string{"… o opens the rest"}, long[9:])},
		"hardly any":      {7, 0, slices.Concat(long[:1], []string{"… o opens the rest"}, long[9:])},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fitting(long, row.rows, row.notes); !slices.Equal(got, row.want) {
				t.Errorf("%q", got)
			}
		})
	}
}

// What was said before a result is drawn would be gone with it.
func TestWatchScreenSaysNotesBelowTheResult(t *testing.T) {
	var b bytes.Buffer
	s := &screen{app: &app{stdout: &b}, clear: true, raw: true, result: []string{"PASSED"}}
	s.draw("! the disk is full")
	_, drawn, _ := strings.Cut(b.String(), "\x1b[2J\x1b[3J")
	if got, want := strings.ReplaceAll(drawn, "\r\x1b[K", ""), "PASSED\r\n! the disk is full\r\n"+watchKeys+"\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// What is said while a run goes on stands in the place of its status line.
func TestWatchScreenReplacesTheStatusLine(t *testing.T) {
	var b bytes.Buffer
	s := &screen{app: &app{stdout: &b}, clear: true, raw: true}
	fmt.Fprint(s, "78/147 · 934 ms")
	s.line("1 of 1 that failed hold now")
	if want := "78/147 · 934 ms\r\x1b[K1 of 1 that failed hold now\r\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

func TestWatchRefusesWhatDoesNotGoTogether(t *testing.T) {
	for _, row := range []struct {
		args []string
		says string
	}{
		{[]string{"--watch", "--json", "http://localhost:1/"}, "--json and --watch exclude each other"},
		{[]string{"--watch-path", "src", "http://localhost:1/"}, "--watch-path says nothing without --watch"},
		{[]string{"--watch", "--watch-path", "nowhere", "--format", "none", "http://localhost:1/"}, "nowhere"},
		{[]string{"--watch", "-c", writeFile(t, "kindlytest.yaml", "version: 1\ntargets: [{name: a, page: {url: http://localhost:1/}}, {name: b, page: {url: http://localhost:2/}}]\n")}, "--watch and --observe-client are for one target"},
	} {
		out := runHere(t.Context(), nil, "", append([]string{"run"}, row.args...)...)
		if out.code != exitUsage || !strings.Contains(out.stderr, row.says) {
			t.Errorf("%q: exit code %d, %s%s", row.args, out.code, out.stdout, out.stderr)
		}
	}
}
