package browser_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		eventually(t, "Chrome's folder is removed", func() bool { return os.RemoveAll(dir) == nil })
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
