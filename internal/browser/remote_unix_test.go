//go:build !windows

package browser_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// startWithPort runs a Chrome that listens, and returns its ws:// URL.
func startWithPort(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"--headless", "--remote-debugging-port=0", "--user-data-dir=" + dir, "--no-first-run", "--disable-gpu"}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox")
	}
	cmd := exec.Command(path, append(args, "about:blank")...)
	cmd.Env = append(cmd.Environ(), "TMPDIR="+dir)
	// Where Chrome is a shell script, it is a grandchild: all of the group must end.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
		eventually(t, "Chrome's folder is removed", func() bool { return os.RemoveAll(dir) == nil })
		if left := survivors(t, dir); len(left) > 0 {
			t.Errorf("processes survive: %v", left)
		}
	})
	var url string
	eventually(t, "Chrome opens its port", func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "DevToolsActivePort"))
		port, path, ok := strings.Cut(strings.TrimSpace(string(b)), "\n")
		url = "ws://127.0.0.1:" + port + path
		return err == nil && ok
	})
	return url
}

// farAway is the address at which what listens is reached with a delay.
func farAway(t *testing.T, address string, delay time.Duration) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", address)
			if err != nil {
				near.Close()
				continue
			}
			go func() {
				io.Copy(near, far)
				near.Close()
			}()
			go func() {
				defer far.Close()
				for part := make([]byte, 64<<10); ; {
					n, err := near.Read(part)
					time.Sleep(delay)
					if _, failed := far.Write(part[:n]); err != nil || failed != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// Chrome does not wait for what holds a shared worker's requests: a worker with a
// script that is there at once asks before a browser that is far away was told.
func TestSharedWorkersOfABrowserFarAwayAskNobodyElse(t *testing.T) {
	needChrome(t)
	path := chromePath
	if path == "" {
		path, _ = browser.Find() // needChrome has looked
	}
	u, err := url.Parse(startWithPort(t, path))
	if err != nil {
		t.Fatal(err)
	}
	u.Host = farAway(t, u.Host, 50*time.Millisecond)
	b, err := browser.Launch(withTimeout(t), browser.Options{URL: u.String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	s := newSite(t, map[string]string{"/": `<script>
		const script = "fetch('https://bot.kindly.ai/worker', {method: 'POST', body: 'b'}).then((r) => fetch('https://bot.kindly.ai/worker-got-' + r.status))";
		new SharedWorker(URL.createObjectURL(new Blob([script])));
	</script>`})
	var l requestLog
	p := visitAs(t, newUser(t, b, browser.Login{}), s.URL, &l)
	l.has(t, "POST bot.kindly.ai/worker b")
	l.has(t, "GET bot.kindly.ai/worker-got-200")
	if q := find(t, p.Record(), "POST", "bot.kindly.ai/worker"); !q.Kindly || q.Error != "" {
		t.Errorf("recorded as %+v", q)
	}
}

func TestConnectsToARunningBrowser(t *testing.T) {
	needChrome(t)
	path := chromePath
	if path == "" {
		path, _ = browser.Find() // needChrome has looked
	}
	url := startWithPort(t, path)
	b, err := browser.Launch(withTimeout(t), browser.Options{URL: url, UserAgentSuffix: "remote"})
	if err != nil {
		t.Fatal(err)
	}
	var agent string
	s := newSite(t, nil)
	s.mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) { agent = r.UserAgent(); writeHTML(w, "hello") })
	p := visitAs(t, newUser(t, b, browser.Login{}), s.URL, nil)
	if got := p.Record().Navigation.Status; got != 200 || !strings.HasSuffix(agent, " remote") {
		t.Errorf("status %d, User-Agent %q", got, agent)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := browser.Launch(withTimeout(t), browser.Options{URL: url})
	if err != nil {
		t.Fatal("the browser was not left running: ", err)
	}
	again.Close()
}
