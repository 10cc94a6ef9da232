package suites_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// inRequest is a callback whose session is in the body that it sends, and in no header.
func inRequest(body string) string {
	return `async (id) => {
		if (!sessionStorage.access) { const r = await fetch("/access"); sessionStorage.access = r.ok ? await r.text() : "none"; }
		const r = await fetch("/auth", {method: "POST", credentials: "omit", body: ` + body + `});
		return r.ok ? (await r.json()).token : null;
	}`
}

// bearerIn is an endpoint that knows its user by what stands in the request itself.
func bearerIn(read func(*http.Request) (session, id string)) func(*testing.T) http.HandlerFunc {
	const session = "at-7f21c09d3be84a66"
	return func(t *testing.T) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/access" && loggedIn(r) {
				io.WriteString(w, session)
				return
			}
			given, id := read(r)
			all := r.Header.Get(allMember) != ""
			if r.Header.Del("Cookie"); given == session || all {
				r.AddCookie(&http.Cookie{Name: "sid", Value: "0123456789"})
			}
			asksFor(func(*http.Request, []byte) string { return id }, asJSON)(t)(w, r)
		}
	}
}

// allMember marks the requests of a test in which all are taken for the member.
const allMember = "Test-Everybody"

// csrf is a token against requests of other sites that each answer replaces.
func csrf(t *testing.T) http.HandlerFunc {
	var mu sync.Mutex
	now, n := "0", 0
	answer := asksFor(func(_ *http.Request, body []byte) string { return member(body, "chatId") }, asJSON)(t)
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/auth" && r.Header.Get("X-CSRF-Token") != now {
			http.Error(w, "CSRF", http.StatusForbidden)
			return
		}
		n++
		now = strconv.Itoa(n)
		w.Header().Set("X-CSRF-Token", now)
		if r.URL.Path == "/auth" {
			answer(w, r)
		}
	}
}

// lasts says whose session has gone out to fewer requests than that.
type lasts struct {
	mu   sync.Mutex
	uses map[string]int // left, by session
	n    int
}

const fewUses = 90 // more than a burst

func (l *lasts) anew() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	session := fmt.Sprintf("session-%d-0f3c", l.n)
	l.uses[session] = fewUses
	return session
}

func (l *lasts) use(session string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.uses[session]--
	return l.uses[session] >= 0
}

// accessTokens are sessions in the page's memory, which it renews by a cookie when
// one is turned away.
func accessTokens(t *testing.T) http.HandlerFunc {
	sessions := &lasts{uses: map[string]int{}}
	answer := asksFor(func(_ *http.Request, body []byte) string { return member(body, "chatId") }, asJSON)(t)
	return func(w http.ResponseWriter, r *http.Request) {
		bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case r.URL.Path == "/access" && loggedIn(r):
			io.WriteString(w, sessions.anew())
		case r.Header.Get(allMember) != "" || sessions.use(bearer):
			r.Header.Set("Cookie", "sid=0123456789")
			answer(w, r)
		default:
			http.Error(w, "log in", http.StatusUnauthorized)
		}
	}
}

// rotating are cookies that each answer replaces, and that count a while longer.
func rotating(t *testing.T) http.HandlerFunc {
	sessions := &lasts{uses: map[string]int{"0123456789": fewUses}}
	answer := asksFor(func(_ *http.Request, body []byte) string { return member(body, "chatId") }, asJSON)(t)
	return func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("sid"); r.Header.Get(allMember) == "" {
			if err != nil || !sessions.use(c.Value) {
				http.Error(w, "log in", http.StatusUnauthorized)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: sessions.anew(), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		}
		r.Header.Set("Cookie", "sid=0123456789")
		answer(w, r)
	}
}
