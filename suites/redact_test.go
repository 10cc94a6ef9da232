package suites

import (
	"net/http"
	"strings"
	"testing"
)

func TestCredentialsAreKnownByTheirNames(t *testing.T) {
	const secret = "opaque0123456789abcdef"
	r := &redactor{}
	for _, name := range []string{"X-CSRFToken", "X-Auth-Token", "apikey", "X-Session-Id", "X-Amz-Security-Token"} {
		if got := r.headers(http.Header{name: {secret}}); strings.Contains(got[0].Value, secret) {
			t.Errorf("the header %s shows %q", name, got[0].Value)
		}
	}
	for _, body := range []string{
		`{"access_token":"` + secret + `"}`, `{"user":{"sessionId": "` + secret + `"}}`, `{"csrfToken" : "` + secret + `","a":1}`,
	} {
		if got := r.body([]byte(body)); strings.Contains(got, secret) || !strings.Contains(got, removed) {
			t.Errorf("the body shows %s", got)
		}
	}
	for _, raw := range []string{
		"https://a.example/cb?x=1&code=" + secret + "&state=" + secret, "https://a.example/#access_token=" + secret + "&token_type=bearer",
		"https://u:" + secret + "@a.example/?session_id=" + secret,
	} {
		if got := safeURL(raw); strings.Contains(got, secret) || !strings.HasPrefix(got, "https://a.example/") {
			t.Errorf("safeURL(%q) = %q", raw, got)
		}
	}
}

func TestWhatIsNoCredentialIsShown(t *testing.T) {
	r := &redactor{}
	for _, raw := range []string{"https://a.example/auth?chat_id=1&b=2;c", "https://a.example/#/chat", "/login?next=%2Fa%20b", "https://a.example/?token=ey.a"} {
		if got := safeURL(raw); got != raw && !strings.Contains(raw, "token") {
			t.Errorf("safeURL(%q) = %q", raw, got)
		}
	}
	const body = `{"reply":"your order has shipped","token":"eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0.","exchange_slug":"orders-and-more"}`
	if got := r.body([]byte(body)); got != body {
		t.Errorf("the body became %s", got)
	}
}

func TestSecretsInEverySpelling(t *testing.T) {
	r := &redactor{}
	r.add(`p"<&> w/ord`, "s%3Aabcdef.ghi%2Bjkl")
	for _, text := range []string{`{"password":"p\"\u003c\u0026\u003e w/ord"}`, "p&#34;&lt;&amp;&gt; w/ord", "p%22%3C%26%3E+w%2Ford", "s:abcdef.ghi+jkl"} {
		if got := r.text(text); !strings.Contains(got, removed) {
			t.Errorf("%s is shown as %s", text, got)
		}
	}
}
