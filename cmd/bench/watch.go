package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// measureWatch is about the time from a save to the verdict on what failed, in
// kindlytest run --watch; the app has what was saved at once.
func measureWatch(ctx context.Context, b *bench) error {
	var sound atomic.Bool
	site := newSite()
	defer site.Close()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/login":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, `<form method=post action=/account><input id=email><input id=password type=password><button type=submit>Log in</button></form>`)
		case r.URL.Path == "/account":
			time.Sleep(200 * time.Millisecond) // as long as a password's hash takes
			w.Header().Set("Content-Type", "text/html")
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "0123456789abcdef", HttpOnly: true, SameSite: http.SameSiteLaxMode, Path: "/"})
			_, _ = io.WriteString(w, `<p class=account>Ada</p>`)
		case r.URL.Path == "/kindly" && sound.Load():
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"reply":"Hello"}`)
		case r.URL.Path == "/kindly":
			_, _ = io.WriteString(w, "Hello")
		case r.URL.Path == "/token" && !sound.Load():
			w.WriteHeader(http.StatusOK) // and no token
		default:
			site.Config.Handler.ServeHTTP(w, r)
		}
	}))
	defer app.Close()
	file := b.path("login.yaml")
	login := fmt.Sprintf("version: 1\npage:\n  url: %[1]s/\n  login:\n    - goto: %[1]s/login\n    - fill: {\"#email\": ada@example.com, \"#password\": hunter2}\n    - click: button\n    - wait_for: .account\n", app.URL)
	if err := os.WriteFile(file, []byte(login), 0o600); err != nil {
		return err
	}
	for _, row := range []struct {
		what, id string
		limit    float64
		args     []string
	}{
		{"from a save to the verdict on what failed, with a page", "PAGE-CALLBACK-TOKEN", 1000, []string{app.URL + "/"}},
		{"the same, of a page with a login", "PAGE-CALLBACK-TOKEN", 1000, []string{"-c", file}},
		{"the same of a webhook alone", "RESP-JSON", 300, []string{"--webhook", app.URL + "/kindly"}},
	} {
		sound.Store(false)
		took, err := b.watched(ctx, row.id, &sound, row.args...)
		if err != nil {
			return err
		}
		b.table.AtMost(row.limit, "ms", row.what, took, "")
	}
	return nil
}

// watched saves some times, and returns the median of what each verdict took, in ms.
func (b *bench) watched(ctx context.Context, id string, sound *atomic.Bool, args ...string) (float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir := b.path("sources")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, b.path("kindlytest"), append([]string{"run", "--watch", "--watch-path", dir, "--only", id, "--report-dir", b.path("reports")}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(out)
	until := func(word string) error {
		for lines.Scan() {
			if strings.Contains(lines.Text(), word) {
				return nil
			}
		}
		return fmt.Errorf("kindlytest run --watch ended before it said %q", word)
	}
	save := func(text string) error { return os.WriteFile(filepath.Join(dir, "app.js"), []byte(text), 0o600) }
	if err := until("FAILED"); err != nil {
		return 0, err
	}
	var took []float64
	for range 7 {
		sound.Store(true)
		start := time.Now()
		if err := save("sound"); err != nil {
			return 0, err
		}
		if err := until(id + "  holds now"); err != nil {
			return 0, err
		}
		took = append(took, milliseconds(time.Since(start)))
		if err := until("PASSED"); err != nil {
			return 0, err
		}
		sound.Store(false)
		if err := save("wrong"); err != nil {
			return 0, err
		}
		if err := until("FAILED"); err != nil {
			return 0, err
		}
	}
	cancel()
	_ = cmd.Wait() // it was ended
	return median(took), nil
}
