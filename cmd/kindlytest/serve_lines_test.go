//go:build unix

package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
)

// startServe starts the real program and hands out its output.
func startServe(t *testing.T, env []string, args ...string) (s *served, out io.ReadCloser, lines *bufio.Scanner) {
	t.Helper()
	s = &served{
		Cmd:    exec.Command("kindlytest", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...),
		stderr: &lockedBuffer{}, ended: make(chan error, 1),
	}
	s.Env, s.Dir, s.Stderr = append(s.Environ(), env...), t.TempDir(), s.stderr
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(time.Minute, func() { s.Process.Kill() }) // whoever waits for a line learns that none comes
	t.Cleanup(func() { late.Stop(); s.Process.Kill() })
	lines = bufio.NewScanner(out)
	for s.base == "" && lines.Scan() {
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			s.base = m[1]
		}
	}
	if s.base == "" {
		t.Fatalf("it did not start: %s", s.stderr)
	}
	return s, out, lines
}

func TestServeShowsALineForEachEvent(t *testing.T) {
	const secret = "a-secret-of-the-webhook-0123456789"
	answer := `{"reply": "Hello"}`
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
	defer hook.Close()
	s, _, lines := startServe(t, []string{hmacSecretVariable + "=" + secret}, "--webhook", "orders="+hook.URL)
	var chat struct{ ID string }
	say := func(text string) {
		t.Helper()
		if err := s.call("POST", "/mock/v1/chats/"+chat.ID+"/messages", `{"text": "`+text+`"}`, nil); err != nil {
			t.Error(err)
		}
	}
	if err := s.call("POST", "/mock/v1/chats", `{"bot_key": "mock"}`, &chat); err != nil {
		t.Fatal(err)
	}
	next := func(kind string) string {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), kind) {
				return lines.Text()
			}
		}
		t.Fatalf("no line tells of %s", kind)
		return ""
	}
	say("hello, my secret is " + secret + ` \n::error::hello ##[group]x \u001b[31m`)
	said := next("message.received")
	if !regexp.MustCompile(`^\d\d:\d\d:\d\d   message\.received +hello, my secret is `).MatchString(said) {
		t.Errorf("%q", said)
	}
	if strings.Contains(said, secret) || strings.Contains(said, "##[") || strings.Contains(said, "\x1b") {
		t.Errorf("it shows a secret, or what a runner obeys: %q", said)
	}
	if got := next("webhook.delivered"); !regexp.MustCompile(`^\d\d:\d\d:\d\d   webhook\.delivered  200 +\d+ ms  orders: without the token: `).MatchString(got) {
		t.Errorf("%q", got)
	}
	answer = "<html>"
	say("again")
	if got := next("webhook.delivered"); !regexp.MustCompile(`^\d\d:\d\d:\d\d ! webhook\.delivered  200 +\d+ ms  orders: the webhook's answer is no JSON object but `).MatchString(got) {
		t.Errorf("%q", got)
	}
	hook.Close()
	say("once more")
	if got := next("webhook.failed"); !regexp.MustCompile(`^\d\d:\d\d:\d\d ! webhook\.failed +(unreachable|reset) +\d+ ms  orders: no answer: `).MatchString(got) {
		t.Errorf("%q", got)
	}
	if err := s.Process.Signal(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	for lines.Scan() {
	}
	if err := s.Wait(); err != nil {
		t.Errorf("%v: %s", err, s.stderr)
	}

	// --quiet shows none.
	s, _, lines = startServe(t, nil, "--quiet", "--webhook", "orders=http://127.0.0.1:1/")
	if err := s.call("POST", "/mock/v1/chats", `{"bot_key": "mock"}`, &chat); err != nil {
		t.Fatal(err)
	}
	if err := s.Process.Signal(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	for lines.Scan() {
		if strings.Contains(lines.Text(), "chat.created") {
			t.Errorf("it shows %q", lines.Text())
		}
	}
	if err := s.Wait(); err != nil {
		t.Errorf("%v: %s", err, s.stderr)
	}
}

// A terminal that stalls, and one that is gone, hold up nobody.
func TestNobodyWaitsForTheTerminalOfServe(t *testing.T) {
	for _, way := range []string{"stalled", "gone"} {
		t.Run(way, func(t *testing.T) {
			s, out, _ := startServe(t, nil, "--webhook", "orders=http://127.0.0.1:1/")
			if way == "gone" {
				if err := out.Close(); err != nil {
					t.Fatal(err)
				}
			}
			text := strings.Repeat("x", 300)
			for range 500 { // several hundred KB of lines: more than a pipe holds
				var chat struct{ ID string }
				if err := s.call("POST", "/mock/v1/chats", `{"bot_key": "mock"}`, &chat); err != nil {
					t.Fatal(err)
				}
				if err := s.call("POST", "/mock/v1/chats/"+chat.ID+"/messages", `{"text": "`+text+`"}`, nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			go func() { s.ended <- s.Wait() }() // which closes the pipe only after the end
			select {
			case err := <-s.ended:
				if err != nil {
					t.Errorf("%v: %s", err, s.stderr)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("it does not end")
			}
		})
	}
}

func TestEventLinesTellTheNewestOfACrowd(t *testing.T) {
	var events []mockkindly.Event
	for i := range 3 * maxLines {
		events = append(events, mockkindly.Event{Seq: uint64(i + 11), Kind: mockkindly.ChatCreated, Chat: "c"})
	}
	text, last := eventLines(events, 5)
	if want := fmt.Sprintf("%d events not shown here\n", 2*maxLines+5); !strings.HasPrefix(text, want) || strings.Count(text, "\n") != maxLines+1 || last != uint64(3*maxLines+10) {
		t.Errorf("%d lines to %d, the first of them %.40q, want %q", strings.Count(text, "\n"), last, text, want)
	}
	if text, last := eventLines(events[:2], 10); strings.Count(text, "\n") != 2 || last != 12 {
		t.Errorf("%q, %d", text, last)
	}
	if text, last := eventLines(nil, 7); text != "" || last != 7 {
		t.Errorf("%q, %d", text, last)
	}
}

// serveHead is what serve says before anything happens.
func serveHead(t *testing.T, listen string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "kindlytest", "serve", "--listen", listen)
	cmd.Dir = t.TempDir()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }() // it would go on for ever
	head := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if head += lines.Text() + "\n"; strings.Contains(lines.Text(), "--open URL") {
			break
		}
	}
	return head
}

// Who listens on all addresses is shown one that other machines can open.
func TestLinksLeadWhereOthersCanGo(t *testing.T) {
	own := ownAddress()
	if own == "" {
		t.Skip("SKIPPED, NOT CHECKED: this machine has no other address than its own")
	}
	head := serveHead(t, "0.0.0.0:0")
	m := regexp.MustCompile(`^Kindly is at http://[^:]+:(\d+) `).FindStringSubmatch(head)
	if m == nil {
		t.Fatal(head)
	}
	port := m[1]
	for _, want := range []string{"Kindly is at http://" + own + ":" + port + " (on this machine also at http://127.0.0.1:" + port + "; ", `src="http://` + own + ":" + port + `/kindly-chat.js"`} {
		if !strings.Contains(head, want) {
			t.Errorf("%q is not in\n%s", want, head)
		}
	}
	if head := serveHead(t, "127.0.0.1:0"); strings.Contains(head, "also at") || !strings.Contains(head, "Kindly is at http://127.0.0.1:") {
		t.Error(head)
	}
}

// The same goes for what listen shows of its two addresses.
func TestURLsOfAddresses(t *testing.T) {
	own := cmp.Or(ownAddress(), "127.0.0.1")
	for asked, row := range map[string]struct{ bound, host string }{
		"127.0.0.1:0":    {"127.0.0.1", "127.0.0.1"},
		"localhost:8484": {"127.0.0.1", "localhost"},
		"[::1]:8484":     {"::1", "[::1]"},
		"0.0.0.0:8484":   {"0.0.0.0", own},
		":8484":          {"::", own},
		"[::]:8484":      {"::", own},
	} {
		base, here, _ := urlsOf(&net.TCPAddr{IP: net.ParseIP(row.bound), Port: 8484}, asked)
		if want := "http://" + row.host + ":8484"; base != want {
			t.Errorf("%s is shown as %s, want %s", asked, base, want)
		}
		if (here != "") != (row.host == own && own != "127.0.0.1") {
			t.Errorf("%s is on this machine at %q", asked, here)
		}
	}
}

// No store keeps tokens: after a restart the page's chat is told to get another.
func TestAChatGetsItsTokenBackAfterARestart(t *testing.T) {
	shop := shopWith(t)
	db := filepath.Join(t.TempDir(), "kindly.db")
	writeFiles(t, filepath.Dir(db), map[string]string{"public.pem": string(shop.PublicPEM)})
	args := []string{"--db", db, "--public-key", filepath.Join(filepath.Dir(db), "public.pem"), "--webhook", shop.Webhooks[0].PublicURL + "=" + shop.Webhooks[0].LocalURL}
	session := logIn(t, shop, shop.Users[0])
	s := serve(t, nil, append([]string{"--listen", "127.0.0.1:0"}, args...)...)
	var chat struct{ ID string }
	if err := s.call("POST", "/mock/v1/chats", `{"bot_key": "mock"}`, &chat); err != nil {
		t.Fatal(err)
	}
	authenticate := func() {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, shop.EndpointURL, strings.NewReader(`{"chatId": "`+chat.ID+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", strings.TrimSuffix(shop.PageURL, "/"))
		r.AddCookie(&http.Cookie{Name: "shop_session", Value: session})
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var token struct{ Token string }
		if err := json.NewDecoder(res.Body).Decode(&token); err != nil {
			t.Fatal(err)
		}
		if err := s.call("POST", "/mock/v1/chats/"+chat.ID+"/token", `{"token": "`+token.Token+`", "reason": "EXPIRED"}`, nil); err != nil {
			t.Fatal(err)
		}
	}
	renews := func() int {
		t.Helper()
		var answer struct {
			RenewInMS int `json:"renew_in_ms"`
		}
		if err := s.call("POST", "/mock/v1/chats/"+chat.ID+"/messages", `{"text": "hello"}`, &answer); err != nil {
			t.Fatal(err)
		}
		return answer.RenewInMS
	}
	authenticate()
	if got := renews(); got != 0 {
		t.Errorf("it is to be renewed in %d ms, though it is there", got)
	}
	s.stop(t, syscall.SIGTERM)
	s = serve(t, nil, append([]string{"--listen", "127.0.0.1:0"}, args...)...)
	if got := renews(); got != 1 {
		t.Errorf("after the restart it is to be renewed in %d ms, not at once", got)
	}
	authenticate()
	if got := renews(); got != 0 {
		t.Errorf("with another token it is to be renewed in %d ms", got)
	}
}
