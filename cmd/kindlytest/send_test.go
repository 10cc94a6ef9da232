package main

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// TestSend sends to webhooks of all sorts; none gets its secrets shown.
func TestSend(t *testing.T) {
	const secret = "the-secret-of-the-webhook"
	jwt := "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjQwMDAwMDAwMDAsImNoYXQiOnsiaWQiOiJjLTEiLCJ3ZWJob29rX2RvbWFpbnMiOlsiaG9va3MuZXhhbXBsZS5jb20iXX19.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
	signature := jwt[strings.LastIndex(jwt, ".")+1:]
	tokenFile := filepath.Join(t.TempDir(), "token.txt")
	if err := os.WriteFile(tokenFile, []byte(jwt), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		answer http.HandlerFunc
		code   int
		says   string
	}{
		{"a sound answer", reply(200, `{"reply":"Hello"}`), exitOK, `"reply": "Hello"`},
		{"nothing to say", reply(200, `{}`), exitOK, "RESP-EMPTY"},
		{"no JSON", reply(200, `<h1>Hello</h1>`), exitBroken, "RESP-JSON"},
		{"a field of a wrong type", reply(200, `{"reply":1}`), exitBroken, "RESP-FIELDS"},
		{"a failure", reply(500, `oops`), exitBroken, "< 500"},
		{"a redirect, which is not followed", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, exitBroken, "< 302"},
		{"no answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, exitUsage, "NO ANSWER"},
		{"one that repeats the secrets", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"reply":"%s %s"}`, r.Header.Get("Authorization"), secret)
		}, exitOK, "[removed]"},
		{"one that plays with the terminal", reply(200, "{\"reply\":\"\x1b[2J\"}"), exitBroken, "\uFFFD"},
	} {
		t.Run(row.name, func(t *testing.T) {
			signed := make(chan bool, 2)
			hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got, _ := webhook.Signature(r.Header)
				signed <- webhook.Verify(secret, body, got) && r.Header.Get("Authorization") == "Bearer "+jwt && strings.Contains(string(body), `"chat_id":"c-1"`)
				row.answer(w, r)
			}))
			defer hook.Close()
			for _, json := range []bool{false, true} {
				args := []string{"send", "--webhook", "https://hooks.example.com/=" + hook.URL, "--token-file", tokenFile}
				if json {
					args = append(args, "--json")
				}
				r := runHere(t.Context(), map[string]string{"KINDLYTEST_HMAC_SECRET": secret}, "", args...)
				signed := lastOf(signed)
				if r.code != row.code || !signed || !json && !strings.Contains(r.stdout, row.says) {
					t.Errorf("code %d, signed with the token %v:\n%s%s", r.code, signed, r.stdout, r.stderr)
				}
				if all := r.stdout + r.stderr; strings.Contains(all, secret) || strings.Contains(all, signature) || strings.Contains(all, "\x1b") {
					t.Errorf("it shows what it must not:\n%s", all)
				}
			}
		})
	}
}

// lastOf is what a handler has seen of a request that has been answered; nothing if there was none.
func lastOf[T any](seen chan T) (last T) {
	for len(seen) > 0 {
		last = <-seen
	}
	return last
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestSendOverATrustedConnection(t *testing.T) {
	hook := httptest.NewUnstartedServer(reply(200, `{"reply":"Hello"}`))
	hook.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains about whoever does not trust it
	hook.StartTLS()
	defer hook.Close()
	authority := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hook.Certificate().Raw})
	if err := os.WriteFile(authority, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		args []string
		code int
	}{
		{"an authority that nobody knows", nil, exitUsage},
		{"an authority that is trusted", []string{"--ca-file", authority}, exitOK},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := runHere(t.Context(), nil, "", append([]string{"send", "--webhook", hook.URL}, row.args...)...)
			if r.code != row.code {
				t.Errorf("code %d, want %d:\n%s%s", r.code, row.code, r.stdout, r.stderr)
			}
		})
	}
}
