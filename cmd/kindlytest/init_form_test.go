package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
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
}
