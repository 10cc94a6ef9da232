package docs_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/server"
)

// TestSamplesOfTheAPIRun runs what docs/serve.md shows against a mock, and
// against a webhook that answers wrongly.
func TestSamplesOfTheAPIRun(t *testing.T) {
	for language, tool := range map[string]struct{ program, file string }{
		"js": {"node", "sample.mjs"}, "python": {"python3", "sample.py"},
	} {
		t.Run(language, func(t *testing.T) {
			program, err := exec.LookPath(tool.program)
			if err != nil {
				t.Skip("SKIPPED, NOT CHECKED: there is no ", tool.program)
			}
			sample := ""
			for _, b := range blocks(pages(t)["serve.md"]) {
				if b.language == language {
					sample = b.text
				}
			}
			for answer, good := range map[string]bool{`{"reply":"Your order is on its way."}`: true, `{"reply":"What?"}`: false} {
				hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
				defer hook.Close()
				k, err := mockkindly.New(mockkindly.Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer k.Close()
				mock := httptest.NewServer(server.New(k, server.Options{}))
				defer mock.Close()
				text := strings.NewReplacer("http://127.0.0.1:8484", mock.URL, "http://localhost:3000", hook.URL).Replace(sample)
				path := filepath.Join(t.TempDir(), tool.file)
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				if out, err := exec.Command(program, path).CombinedOutput(); (err == nil) != good {
					t.Errorf("with the answer %s: %v\n%s", answer, err, out)
				}
			}
		})
	}
}
