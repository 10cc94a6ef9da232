//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
)

// A served is a kindlytest serve that runs.
type served struct {
	*exec.Cmd
	base   string
	stderr *lockedBuffer
	ended  chan error
}

// A lockedBuffer can be read while a process writes into it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var address = regexp.MustCompile(`^Kindly is at (http://\S+)`)

// serve starts the real program on a free port and waits until it says where.
func serve(t *testing.T, env []string, args ...string) *served {
	t.Helper()
	s := &served{
		Cmd:    exec.Command("kindlytest", append([]string{"serve"}, args...)...), // testscript.Main put it into PATH
		stderr: &lockedBuffer{}, ended: make(chan error, 1),
	}
	s.Env = append(s.Environ(), env...)
	s.Dir = t.TempDir()
	s.Stderr = s.stderr
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Process.Kill() }) // it has ended, if all went well
	lines := bufio.NewScanner(out)
	for s.base == "" && lines.Scan() {
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			s.base = m[1]
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, out)
		s.ended <- s.Wait()
	}()
	if s.base == "" {
		t.Fatalf("it did not start: %v %s", <-s.ended, s.stderr)
	}
	return s
}

// stop sends a signal and waits for the end.
func (s *served) stop(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := s.Process.Signal(sig); err != nil {
		t.Error(err)
	}
	select {
	case <-s.ended:
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}
}

// call sends JSON and reads JSON.
func (s *served) call(method, path, body string, into any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, s.base+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer key")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

// TestAKillLosesNothingThatWasAcknowledged kills the program while it is busy.
func TestAKillLosesNothingThatWasAcknowledged(t *testing.T) {
	db := filepath.Join(t.TempDir(), "k.db")
	total := 0
	for round := range 3 {
		s := serve(t, nil, "--listen", "127.0.0.1:0", "--db", db, "--webhook", "http://127.0.0.1:1/closed")
		acknowledged := underLoad(t, s)
		total += len(acknowledged)

		s = serve(t, nil, "--listen", "127.0.0.1:0", "--db", db)
		kept := map[string]bool{}
		var p struct {
			Events []struct {
				Kind, Chat string
				Seq        uint64
				Message    struct{ Text string }
			}
			Next uint64
			More bool
		}
		for p.More = true; p.More; {
			if err := s.call("GET", fmt.Sprintf("/mock/v1/journal?limit=1000&after=%d", p.Next), "", &p); err != nil {
				t.Fatal(err)
			}
			for _, e := range p.Events {
				kept[e.Kind+" "+e.Chat+" "+e.Message.Text] = true
			}
		}
		for _, want := range acknowledged {
			if !kept[want] {
				t.Errorf("round %d: %s was acknowledged, and is lost", round, want)
			}
		}
		s.stop(t, syscall.SIGTERM)
	}
	if total < 50 {
		t.Errorf("only %d events were acknowledged, too few to tell", total)
	}
}

// underLoad makes chats and messages, kills the program in the middle, and
// returns the events whose calls were answered.
func underLoad(t *testing.T, s *served) []string {
	t.Helper()
	var mu sync.Mutex
	var acknowledged []string
	note := func(events ...string) {
		mu.Lock()
		defer mu.Unlock()
		acknowledged = append(acknowledged, events...)
	}
	var enough atomic.Int32
	half := make(chan struct{})
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for n := 0; ; n++ {
				var chat struct{ ID string }
				if s.call("POST", "/mock/v1/chats", `{"bot_key":"bot"}`, &chat) != nil {
					return
				}
				note("chat.created " + chat.ID + " ")
				text := fmt.Sprintf("message %d of worker %d", n, worker)
				if s.call("POST", "/mock/v1/chats/"+chat.ID+"/messages", `{"text":"`+text+`"}`, nil) != nil {
					return
				}
				note("message.received "+chat.ID+" "+text, "webhook.failed "+chat.ID+" ")
				if enough.Add(1) == 40 {
					close(half)
				}
			}
		})
	}
	select {
	case <-half:
	case <-time.After(30 * time.Second):
		t.Error("it is too slow")
	}
	s.stop(t, syscall.SIGKILL)
	all.Wait()
	return acknowledged
}

func TestServeEndsInGoodOrder(t *testing.T) {
	s := serve(t, nil, "--listen", "127.0.0.1:0")
	stream, err := http.Get(s.base + "/mock/v1/stream") // does not hold it up
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	began := time.Now()
	s.stop(t, syscall.SIGINT)
	if code := s.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v to end", took)
	}
}

func TestServeOnAnOpenAddressWantsAToken(t *testing.T) {
	s := serve(t, nil, "--listen", "0.0.0.0:0", "--host", "kindly")
	res, err := http.Get(s.base + "/")
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != http.StatusOK {
		t.Errorf("%s, which it prints, is answered %s", s.base, res.Status)
	}
	var printed string
	waitUntil(t, "the note after the address", func() (found bool) {
		_, printed, found = strings.Cut(s.stderr.String(), "/#token=")
		return found
	})
	s.stop(t, syscall.SIGTERM)
	if len(strings.TrimSpace(printed)) != 32 {
		t.Errorf("the token is %q in %s", printed, s.stderr)
	}
}

// TestServeWithDialogues drives the file, the API and the signatures together.
func TestServeWithDialogues(t *testing.T) {
	pair, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	shop, err := fixtures.Start(t.Context(), fixtures.Options{Keys: pair})
	if err != nil {
		t.Fatal(err)
	}
	defer shop.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "kindlytest.yaml")
	writeFiles(t, dir, map[string]string{"public.pem": string(shop.PublicPEM), "kindlytest.yaml": `version: 1
bot: {key: shop, public_key: public.pem}
webhooks:
  - {name: orders, url: "https://hooks.example.com/kindly", connect_to: "http://127.0.0.1:1/", hmac_secret: "${SECRET}"}
dialogues:
  - slug: greeting
    phrases: [hello, hi]
    reply: "Hi, <b>you</b>"
    buttons: [{button_type: quick_reply, label: My order, value: where is my order}]
    new_context: {greeted: true}
  - {slug: order, phrases: [where is my order], webhook: orders}
  - {fallback: true, reply: I don't understand., exchange_slug: greeting}
`})
	s := serve(t, []string{"SECRET=hush"}, "--listen", "127.0.0.1:0", "-c", file)
	defer s.stop(t, syscall.SIGTERM)
	var chat struct{ ID string }
	if err := s.call("POST", "/mock/v1/chats", `{"bot_key":"any"}`, &chat); err != nil {
		t.Fatal(err)
	}
	say := func(text string) string {
		var got struct {
			Replies []struct{ Slug, By, Reply, Webhook, Error string }
		}
		if err := s.call("POST", "/mock/v1/chats/"+chat.ID+"/messages", `{"text":"`+text+`"}`, &got); err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, r := range got.Replies {
			all = append(all, r.Webhook+r.Slug+" "+r.By+" "+r.Reply)
		}
		return strings.Join(all, "; ")
	}
	for text, want := range map[string]string{
		"Hello!":             "greeting phrase Hi, <b>you</b>",
		"where is my order?": "order phrase ; orders  ",
		"what?":              "fallback fallback I don't understand.; greeting exchange_slug Hi, <b>you</b>",
	} {
		if got := say(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestServeOpensAPageAsItIs shows a page with Kindly's own script tag in a Chrome.
func TestServeOpensAPageAsItIs(t *testing.T) {
	requireBrowser(t)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><script>window.kindlyOptions = {getAuthToken: () => "no token"}</script>
<script id="kindly-chat" src="https://chat.kindlycdn.com/kindly-chat.js" data-bot-key="my-bot" defer></script>`)
	}))
	defer page.Close()
	s := serve(t, nil, "--listen", "127.0.0.1:0", "--open", page.URL, "--headless")
	var got struct {
		Event struct {
			Bot   string
			Token struct{ Accepted bool }
		}
	}
	if err := s.call("GET", "/mock/v1/wait?kind=token.refused&timeout_ms=20000", "", &got); err != nil || got.Event.Bot != "my-bot" {
		t.Errorf("%v %+v %s", err, got, s.stderr)
	}
	s.stop(t, syscall.SIGINT)
	if code := s.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d: %s", code, s.stderr)
	}
}
