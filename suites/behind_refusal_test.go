package suites_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/target"
)

// A request may be refused for something else before it comes to the mistake: by a parser, a
// comparison of origins, a format. Whoever attacks knows how to get past that.
func TestAMistakeBehindAnotherRefusalIsFound(t *testing.T) {
	t.Parallel()
	jwt := func(user string) string {
		part := base64.RawURLEncoding.EncodeToString
		return part([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + part(fmt.Appendf(nil, `{"sub":%q,"iat":1767225600,"exp":4102444800}`, user)) + "." + strings.Repeat("k3J_", 10) + "a" // so that its middle is a digit
	}
	for name, row := range map[string]struct {
		id      string
		want    reports.Outcome
		cookie  string
		origin  bool
		handler func(w http.ResponseWriter, r *http.Request, body []byte)
	}{
		"the host is believed, and the origin compared with it": {id: "AUTH-HOST-HEADER", want: reports.Warned, origin: true,
			handler: func(w http.ResponseWriter, r *http.Request, _ []byte) {
				if u, err := url.Parse(r.Header.Get("Origin")); err != nil || u.Host != r.Host {
					http.Error(w, "CSRF", http.StatusForbidden)
					return
				}
				plainEndpoint{more: map[string]any{"iss": "https://" + r.Host}}.ServeHTTP(w, r)
			}},
		"JSON wants its type, and a form is taken too": {id: "AUTH-CSRF", want: reports.Informed,
			handler: func(w http.ResponseWriter, r *http.Request, body []byte) {
				switch r.Header.Get("Content-Type") {
				case "application/json":
				case "application/x-www-form-urlencoded":
					fields, _ := url.ParseQuery(string(body))
					body, _ = json.Marshal(map[string]string{"chat_id": fields.Get("chat_id")})
				default:
					body = []byte("{}")
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				plainEndpoint{}.ServeHTTP(w, r)
			}},
		"JSON wants its type": {id: "AUTH-CSRF", want: reports.Passed,
			handler: func(w http.ResponseWriter, r *http.Request, body []byte) {
				if r.Header.Get("Content-Type") != "application/json" {
					http.Error(w, "JSON", http.StatusUnsupportedMediaType)
					return
				}
				plainEndpoint{}.ServeHTTP(w, r)
			}},
		"a session's claims are read, and not verified": {id: "AUTH-BAD-SESSION", want: reports.Failed, cookie: "token=" + jwt("user-ada") + "; _ga=GA1.2.1234567890.1767225600",
			handler: func(w http.ResponseWriter, r *http.Request, _ []byte) {
				plainEndpoint{who: func(r *http.Request) string {
					c, err := r.Cookie("token")
					if err != nil || strings.Count(c.Value, ".") != 2 {
						return ""
					}
					var header, claims map[string]any
					for i, into := range []*map[string]any{&header, &claims} {
						text, err := base64.RawURLEncoding.DecodeString(strings.Split(c.Value, ".")[i])
						if err != nil || json.Unmarshal(text, into) != nil {
							return ""
						}
					}
					if header["alg"] != "HS256" || claims["sub"] != "user-ada" {
						return ""
					}
					return "user-ada"
				}}.ServeHTTP(w, r)
			}},
		"a signed cookie is beside the session": {id: "AUTH-BAD-SESSION", want: reports.Passed, cookie: "sid=9f2c7be1a0d4; token=" + jwt("visitor"),
			handler: func(w http.ResponseWriter, r *http.Request, _ []byte) { plainEndpoint{}.ServeHTTP(w, r) }},
		"a session is verified": {id: "AUTH-BAD-SESSION", want: reports.Passed, cookie: "token=" + jwt("user-ada"),
			handler: func(w http.ResponseWriter, r *http.Request, _ []byte) {
				plainEndpoint{who: func(r *http.Request) string {
					if c, err := r.Cookie("token"); err != nil || c.Value != jwt("user-ada") {
						return ""
					}
					return "user-ada"
				}}.ServeHTTP(w, r)
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := plainEndpointOf(t, plainEndpoint{})
			shop.Endpoint.SecondHeader = nil
			shop.Endpoint.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
				r.Body = io.NopCloser(bytes.NewReader(body))
				row.handler(w, r, body)
			})
			if row.cookie != "" {
				shop.Endpoint.Header.Set("Cookie", row.cookie)
			}
			if row.origin {
				shop.Endpoint.Header.Set("Origin", shop.Endpoint.URL)
			}
			if c := find(t, suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{row.id}}), row.id); c.Outcome != row.want {
				t.Errorf("%s is %s, want %s: %s", row.id, c.Outcome, row.want, c.Reason)
				describe(t, c)
			}
		})
	}
}

// What stands in the page's own script is no secret: a stranger sends it too. And where the
// user's own request is turned away by now, a refusal says nothing.
func TestARefusalOfTheVisitorIsAboutTheSession(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	const script = `const brand = "acme-se"; const ask = (id) => fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json", "X-Brand": brand}, body: JSON.stringify({chat_id: id})}).then(r => r.ok ? r.json() : {}).then(d => d.token)`
	page := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if fmt.Fprint(w, `<!doctype html><link rel="icon" href="data:,"><body><script>`, script, `</script>`); plainSession(r) != "" {
			fmt.Fprint(w, `<script>window.kindlyOptions = {getAuthToken: ask}</script>`, snippet)
		}
	}
	var bad, soon atomic.Int32
	var ended atomic.Bool
	for name, row := range map[string]struct {
		auth http.HandlerFunc
		only []string
		want reports.Outcome
		says string
	}{
		"a header that all have": {func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Brand") != "acme-se" {
				http.Error(w, "which brand?", http.StatusBadRequest)
				return
			}
			plainEndpoint{who: func(*http.Request) string { return "guest" }}.ServeHTTP(w, r)
		}, []string{"AUTH-NO-SESSION"}, reports.Failed, ""},
		"a ban after some bad requests": {func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
			r.Body = io.NopCloser(bytes.NewReader(body))
			if id := member(body, "chat_id"); len(id) != 36 && bad.Add(1) > 0 || bad.Load() > 3 {
				http.Error(w, "Forbidden", http.StatusForbidden)
				return
			}
			plainEndpoint{}.ServeHTTP(w, r)
		}, []string{"AUTH-CHATID-TYPE", "AUTH-METHOD", "AUTH-CHATID-HOSTILE", "AUTH-BODY-MALFORMED"}, reports.Skipped, "turns away"},
		"a ban that ends when the page has met it": {func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
			r.Body = io.NopCloser(bytes.NewReader(body))
			banned := len(member(body, "chat_id")) != 36 && soon.Add(1) > 0 || soon.Load() > 3
			if banned && strings.Contains(r.Header.Get("Accept-Encoding"), "br") { // Chrome
				ended.Store(true)
			} else if len(member(body, "chat_id")) == 36 && (!banned || ended.Load()) {
				plainEndpoint{}.ServeHTTP(w, r)
				return
			}
			http.Error(w, "Forbidden", http.StatusForbidden)
		}, []string{"AUTH-CHATID-TYPE", "AUTH-METHOD", "AUTH-CHATID-HOSTILE", "AUTH-BODY-MALFORMED"}, reports.Passed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/auth" {
					row.auth(w, r)
					return
				}
				page(w, r)
			})
			shop := target.Target{PageURL: url + "/", PublicKeys: []*token.Key{publicOf(t)},
				Login: &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "9f2c7be1a0d4", HTTPOnly: true, SameSite: "Lax"}}}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: row.only, Browser: sharedBrowser(t)})
			seen := 0
			for _, id := range row.only {
				if c := find(t, run, id); row.says == "" && strings.Contains(c.Reason, "turns away") {
					t.Errorf("%s: %s", id, c.Reason)
				} else if c.Outcome == row.want && strings.Contains(c.Reason, row.says) {
					seen++
				} else {
					t.Logf("%s is %s: %s %s", id, c.Outcome, c.Reason, c.Actual)
				}
			}
			if seen == 0 || row.says != "" && run.ExitCode == 0 {
				t.Errorf("none is %s; exit code %d (%s)", row.want, run.ExitCode, run.Problem)
			}
		})
	}
}

// An access token that lives for seconds is over when the checks come to it. The page gets
// another one by itself, and so no refusal of the old one is the endpoint's mistake.
func TestAnAccessTokenThatIsOverIsNoMistake(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	const callback = `async (id) => {
		const ask = async () => fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json", Authorization: "Bearer " + await window.access}, body: JSON.stringify({chat_id: id})});
		let r = await ask();
		if (r.status === 401) { window.access = fetch("/access").then(async r => atob(await r.text())); r = await ask(); }
		return r.ok ? (await r.json()).token : null;
	}`
	for _, id := range []string{"AUTH-POST-TOKEN", "AUTH-ERROR-LEAK"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			var made, over atomic.Int64
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/access" && plainSession(r) != "":
					fmt.Fprint(w, base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "access-%d", made.Add(1)))) // where it comes from is not seen
				case r.URL.Path == "/auth":
					if r.Header.Get(service.HeaderCheck) == id {
						over.CompareAndSwap(0, made.Load()) // all that were made before
					}
					var n int64
					if _, err := fmt.Sscanf(r.Header.Get("Authorization"), "Bearer access-%d", &n); err != nil || n <= over.Load() {
						http.Error(w, `{"error":"log in"}`, http.StatusUnauthorized)
						return
					}
					e := plainEndpoint{who: func(*http.Request) string { return "user-ada" }}
					if id == "AUTH-ERROR-LEAK" {
						e.before = func(w http.ResponseWriter, chat any) {
							if text, ok := chat.(string); !ok || len(text) != 36 {
								w.WriteHeader(http.StatusBadRequest)
								fmt.Fprint(w, `{"error":"/srv/shop/src/chat.js"}`)
							}
						}
					}
					e.ServeHTTP(w, r)
				default:
					w.Header().Set("Content-Type", "text/html")
					fmt.Fprint(w, `<script>window.access = fetch("/access").then(async r => atob(await r.text()))</script>`, html(callback, ""))
				}
			})
			shop := target.Target{PageURL: url + "/", PublicKeys: []*token.Key{publicOf(t)},
				Login: &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "9f2c7be1a0d4", HTTPOnly: true, SameSite: "Lax"}}}}
			want := map[string]reports.Outcome{"AUTH-POST-TOKEN": reports.Passed, "AUTH-ERROR-LEAK": reports.Warned}[id]
			if c := find(t, suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{id}, Browser: sharedBrowser(t)}), id); c.Outcome != want {
				t.Errorf("%s is %s, want %s", id, c.Outcome, want)
				describe(t, c)
			}
		})
	}
}
