//go:build !windows

package browser_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

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
