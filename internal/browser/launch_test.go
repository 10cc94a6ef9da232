package browser_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// survivors are the processes whose command line holds dir.
func survivors(t *testing.T, dir string) []string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("processes are looked for in /proc")
	}
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		b, _ := os.ReadFile(f) // a process may end meanwhile
		if bytes.Contains(b, []byte(dir)) {
			out = append(out, f)
		}
	}
	return out
}

func assertNothingLeft(t *testing.T, dir string) {
	t.Helper()
	if left := survivors(t, dir); len(left) > 0 {
		t.Errorf("processes survive: %v", left)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("files are left in the folder for temporary files: %v %v", files, err)
	}
}

func TestNothingSurvives(t *testing.T) {
	needChrome(t)
	hanging, asked := newSite(t, nil), make(chan struct{}, 9)
	hanging.mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) { asked <- struct{}{}; <-r.Context().Done() })
	fine := newSite(t, map[string]string{"/": "fine"})
	for name, use := range map[string]func(t *testing.T, b *browser.Browser, cancel func()){
		"after success": func(t *testing.T, b *browser.Browser, cancel func()) {
			u := newUser(t, b, browser.Login{})
			if _, err := u.Visit(withTimeout(t), fine.URL, nil); err != nil {
				t.Fatal(err)
			}
		},
		"after the context was cancelled": func(t *testing.T, b *browser.Browser, cancel func()) { cancel() },
		"closed during a navigation": func(t *testing.T, b *browser.Browser, cancel func()) {
			u := newUser(t, b, browser.Login{})
			failed := make(chan error)
			go func() {
				_, err := u.Visit(withTimeout(t), hanging.URL, nil)
				failed <- err
			}()
			<-asked
			b.Close()
			if err := <-failed; !errors.Is(err, browser.ErrClosed) {
				t.Errorf("Visit returned %v, want ErrClosed", err)
			}
		},
		"after a login that failed": func(t *testing.T, b *browser.Browser, cancel func()) {
			_, err := b.NewUser(withTimeout(t), browser.Login{Steps: []browser.Step{{Goto: "http://127.0.0.1:1/"}}})
			errorAs[*browser.StepError](t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			dir := t.TempDir()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			b, err := browser.Launch(ctx, browser.Options{Path: chromePath, TempDir: dir})
			if err != nil {
				t.Fatal(err)
			}
			if len(survivors(t, dir)) == 0 {
				t.Fatal("the test looks in the wrong place: no process while Chrome runs")
			}
			use(t, b, cancel)
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			assertNothingLeft(t, dir)
		})
	}
}

func TestDoneTellsOfAChromeThatEnded(t *testing.T) {
	needChrome(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := t.TempDir()
	b, err := browser.Launch(t.Context(), browser.Options{Path: chromePath, TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-b.Done():
		t.Fatal("it is done while Chrome runs")
	default:
	}
	browser.Kill(b)
	select {
	case <-b.Done():
	case <-time.After(10 * time.Second):
		t.Error("it is not done although Chrome is gone")
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	assertNothingLeft(t, dir)
}

func TestCancelledLaunchLeavesNothing(t *testing.T) {
	needChrome(t)
	for _, after := range []time.Duration{0, 20 * time.Millisecond} {
		dir := t.TempDir()
		ctx, cancel := context.WithTimeout(t.Context(), after)
		b, err := browser.Launch(ctx, browser.Options{Path: chromePath, TempDir: dir})
		if err == nil {
			b.Close() // it was quick
		} else if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %v: %v", after, err)
		}
		cancel()
		assertNothingLeft(t, dir)
	}
}

func TestLaunchErrorsSayWhatIsWrong(t *testing.T) {
	script := filepath.Join(t.TempDir(), "broken-chrome")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho cannot open shared object libnss3.so >&2\nexit 127\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		options browser.Options
		want    []string
	}{
		{"a path that does not exist", browser.Options{Path: "/no/such/chrome"}, []string{"/no/such/chrome", "no such file"}},
		{"a Chrome that dies at start", browser.Options{Path: script}, []string{script, "libnss3.so"}},
		{"a URL where nobody listens", browser.Options{URL: "ws://127.0.0.1:1/devtools/browser/x"}, []string{"ws://127.0.0.1:1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" {
				t.Skip("the script is a shell script")
			}
			tt.options.TempDir = t.TempDir()
			_, err := browser.Launch(withTimeout(t), tt.options)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			assertNothingLeft(t, tt.options.TempDir)
		})
	}
}

func TestNoChromeSaysHowToGetOne(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere Chrome is found outside PATH")
	}
	t.Setenv("PATH", t.TempDir())
	_, err := browser.Find()
	if err == nil {
		t.Skip("Chrome is installed outside PATH")
	}
	e := errorAs[*browser.NotFoundError](t, err)
	for _, want := range []string{"chromium-headless-shell", "apt-get install", "--browser PATH"} {
		if !strings.Contains(e.Error(), want) {
			t.Errorf("%q does not say %q", e, want)
		}
	}
}

// A headless shell starts where a window is asked for, and shows none.
func TestNoHeadlessShellIsTakenForAWindow(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere Chrome is found outside PATH")
	}
	dir := t.TempDir()
	install := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho this is "+name+" >&2\nexit 127\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	launch := func() error {
		_, err := browser.Launch(withTimeout(t), browser.Options{Headed: true, TempDir: t.TempDir()})
		if err == nil {
			t.Fatal("no error")
		}
		return err
	}
	t.Setenv("PATH", dir)
	for _, name := range []string{"chromium-headless-shell", "headless_shell", "chromium"} {
		install(name)
	}
	if err := launch(); !strings.HasSuffix(err.Error(), "this is chromium") {
		t.Errorf("got %v, want chromium's error", err)
	}
	os.Remove(filepath.Join(dir, "chromium"))
	err := launch()
	if !errors.As(err, new(*browser.NotFoundError)) && !strings.Contains(err.Error(), "headless") {
		t.Skip("Chrome is installed outside PATH")
	}
	if e := errorAs[*browser.NotFoundError](t, err); strings.Contains(e.Error(), "headless") || !strings.Contains(e.Error(), "apt-get install chromium ") {
		t.Errorf("it leads to a shell: %v", e)
	}
}
