package main

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// TestSendSaysAWordOnWhatIsNoSoundAnswer: what it means, and where to look.
func TestSendSaysAWordOnWhatIsNoSoundAnswer(t *testing.T) {
	html := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<title>Log in</title>")
		}
	}
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusTemporaryRedirect) }
	}
	for _, row := range []struct {
		name   string
		answer http.HandlerFunc
		says   string
	}{
		{"a refusal without a signature", reply(401, `{}`), "not signed (KINDLYTEST_HMAC_SECRET is not set)"},
		{"a page that forbids", html(403), "HTML page"},
		{"a login page with 200", html(200), "An HTML page answered, not the webhook"},
		{"no such path", reply(404, `{}`), "Nothing is at this path"},
		{"another method", reply(405, `{}`), "does not take POST"},
		{"a validator", reply(422, `{}`), "unknown ones must be allowed"},
		{"a failure", reply(500, `{}`), "its log says where"},
		{"a gateway", reply(502, `{}`), "the app behind it is down"},
		{"created", reply(201, `{}`), "Kindly documents 200"},
		{"an unusual status", reply(418, `{}`), "unpublished"},
		{"to a login", redirect("/login?next=/kindly"), "redirects to a login"},
		{"to a slash", redirect("/kindly/"), "a slash at the end"},
		{"to elsewhere", redirect("/other"), "register the final address"},
		{"hangs up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "closed before an answer"},
		{"too slow", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() }, "within 300ms (--timeout)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			hook := httptest.NewServer(row.answer)
			defer hook.Close()
			timeout := "10s"
			if row.name == "too slow" {
				timeout = "300ms"
			}
			r := runHere(t.Context(), nil, "", "send", "--webhook", hook.URL+"/kindly", "--timeout", timeout)
			if r.code == exitOK || !strings.Contains(r.stdout, row.says) {
				t.Errorf("code %d, want %q in:\n%s%s", r.code, row.says, r.stdout, r.stderr)
			}
		})
	}
}

func TestSendSaysAWordOnConnections(t *testing.T) {
	plain := httptest.NewServer(reply(200, `{}`))
	defer plain.Close()
	gone := httptest.NewServer(reply(200, `{}`))
	gone.Close()
	for name, row := range map[string]struct{ url, says string }{
		"nobody there":   {gone.URL, "Nobody listens"},
		"HTTP for HTTPS": {strings.Replace(plain.URL, "http://", "https://", 1), "plain HTTP at an https address"},
	} {
		t.Run(name, func(t *testing.T) {
			if r := runHere(t.Context(), nil, "", "send", "--webhook", row.url); r.code != exitUsage || !strings.Contains(r.stdout, row.says) {
				t.Errorf("code %d, want %q in:\n%s%s", r.code, row.says, r.stdout, r.stderr)
			}
		})
	}
}

// TestSendTakesTheTokenOutOfWhatIsAroundIt, or says what the file holds.
func TestSendTakesTheTokenOutOfWhatIsAroundIt(t *testing.T) {
	encode := base64.RawURLEncoding.EncodeToString
	header := encode([]byte(`{"alg":"RS256"}`))
	domains := `"chat":{"id":"c-1","webhook_domains":["hooks.example.com"]}}`
	jwt := header + "." + encode([]byte(`{"exp":4000000000,`+domains)) + ".c2ln"
	for _, row := range []struct {
		name, file string
		code       int
		sent       bool
		says       string
	}{
		{"as it is", jwt, exitOK, true, ""},
		{"an answer", `{"token":"` + jwt + `"}`, exitOK, true, ""},
		{"an answer with another name", `{"jwt":"` + jwt + `"}`, exitOK, true, ""},
		{"quotes", `"` + jwt + `"`, exitOK, true, "wrapped in quotes"},
		{"a Python bytes literal", "b'" + jwt + "'", exitOK, true, "Python bytes literal"},
		{"base64 twice", base64.StdEncoding.EncodeToString([]byte(jwt)), exitOK, true, "base64 once more"},
		{"an HTML page", "<!doctype html><title>Log in</title>", exitUsage, false, "there is an HTML page in place of the token"},
		{"an error as JSON", `{"error":"not logged in"}`, exitUsage, false, "some other text in place of the token"},
		{"a session id", "9f86d081884c7d659a2feaa0c55ad015", exitUsage, false, "it is no JWT"},
		{"milliseconds", header + "." + encode([]byte(`{"exp":4000000000000,`+domains)) + ".c2ln", exitOK, false, "exp is 4000000000000: that is milliseconds"},
		{"a duration", header + "." + encode([]byte(`{"exp":300,`+domains)) + ".c2ln", exitOK, false, "a duration, not a point in time"},
		{"no exp", header + "." + encode([]byte(`{`+domains)) + ".c2ln", exitOK, false, "exp is missing"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got string
			hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = r.Header.Get("Authorization")
				_, _ = io.WriteString(w, `{"reply":"Hello"}`)
			}))
			defer hook.Close()
			file := filepath.Join(t.TempDir(), "token.txt")
			if err := os.WriteFile(file, []byte(row.file+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			r := runHere(t.Context(), nil, "", "send", "--webhook", "https://hooks.example.com/="+hook.URL, "--token-file", file)
			if r.code != row.code || row.sent != (got == "Bearer "+jwt) || !row.sent && got != "" {
				t.Errorf("code %d, Authorization %q:\n%s%s", r.code, got, r.stdout, r.stderr)
			}
			if all := r.stdout + r.stderr; !strings.Contains(all, row.says) || strings.Contains(all, "0001-01-01") || strings.Contains(all, "c2ln") {
				t.Errorf("want %q in:\n%s", row.says, all)
			}
		})
	}
}

// TestSendMakesATokenWithAPrivateKey that is sound, of this chat, and goes along.
func TestSendMakesATokenWithAPrivateKey(t *testing.T) {
	dir := t.TempDir()
	if r := runHere(t.Context(), nil, "", "keygen", dir); r.code != exitOK {
		t.Fatal(r.stderr)
	}
	file := filepath.Join(dir, "private.pem")
	pem, err := os.ReadFile(filepath.Join(dir, "public.pem"))
	if err != nil {
		t.Fatal(err)
	}
	public, err := token.ParsePublicKey("public.pem", pem)
	if err != nil {
		t.Fatal(err)
	}
	payload := filepath.Join(dir, "payload.json")
	if err := os.WriteFile(payload, []byte(`{"chat_id":"`+chatID+`"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(dir, "kindlytest.yaml")
	if err := os.WriteFile(settings, []byte("version: 1\nbot: {public_key: public.pem}\nprivate_key: private.pem\nwebhooks: [{url: https://hooks.example.com/}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	private, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	odd := filepath.Join(dir, "odd.pem")
	if err := os.WriteFile(odd, []byte(strings.ReplaceAll(string(private), "\n", `\n`)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"a message": {"--chat-id", chatID, "--private-key", file}, "a payload": {"--payload", payload, "--private-key", file},
		"the key of a file": {"--chat-id", chatID, "--config", settings}, "an odd key": {"--chat-id", chatID, "--private-key", odd},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
				_, _ = io.WriteString(w, `{"reply":"Hello"}`)
			}))
			defer hook.Close()
			r := runHere(t.Context(), nil, "", append([]string{"send", "--webhook", "https://hooks.example.com/=" + hook.URL}, args...)...)
			result := token.Check(token.Raw(got), token.Expect{Keys: []*token.Key{public}, ChatID: chatID, Now: time.Now()})
			if r.code != exitOK || !result.Accepted() || len(result.Violations) > 0 {
				t.Errorf("code %d, %+v:\n%s%s", r.code, result.Violations, r.stdout, r.stderr)
			}
			if warned := strings.Contains(r.stderr, `line ends written as \n`); warned != (name == "an odd key") {
				t.Errorf("that others refuse the key is said: %v\n%s", warned, r.stderr)
			}
			if signature := got[strings.LastIndexByte(got, '.')+1:]; strings.Contains(r.stdout, signature) {
				t.Error("it shows the signature")
			}
		})
	}
}
