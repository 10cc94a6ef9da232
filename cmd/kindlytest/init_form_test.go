package main

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/internal/browser"
)

// The page sends its visitors to a login, whose form is read; the file that comes
// of it is one that can be read.
func TestInitReadsTheLoginForm(t *testing.T) {
	requireBrowser(t)
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler("/signin?next=%2F", http.StatusFound))
	mux.HandleFunc("GET /signin", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<form><input name="user[name]" autocomplete=username><input id=pw type=password><input id=otp autocomplete=one-time-code><button id=go>Sign in</button></form>`)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	r := runHere(t.Context(), nil, "", "init", "--page", s.URL+"/", "--dry-run")
	for _, want := range []string{"- goto: " + s.URL + "/signin\n", `"input[name=\"user\\[name\\]\"]": ${KINDLYTEST_EMAIL}`, `"#pw": ${KINDLYTEST_PASSWORD}`, `"#otp": ${totp:KINDLYTEST_TOTP}`, `- click: "#go"`} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("it lacks %s:\n%s%s", want, r.stdout, r.stderr)
		}
	}
	file, _, _ := strings.Cut(r.stdout, "\n# ---- .gitignore")
	_, err := config.Parse("kindlytest.yaml", []byte(file), config.Sources{Env: func(string) (string, bool) { return "GEZDGNBVGY3TQOJQ", true }})
	if err != nil {
		t.Error(err)
	}
}

func TestInitGoesOnWithoutTheForm(t *testing.T) {
	r := runHere(t.Context(), nil, "", "init", "--page", "http://127.0.0.1:1/", "--login", "http://127.0.0.1:1/login", "--dry-run")
	if r.code != 0 || !strings.Contains(r.stdout, `"#password": ${KINDLYTEST_PASSWORD}`) {
		t.Errorf("code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	if _, err := browser.Find(); err == nil && !strings.Contains(r.stderr, "note: no login form was read at http://127.0.0.1:1/login: net::ERR_") {
		t.Errorf("it does not say why: %s", r.stderr)
	}
}

// Staging systems have certificates of their company: what init is given to look at one
// is what the run needs.
func TestInitTrustsThePrivateAuthority(t *testing.T) {
	requireBrowser(t)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<form><input id=who autocomplete=username><input id=pw type=password><button id=go>Sign in</button></form>`)
	}))
	t.Cleanup(s.Close)
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	putFile(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	if r := runHere(t.Context(), nil, "", "init", "--page", s.URL+"/", "--login", s.URL+"/", "--dry-run"); r.code != 0 || !strings.Contains(r.stderr, "note: no login form was read at "+s.URL+"/: net::ERR_CERT") {
		t.Errorf("code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	r := runHere(t.Context(), nil, "", "init", "--page", s.URL+"/", "--ca-file", ca, "--dry-run")
	for _, want := range []string{`"#who": ${KINDLYTEST_EMAIL}`, "\nca_file: " + ca} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("it lacks %s:\n%s%s", want, r.stdout, r.stderr)
		}
	}
	file, _, _ := strings.Cut(r.stdout, "\n# ---- .gitignore")
	if _, err := config.Parse("kindlytest.yaml", []byte(file), config.Sources{Env: func(string) (string, bool) { return "x", true }, Read: func(path string, _ int64) ([]byte, error) { return os.ReadFile(path) }}); err != nil {
		t.Error(err)
	}
	if r := runHere(t.Context(), nil, "", "init", "--page", s.URL+"/", "--ca-file", filepath.Join(dir, "none.pem"), "--dry-run"); r.code != 2 || !strings.Contains(r.stderr, "--ca-file: ") {
		t.Errorf("code %d: %s", r.code, r.stderr)
	}
}
