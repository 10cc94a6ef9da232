//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/recording"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

var (
	listensAt = regexp.MustCompile(`^Listening at (http://\S+),`)
	consoleAt = regexp.MustCompile(`^  console  (http://\S+)/`)
)

// A heard is a kindlytest listen that runs.
type heard struct {
	*exec.Cmd
	base, console string
	stdout        *lockedBuffer
}

func listenBefore(t *testing.T, app string, args ...string) *heard {
	t.Helper()
	h := &heard{stdout: &lockedBuffer{}}
	h.Cmd = exec.Command("kindlytest", append([]string{"listen", "--forward-to", app, "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"}, args...)...)
	h.Env = append(h.Environ(), hmacSecretVariable+"=a-secret-of-the-webhook")
	h.Dir = t.TempDir()
	out, err := h.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Process.Kill(); h.Wait() })
	lines := bufio.NewScanner(out)
	for h.console == "" && lines.Scan() {
		if m := listensAt.FindStringSubmatch(lines.Text()); m != nil {
			h.base = m[1]
		}
		if m := consoleAt.FindStringSubmatch(lines.Text()); m != nil {
			h.console = m[1]
		}
	}
	go func() {
		for lines.Scan() {
			fmt.Fprintln(h.stdout, lines.Text())
		}
	}()
	if h.base == "" {
		t.Fatal("it does not listen")
	}
	return h
}

func echoingApp(t *testing.T) string {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"reply":"hello"}`)
	}))
	t.Cleanup(app.Close)
	return app.URL + "/kindly"
}

// deliver sends what Kindly would, and returns the answer's status.
func deliver(base string, body []byte, signature string) (int, error) {
	req, err := http.NewRequest("POST", base+"/", strings.NewReader(string(body)))
	if err != nil {
		return 0, err
	}
	req.Header[webhook.HeaderHMAC] = []string{signature}
	req.Header[webhook.HeaderHMACAlgorithm] = []string{webhook.Algorithm}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.ReadAll(res.Body)
	return res.StatusCode, err
}

// What is passed on to where it came from would go round for ever.
func TestListenPassesNothingOnToItself(t *testing.T) {
	own := []*net.TCPAddr{{IP: net.IPv4(127, 0, 0, 1), Port: 8485}, {IP: net.IPv4zero, Port: 8484}}
	for to, itself := range map[string]bool{
		"http://127.0.0.1:8485": true, "http://localhost:8485/kindly": true, "http://[::1]:8484/": true,
		"http://127.0.0.1:3000": false, "http://app.example:8485/": false, "http://localhost/": false,
	} {
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		if err := notItself(u, own...); (err != nil) != itself {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestListenShowsWhatKindlySends(t *testing.T) {
	h := listenBefore(t, echoingApp(t))
	body, err := webhook.New(chatID, "hello").Body()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"a-secret-of-the-webhook", "a-secret-of-the-webhook\n"} {
		if status, err := deliver(h.base, body, webhook.Sign(secret, body)); status != 200 || err != nil {
			t.Fatal(status, err)
		}
	}
	res, err := http.Get(h.console + "/mock/v1/wait?kind=webhook.delivered&after=3&timeout_ms=20000")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var found struct {
		Event struct {
			Delivery struct {
				Reply string `json:"reply"`
				Heard struct {
					Signature struct{ Verdict string } `json:"signature"`
				} `json:"heard"`
			} `json:"delivery"`
		} `json:"event"`
	}
	if err := json.NewDecoder(res.Body).Decode(&found); err != nil || found.Event.Delivery.Reply != "hello" || found.Event.Delivery.Heard.Signature.Verdict != "hmac-secret-line-end" {
		t.Errorf("%v, the console has %+v", err, found)
	}
	for _, want := range []string{"200", "signature right", "signature hmac-secret-line-end", "fits a secret that ends in a line end"} {
		waitUntil(t, want, func() bool { return strings.Contains(h.stdout.String(), want) })
	}
	if strings.Contains(h.stdout.String(), "a-secret-of") {
		t.Error("the secret is shown")
	}
	// No page may have it send anything.
	res, err = http.Post(h.console+"/mock/v1/chats", "application/json", strings.NewReader(`{"bot_key":"listen"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode < 400 {
		t.Errorf("a chat can be made: %d", res.StatusCode)
	}
	// The console is not for the tunnel.
	if status, err := deliver(h.base+"/mock/v1/journal", body, ""); err != nil || status != 200 {
		t.Errorf("the tunnel's address answers %d, %v, and not as the app", status, err)
	}
}

func waitUntil(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %q", what)
		}
	}
}

// TestListenLosesNoAnsweredDelivery kills the program while deliveries pass.
func TestListenLosesNoAnsweredDelivery(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kindly.jsonl")
	h := listenBefore(t, echoingApp(t), "--record", file, "--keep-values")
	var answered [4][]string
	var total atomic.Int32
	done := make(chan bool)
	for worker := range answered {
		go func() {
			defer func() { done <- true }()
			for i := 0; ; i++ {
				message := fmt.Sprintf("message %d of %d", i, worker)
				body, _ := webhook.New(chatID, message).Body()
				if status, err := deliver(h.base, body, webhook.Sign("x", body)); err != nil || status != 200 {
					return
				}
				answered[worker] = append(answered[worker], message)
				total.Add(1)
			}
		}()
	}
	waitUntil(t, "200 answers", func() bool { return total.Load() >= 200 })
	if err := h.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for range answered {
		<-done
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	recorded := map[string]bool{}
	for d, err := range recording.Read(in) {
		if err != nil {
			t.Log(err)
			continue
		}
		var p struct{ Message string }
		if err := json.Unmarshal(d.Request.Body, &p); err != nil {
			t.Fatal(err)
		}
		recorded[p.Message] = true
	}
	for _, message := range slices.Concat(answered[:]...) {
		if !recorded[message] {
			t.Errorf("%q was answered, and is not recorded", message)
		}
	}
	t.Logf("%d answered, %d recorded", total.Load(), len(recorded))
}

func TestLearnReadsWhatListenRecords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kindly.jsonl")
	h := listenBefore(t, echoingApp(t), "--record", file)
	body, err := webhook.New(chatID, "hello").Body()
	if err != nil {
		t.Fatal(err)
	}
	body = append([]byte(`{"platform":"ios",`), body[1:]...)
	if status, err := deliver(h.base, body, webhook.Sign("a-secret-of-the-webhook", body)); err != nil || status != 200 {
		t.Fatal(status, err)
	}
	learn := exec.Command("kindlytest", "learn", file)
	learn.Dir = t.TempDir()
	out, err := learn.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 delivery", "payload.platform  ", "string, always", "Not seen", "request.timeout"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(learn.Dir, "kindly-observed.json"))
	if err != nil || !strings.Contains(string(text), `"id": "request.hmac"`) {
		t.Errorf("%v: %s", err, text)
	}
	for _, args := range [][]string{{"learn"}, {"learn", os.DevNull}, {"learn", "not-there.jsonl"}, {"learn", filepath.Join(learn.Dir, "kindly-observed.json"), "--out", "-"}} {
		wrong := exec.Command("kindlytest", args...)
		wrong.Dir = learn.Dir
		if err := wrong.Run(); wrong.ProcessState.ExitCode() != exitUsage {
			t.Errorf("%q ends with %v", args, err)
		}
	}
}
