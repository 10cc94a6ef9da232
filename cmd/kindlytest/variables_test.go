package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// What comes from a variable is a secret wherever it is used, and however the
// server spells it when it comes back. Hosts, words and numbers stay.
func TestValuesOfVariablesAreInNoReport(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"IN_PATH": "p4th/s3cret+a", "IN_QUERY": "qu3ry\"s3cret&b", "IN_MESSAGE": "m3ssage's s3cret", "IN_CONTEXT": "c0ntext-s3crét",
		"IN_HEADER": "h3ader-s3cret", "IN_SLUG": "sl0g-s3cret", "WORD": "staging", "NUMBER": "1234567", "HOST": "127.0.0.1",
	}
	secrets := []string{env["IN_PATH"], env["IN_QUERY"], env["IN_MESSAGE"], env["IN_CONTEXT"], env["IN_HEADER"], env["IN_SLUG"]}
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		path, _ := url.PathUnescape(r.URL.EscapedPath())
		all := path + " " + r.URL.RawQuery + " " + r.Header.Get("X-Gateway")
		var in map[string]any
		if json.Unmarshal(body, &in) == nil {
			all += " " + string(body)
		}
		for _, s := range secrets {
			quoted, _ := json.Marshal(s)
			all += strings.Join([]string{" staging 1234567", s, strings.ReplaceAll(string(quoted), "/", `\/`), strings.ToLower(url.QueryEscape(s)),
				base64.StdEncoding.EncodeToString([]byte("x:" + s)), strings.ToUpper(hex.EncodeToString([]byte(s))), strings.ReplaceAll(s, "'", "&#x27;")}, " ")
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"reply": all})
	}))
	t.Cleanup(echo.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(echo.URL, "http://"), ":")
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"kindlytest.yaml": `version: 1
endpoint:
  url: http://${HOST}:` + port + `/endpoint?opaque=x&k=${IN_HEADER}
  headers: {X-Gateway: "${IN_HEADER}"}
webhooks:
  - name: orders
    url: "https://hooks.example.com/${WORD}/p4th%2Fs3cret%2Ba"
    connect_to: "http://127.0.0.1:` + port + `/${IN_SLUG}/${NUMBER}"
    message: "${IN_MESSAGE} and ${IN_PATH}"
    context: {a: "${IN_CONTEXT}", b: ["${IN_QUERY}"]}
`})
	got := runHere(t.Context(), env, "", "run", "-c", filepath.Join(dir, "kindlytest.yaml"), "--verbose", "--json", "--only", "AUTH-POST-TOKEN,RESP,HOOK-ANONYMOUS",
		"--format", "json,junit,html,sarif,markdown", "--report-dir", filepath.Join(dir, "out"))
	texts := readFiles(t, filepath.Join(dir, "out"))
	texts["stdout"], texts["stderr"] = got.stdout, got.stderr
	if len(texts) != 7 {
		t.Fatalf("%d texts, exit code %d: %s", len(texts), got.code, got.stderr)
	}
	for name, text := range texts {
		for _, s := range []string{"s3cret", "S3CRET", "s3cr", hex.EncodeToString([]byte("s3cret")), strings.ToUpper(hex.EncodeToString([]byte("s3cret"))), "zM2NyZX", "MzY3JldA", "czNjcmV0"} {
			if i := strings.Index(text, s); i >= 0 {
				t.Errorf("%s holds %s: …%s…", name, s, text[max(0, i-150):min(len(text), i+60)])
			}
		}
	}
	for _, stays := range []string{"127.0.0.1:" + port, "hooks.example.com/staging/", "staging 1234567", "[removed]"} {
		if !strings.Contains(got.stdout, stays) {
			t.Errorf("%s is missing: %.3000s", stays, got.stdout)
		}
	}
}

func TestErrorsOfTheFileHoldNoValueOfAVariable(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"kindlytest.yaml": "version: 1\nendpoint: {url: \"http://localhost:1/\"}\nchecks: {timeout: \"${SECRET}\", only: [\"${SECRET}\"]}\npage: {url: \"${SECRET}\"}\n"})
	got := runHere(t.Context(), map[string]string{"SECRET": "s3cret \"value\""}, "", "run", "-c", filepath.Join(dir, "kindlytest.yaml"))
	if got.code != exitUsage || strings.Contains(got.stdout+got.stderr, "s3cret") || strings.Count(got.stderr, "${SECRET}") < 3 {
		t.Errorf("exit code %d: %s%s", got.code, got.stdout, got.stderr)
	}
}
