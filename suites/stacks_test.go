package suites_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/target"
)

// A stack is an auth endpoint as a framework makes it, and what a run must say of
// it. Sound ones are not accused; unsound ones are not acquitted.
type stack struct {
	name   string
	auth   func(http.ResponseWriter, *http.Request)
	script string // the page's callback; "" runs without a page
	only   []string
	wants  []want
	exit   int
}

var stackKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// mint signs a sound token.
func mint(chatID any) string { return mintFor("7", chatID) }

func mintFor(sub string, chatID any) string {
	key, err := stackKey()
	if err != nil {
		panic(err)
	}
	now := time.Now()
	raw, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "iss": "stack", "sub": sub, "name": "Ada Lovelace", "chat": map[string]any{"id": chatID},
	}).SignedString(key)
	if err != nil {
		panic(err)
	}
	return raw
}

func give(w http.ResponseWriter, chatID any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"token": mint(chatID)})
}

// loggedIn says whether a request brings the session.
func loggedIn(r *http.Request) bool {
	c, err := r.Cookie("sid")
	return err == nil && c.Value == "0123456789"
}

// chatIDOf reads the body as JSON: a non-empty string, or nothing.
func chatIDOf(r *http.Request) string {
	var body map[string]any
	json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&body)
	for _, name := range []string{"chat_id", "chatId"} {
		if id, ok := body[name].(string); ok {
			return id
		}
	}
	if chat, ok := body["chat"].(map[string]any); ok {
		id, _ := chat["id"].(string)
		return id
	}
	return ""
}

// sound is an endpoint that does all that it should.
func sound(w http.ResponseWriter, r *http.Request) {
	id := chatIDOf(r)
	switch {
	case r.Method != http.MethodPost:
		http.Error(w, "POST", http.StatusMethodNotAllowed)
	case !loggedIn(r):
		http.Error(w, "log in", http.StatusUnauthorized)
	case len(id) != 36:
		http.Error(w, "chat id", http.StatusBadRequest)
	default:
		give(w, id)
	}
}

const fetchIt = `(id) => fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"%s}, body: JSON.stringify(%s)}).then(r => r.ok ? r.json() : {}).then(d => d.token)`

// stacks are made anew for each test: some count.
func stacks() []stack {
	var all, nonce atomic.Int32
	perSecond := rate.NewLimiter(20, 20)
	var mu sync.Mutex
	inSecond := map[int64]int{}
	patient := func(second int64) bool { // who has used it up waits, and so do all others
		mu.Lock()
		defer mu.Unlock()
		inSecond[second]++
		return inSecond[second] <= 30
	}
	return []stack{
		{name: "a login page that holds JWTs of its own is no token",
			auth: func(w http.ResponseWriter, r *http.Request) {
				if loggedIn(r) {
					sound(w, r)
					return
				}
				state, _ := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"nonce": "1", "aud": "login"}).SignedString([]byte("k"))
				fmt.Fprintf(w, `<!doctype html><title>Log in</title><input name="state" value="%s">`, state)
			},
			only: []string{"AUTH-NO-SESSION", "AUTH-POST-TOKEN"}},
		{name: "a login page with the token in it is one",
			auth: func(w http.ResponseWriter, r *http.Request) {
				if loggedIn(r) {
					sound(w, r)
					return
				}
				fmt.Fprintf(w, `<!doctype html><title>Log in</title><script>token = "%s"</script>`, mint(chatIDOf(r)))
			},
			only: []string{"AUTH-NO-SESSION"}, exit: 1, wants: []want{{"AUTH-NO-SESSION", reports.Failed, "gave a token"}}},
		{name: "a GET that reads the query gives a token",
			auth: func(w http.ResponseWriter, r *http.Request) {
				if id := r.URL.Query().Get("chatId"); loggedIn(r) && r.Method == http.MethodGet && id != "" {
					give(w, id)
					return
				}
				sound(w, r)
			},
			only: []string{"AUTH-METHOD"}, exit: 1, wants: []want{{"AUTH-METHOD", reports.Failed, "GET: it gave a token"}}},
		{name: "HEAD is served",
			auth: func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodHead {
					sound(w, r)
				}
			},
			only: []string{"AUTH-METHOD"}, wants: []want{{"AUTH-METHOD", reports.Informed, "HEAD: status 200"}}},
		{name: "a lone surrogate is signed as it came",
			auth: func(w http.ResponseWriter, r *http.Request) {
				var body struct {
					ChatID json.RawMessage `json:"chat_id"`
				}
				if json.NewDecoder(r.Body).Decode(&body) != nil || !loggedIn(r) {
					http.Error(w, "no", http.StatusBadRequest)
					return
				}
				give(w, body.ChatID)
			},
			only: []string{"AUTH-CHATID-HOSTILE"}, wants: []want{{"AUTH-CHATID-HOSTILE", reports.Passed, ""}}},
		{name: "a rate limit may turn a burst away",
			auth: func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get(service.HeaderCheck) == "LIVE-AUTH-BURST" && !perSecond.Allow() {
					http.Error(w, "slow down", http.StatusTooManyRequests)
					return
				}
				sound(w, r)
			},
			only: []string{"LIVE-AUTH-BURST"}, wants: []want{{"LIVE-AUTH-BURST", reports.Informed, "429"}}},
		{name: "a limit may say so with 503, and when to come again",
			auth: func(w http.ResponseWriter, r *http.Request) {
				if now := time.Now(); !patient(now.Unix()) {
					w.Header().Set("Retry-After", now.Add(2*time.Second).UTC().Format(http.TimeFormat))
					http.Error(w, "busy", http.StatusServiceUnavailable)
					return
				}
				sound(w, r)
			},
			only: []string{"LIVE-AUTH-BURST", "LIVE-PROCESS"}, wants: []want{{"LIVE-AUTH-BURST", reports.Informed, "503"}, {"LIVE-PROCESS", reports.Passed, ""}}},
		{name: "a rate limit is no refusal",
			auth: func(w http.ResponseWriter, r *http.Request) {
				if all.Add(1) > 12 {
					w.Header().Set("Retry-After", "600")
					http.Error(w, "slow down", http.StatusTooManyRequests)
					return
				}
				sound(w, r)
			},
			only: []string{"AUTH-NO-SESSION", "AUTH-METHOD"}, exit: 2, wants: []want{{"AUTH-METHOD", reports.Errored, "429"}}},
		{name: "nothing is proven by an endpoint that gives nobody a token",
			auth: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "log in", http.StatusUnauthorized) },
			only: []string{"AUTH-NO-SESSION", "AUTH-METHOD", "AUTH-CHATID-*", "AUTH-BODY-*", "AUTH-HOST-HEADER"}, exit: 2,
			wants: []want{{"AUTH-NO-SESSION", reports.Skipped, "AUTH-POST-TOKEN"}}},
		{name: "the chat id is in the path, and the body is not read",
			script: `(id) => fetch("/auth/" + id, {method: "POST", body: "{}"}).then(r => r.json()).then(d => d.token)`,
			auth: func(w http.ResponseWriter, r *http.Request) {
				id := strings.TrimPrefix(r.URL.Path, "/auth/")
				switch {
				case !loggedIn(r):
					http.Error(w, "log in", http.StatusUnauthorized)
				case r.Method != http.MethodPost || len(id) != 36:
					http.NotFound(w, r)
				default:
					give(w, id)
				}
			},
			only: []string{"AUTH-*", "LIVE-AUTH-BODY"}, wants: []want{
				{"AUTH-BODY-MALFORMED", reports.Skipped, "in the body"}, {"AUTH-BIND-CHAT", reports.Passed, ""},
				{"AUTH-CSRF", reports.Informed, "SameSite"}}},
		{name: "Django: a CSRF cookie that scripts must read, and a nested chat id",
			script: fmt.Sprintf(fetchIt, `, "X-CSRFToken": "fedcba9876543210"`, `{chat: {id}}`),
			auth: func(w http.ResponseWriter, r *http.Request) {
				if c, err := r.Cookie("csrftoken"); err != nil || c.Value != r.Header.Get("X-CSRFToken") {
					http.Error(w, "<h1>CSRF verification failed</h1>", http.StatusForbidden)
					return
				}
				sound(w, r)
			},
			only: []string{"AUTH-*"}, wants: []want{
				{"AUTH-COOKIE-FLAGS", reports.Passed, "sid"}, {"AUTH-IDENTITY-BODY", reports.Passed, ""}, {"AUTH-CSRF", reports.Passed, ""}}},
		{name: "a CSRF token that is good for one request",
			script: `(id) => fetch("/auth/nonce").then(r => r.text()).then(nonce => fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json", "X-CSRF-Token": nonce}, body: JSON.stringify({chatId: id})})).then(r => r.json()).then(d => d.token)`,
			auth: func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/auth/nonce" {
					fmt.Fprintf(w, "nonce-%08d", nonce.Add(1))
					return
				}
				if used, given := r.Header.Get("X-CSRF-Token"), fmt.Sprintf("nonce-%08d", nonce.Load()); used != given {
					http.Error(w, "CSRF", http.StatusForbidden)
					return
				}
				nonce.Add(1)
				sound(w, r)
			},
			only: []string{"AUTH-*", "TOK-*", "LIVE-*"}, exit: 2, wants: []want{{"AUTH-POST-TOKEN", reports.Passed, "only once"}, {"AUTH-BIND-CHAT", reports.Passed, ""},
				{"AUTH-CHATID-HOSTILE", reports.Passed, "callback"}, {"LIVE-AUTH-BODY", reports.Skipped, "only once"}}},
		{name: "the session is a cookie that remembers the first chat, and the page keeps tokens",
			script: `(id) => fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({chatId: id})}).then(r => r.json()).then(d => localStorage.kindly = d.token)`,
			auth: func(w http.ResponseWriter, r *http.Request) {
				id := chatIDOf(r)
				if c, err := r.Cookie("first_chat"); err == nil {
					id = c.Value
				}
				http.SetCookie(w, &http.Cookie{Name: "first_chat", Value: id, HttpOnly: true, SameSite: http.SameSiteLaxMode})
				r.Body = io.NopCloser(strings.NewReader(fmt.Sprintf(`{"chat_id": %q}`, id)))
				sound(w, r)
			},
			only: []string{"AUTH-BIND-CHAT", "PAGE-CALLBACK-FRESH"}, exit: 1, wants: []want{
				{"AUTH-BIND-CHAT", reports.Failed, "with the cookies that the answer before has set"}, {"PAGE-CALLBACK-FRESH", reports.Skipped, "see AUTH-BIND-CHAT"}}},
		{name: "the session is a cookie that each answer sets anew",
			script: fmt.Sprintf(fetchIt, "", `{chatId: id}`),
			auth: func(w http.ResponseWriter, r *http.Request) {
				id := chatIDOf(r)
				http.SetCookie(w, &http.Cookie{Name: "last_chat", Value: id, HttpOnly: true, SameSite: http.SameSiteLaxMode})
				give(w, id)
			},
			only: []string{"AUTH-BIND-CHAT", "PAGE-CALLBACK-FRESH"}, wants: []want{{"AUTH-BIND-CHAT", reports.Passed, ""}, {"PAGE-CALLBACK-FRESH", reports.Passed, ""}}},
		{name: "no session is looked up behind protection from CSRF",
			script: fmt.Sprintf(fetchIt, `, "X-CSRFToken": "fedcba9876543210"`, `{chatId: id}`),
			auth: func(w http.ResponseWriter, r *http.Request) {
				if c, err := r.Cookie("csrftoken"); err != nil || c.Value != r.Header.Get("X-CSRFToken") {
					http.Error(w, "CSRF", http.StatusForbidden)
					return
				}
				r.Header.Set("Cookie", "sid=0123456789")
				sound(w, r)
			},
			only: []string{"AUTH-NO-SESSION", "AUTH-BAD-SESSION"}, exit: 1,
			wants: []want{{"AUTH-NO-SESSION", reports.Failed, "gave a token"}, {"AUTH-BAD-SESSION", reports.Skipped, "see AUTH-NO-SESSION"}}},
		{name: "X-Requested-With protects from CSRF",
			script: fmt.Sprintf(fetchIt, `, "X-Requested-With": "XMLHttpRequest"`, `{chatId: id}`),
			auth: func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Requested-With") == "" {
					http.Error(w, "CSRF", http.StatusForbidden)
					return
				}
				sound(w, r)
			},
			only: []string{"AUTH-*"}, wants: []want{{"AUTH-CSRF", reports.Passed, "403"}}},
	}
}

func TestStacks(t *testing.T) {
	t.Parallel()
	for _, row := range stacks() {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/auth") {
					w.Header().Set("Cache-Control", "no-store")
					w.Header().Set("X-Content-Type-Options", "nosniff")
					row.auth(w, r)
					return
				}
				w.Header().Set("Content-Type", "text/html")
				io.Copy(w, bytes.NewReader([]byte(html(row.script, ""))))
			})
			shop, o := endpointAt(url+"/auth"), suites.Options{Only: row.only}
			if row.script != "" {
				shop = target.Target{PageURL: url + "/", Login: &browser.Login{Cookies: []browser.Cookie{
					{Name: "sid", Value: "0123456789", HTTPOnly: true, SameSite: "Lax"},
					{Name: "csrftoken", Value: "fedcba9876543210", SameSite: "Lax"},
				}}}
				o.Browser = sharedBrowser(t)
			}
			run := suites.RunQuietly(t.Context(), shop, o)
			for _, c := range run.Checks {
				if noticed(c) {
					if row.exit != 1 && c.Outcome == reports.Failed {
						t.Errorf("%s accuses a sound stack", c.ID)
					}
					describe(t, c)
				}
			}
			for _, w := range row.wants {
				if c := find(t, run, w.id); c.Outcome != w.outcome || !strings.Contains(c.Actual+c.Reason, w.says) {
					t.Errorf("%s must be %s and say %q", w.id, w.outcome, w.says)
					describe(t, c)
				}
			}
			if run.ExitCode != row.exit {
				t.Errorf("exit code %d, want %d: %s", run.ExitCode, row.exit, run.Problem)
			}
		})
	}
}

func TestWhatAStrangerSees(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, reply string
		outcome     reports.Outcome
	}{
		{"the name of the page's user", "Welcome back, Ada Lovelace!", reports.Failed},
		{"a longer name", "Ask for Ada Lovelaces and her cats.", reports.Passed},
		{"a number that is the user's by chance", "You have 7 messages.", reports.Passed},
	} {
		t.Run(row.name, func(t *testing.T) {
			target := endpointOf(func(w http.ResponseWriter, r *http.Request) {
				r.AddCookie(&http.Cookie{Name: "sid", Value: "0123456789"})
				sound(w, r)
			})(t)
			target.Webhooks = hookOf(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				json.NewEncoder(w).Encode(map[string]string{"reply": row.reply})
			})(t).Webhooks
			run := suites.RunQuietly(t.Context(), target, suites.Options{Only: []string{"HOOK-ANONYMOUS"}})
			if c := find(t, run, "HOOK-ANONYMOUS"); c.Outcome != row.outcome {
				describe(t, c)
				t.Errorf("it is %s, want %s", c.Outcome, row.outcome)
			}
		})
	}
}

func TestRateLimitOfAWebhookIsNoRefusal(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	var count atomic.Int32
	target := withHook(func(w http.ResponseWriter, _ *http.Request) bool {
		if count.Add(1) <= 12 {
			return false
		}
		w.Header().Set("Retry-After", "600")
		http.Error(w, "slow down", http.StatusTooManyRequests)
		return true
	})(t)
	run := suites.RunQuietly(t.Context(), target, suites.Options{Only: []string{"HOOK-KEY-CONFUSION", "RESP-*"}, Browser: sharedBrowser(t)})
	if c := find(t, run, "HOOK-KEY-CONFUSION"); c.Outcome != reports.Errored || !strings.Contains(c.Reason, "429") {
		describe(t, c)
		t.Error("a webhook that answers nothing but 429 was judged")
	}
	if run.ExitCode != 2 || !strings.Contains(run.Hint, "--rate") {
		t.Errorf("exit code %d: %s (%s)", run.ExitCode, run.Problem, run.Hint)
	}
}

func TestAShortWaitIsWaitedFor(t *testing.T) {
	t.Parallel()
	var count atomic.Int32
	target := endpointOf(func(w http.ResponseWriter, r *http.Request) {
		if count.Add(1) == 2 {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "slow down", http.StatusTooManyRequests)
			return
		}
		r.AddCookie(&http.Cookie{Name: "sid", Value: "0123456789"})
		sound(w, r)
	})(t)
	run := suites.RunQuietly(t.Context(), target, suites.Options{Only: []string{"AUTH-POST-TOKEN"}})
	if run.ExitCode != 0 {
		describe(t, find(t, run, "AUTH-POST-TOKEN"))
		t.Errorf("exit code %d: %s", run.ExitCode, run.Problem)
	}
}

// A request that --rate held back until the check's time was over is not the
// target's silence.
func TestSlownessOfOurOwnAccusesNobody(t *testing.T) {
	t.Parallel()
	target := endpointOf(sound)(t)
	run := suites.RunQuietly(t.Context(), target, suites.Options{Only: []string{"AUTH-BODY-MALFORMED", "AUTH-METHOD"},
		Rate: 3, Concurrency: 2, Timeout: impatience})
	for _, c := range run.Checks {
		if noticed(c) {
			describe(t, c)
			t.Errorf("%s accuses", c.ID)
		}
	}
	if run.ExitCode != 0 { // it only takes longer
		t.Errorf("exit code %d: %s", run.ExitCode, run.Problem)
	}
}

// A policy on trial blocks nothing.
func TestReportOnlyPolicyBlocksNothing(t *testing.T) {
	t.Parallel()
	target := pageFrom(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy-Report-Only", "default-src 'none'")
		io.WriteString(w, html(given, ""))
	})(t)
	run := suites.RunQuietly(t.Context(), target, suites.Options{Only: []string{"PAGE-CSP"}, Browser: sharedBrowser(t)})
	if c := find(t, run, "PAGE-CSP"); c.Outcome != reports.Passed {
		describe(t, c)
		t.Error("a policy that only reports was taken for one that blocks")
	}
}
