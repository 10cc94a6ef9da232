package main

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
)

// TestReportsOfAFullRun runs everything against a shop that handles tokens
// carelessly, so that there is a check of every outcome. Others' parsers read
// the reports, in every format; and no secret of the shop's is in any.
func TestReportsOfAFullRun(t *testing.T) {
	requireBrowser(t)
	t.Parallel()
	pair, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	var faults []fixtures.Fault
	for _, name := range []string{"token-in-console", "token-in-local-storage", "token-in-url", "token-to-analytics",
		"token-in-cookie", "session-in-token", "stack-trace-in-errors", "alg-none-accepted", "unsigned-accepted", "no-nosniff", "cacheable-token"} {
		f, ok := fixtures.FaultByName(name)
		if !ok {
			t.Fatalf("there is no fault %q", name)
		}
		faults = append(faults, f)
	}
	shop, err := fixtures.Start(t.Context(), fixtures.Options{Keys: pair, Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	defer shop.Close()

	dir := t.TempDir()
	env, secrets := secretsOf(t, shop)
	writeFiles(t, dir, map[string]string{
		"public.pem": string(shop.PublicPEM), "private.pem": string(shop.PrivatePEM),
		"kindlytest.yaml": configFor(shop),
	})
	got := runHere(t.Context(), env, "", "run", "-c", filepath.Join(dir, "kindlytest.yaml"), "--verbose", "--json",
		"--format", "json,junit,html,sarif,markdown", "--report-dir", filepath.Join(dir, "out"))
	if got.code != exitBroken {
		t.Fatalf("exit code %d, want %d: without failures there is nothing to leak\n%s", got.code, exitBroken, got.stderr)
	}
	if strings.Count(got.stdout, `"evidence"`) < 5 || !strings.Contains(got.stderr, "eyJ") {
		t.Error("the run shows too little to prove anything")
	}

	texts := readFiles(t, filepath.Join(dir, "out"))
	if len(texts) != 5 {
		t.Errorf("%d reports were written, want 5", len(texts))
	}
	readByOthers(t, texts)
	texts["stdout"], texts["stderr"] = got.stdout, got.stderr
	for name, text := range texts {
		text += decodedPayloads(text)
		for what, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %s", name, what)
			}
		}
		if m := signedToken.FindString(text); m != "" {
			t.Errorf("%s holds a token with its signature: %.40s…", name, m)
		}
		if m := cookieValue.FindString(text); m != "" {
			t.Errorf("%s holds a session: %.40s…", name, m)
		}
	}
}

// signedToken matches a JWT with a signature that is more than a mark; and
// cookieValue the shop's session ids, also those that nobody but Chrome saw.
var (
	signedToken = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}`)
	cookieValue = regexp.MustCompile(`shop_session(=|%3D)[0-9a-f]{16,}`)
)

// payload matches the payload of a token, whose signature may be gone.
var payload = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}\.([A-Za-z0-9_-]{10,})`)

// decodedPayloads is what the tokens in a text say.
func decodedPayloads(text string) string {
	var b strings.Builder
	for _, m := range payload.FindAllStringSubmatch(text, -1) {
		decoded, err := base64.RawURLEncoding.DecodeString(m[1])
		if err == nil {
			b.Write(decoded)
		}
	}
	return b.String()
}

// secretsOf returns the environment of a run, and each value that must not be
// seen.
func secretsOf(t *testing.T, shop *fixtures.Customer) (env, secrets map[string]string) {
	t.Helper()
	second, direct := logIn(t, shop, shop.Users[1]), logIn(t, shop, shop.Users[0])
	env = map[string]string{
		"EMAIL": shop.Users[0].Email, "PASSWORD": shop.Users[0].Password, "SECOND": second, "DIRECT": direct,
	}
	secrets = map[string]string{
		"the first user's password": shop.Users[0].Password, "the second user's password": shop.Users[1].Password,
		"the cookie of the second login": second, "the cookie of the endpoint": direct,
	}
	for i, w := range shop.Webhooks {
		env["HMAC"+string(rune('0'+i))] = w.Secret
		if w.Secret != "" {
			secrets["the HMAC secret of "+w.Name] = w.Secret
		}
	}
	for line := range strings.Lines(string(shop.PrivatePEM)) {
		if line = strings.TrimSpace(line); len(line) == 64 {
			secrets["a line of the private key: "+line[:8]] = line
		}
	}
	if len(secrets) < 20 {
		t.Fatalf("only %d secrets to look for", len(secrets))
	}
	return env, secrets
}

// logIn returns the value of a user's session cookie.
func logIn(t *testing.T, shop *fixtures.Customer, u fixtures.User) string {
	t.Helper()
	form := url.Values{"email": {u.Email}, "password": {u.Password}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, shop.LoginURL, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", strings.TrimSuffix(shop.PageURL, "/"))
	response, err := http.DefaultTransport.RoundTrip(r) // follows no redirect
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for _, c := range response.Cookies() {
		if c.Name == "shop_session" {
			return c.Value
		}
	}
	t.Fatalf("logging in answered %d, without a session", response.StatusCode)
	return ""
}

func configFor(shop *fixtures.Customer) string {
	var b strings.Builder
	b.WriteString(`version: 1
bot: {key: ` + shop.BotKey + `, public_key: public.pem}
private_key: private.pem
page:
  url: ` + shop.PageURL + `
  login:
    - goto: ` + shop.LoginURL + `
    - fill: {"#email": "${EMAIL}", "#password": "${PASSWORD}"}
    - click: "button[type=submit]"
    - wait_for: "` + shop.AccountMark + `"
  second_login:
    cookies: {shop_session: "${SECOND}"}
endpoint:
  url: ` + shop.EndpointURL + `
  headers: {Cookie: "shop_session=${DIRECT}"}
webhooks:
`)
	for i, w := range shop.Webhooks {
		b.WriteString("  - {name: " + w.Name + ", url: \"" + w.PublicURL + "\", connect_to: \"" + w.LocalURL + "\", message: \"" + w.Message + "\"")
		if w.Secret != "" {
			b.WriteString(`, hmac_secret: "${HMAC` + string(rune('0'+i)) + `}"`)
		}
		b.WriteString("}\n")
	}
	// Nobody answers there, so that something could not run.
	b.WriteString("  - {name: gone, url: \"https://hooks.customer.example/gone\", connect_to: \"http://127.0.0.1:9/\", message: Hello}\n")
	b.WriteString("checks:\n  expected_failures: [{id: AUTH-ERROR-LEAK, reason: OPS-12}]\n")
	return b.String()
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func readFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		texts[e.Name()] = string(text)
	}
	return texts
}

func TestInterruptedRunIsNoSuccess(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	got := runHere(ctx, nil, "", "run", "--webhook", "http://localhost:1/", "--report-dir", dir)
	if got.code != exitUsage || !strings.Contains(got.stdout, "interrupted") {
		t.Errorf("exit code %d, output %q", got.code, got.stdout)
	}
	if len(readFiles(t, dir)) != 2 {
		t.Error("the reports were not written")
	}
}
