package suites_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/target"
	"golang.org/x/time/rate"
)

// An endpoint that lets a few through in an hour, in one program with the page and a
// webhook: what it turned away is not judged, and accuses nobody; all else is.
func TestALimitOfOnePlaceHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	h := plain()
	var asked atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/hook":
			h.ServeHTTP(w, r)
		case r.URL.Path != "/auth":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, html(fetching, ""))
		case asked.Add(1) > 3:
			w.Header().Set("Retry-After", "3600")
			http.Error(w, `{"error":"too many requests"}`, http.StatusTooManyRequests)
		default:
			var body struct{ ChatID string }
			if json.NewDecoder(r.Body).Decode(&body) != nil || body.ChatID == "" {
				http.Error(w, "{}", http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"token":%q}`, plainEndpoint{}.token("user-ada", body.ChatID, r))
		}
	})
	shop := targetOf(t, h)
	shop.PageURL, shop.Login = url+"/", &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: "9f2c7be1a0d4", HTTPOnly: true}}}
	shop.Webhooks[0].ConnectTo = url + "/hook"
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Browser: sharedBrowser(t), Only: []string{"PAGE-CALLBACK-*", "AUTH-POST-TOKEN", "AUTH-NO-SESSION", "HOOK-VALID", "HOOK-ALG-NONE", "HOOK-SIGNATURE", "SIG"}})
	for _, c := range run.Checks {
		if c.Outcome == reports.Failed || c.Outcome == reports.Warned {
			describe(t, c)
			t.Errorf("%s is accused", c.ID)
		}
		if of := c.ID[:strings.Index(c.ID, "-")]; slices.Contains([]string{"HOOK", "SIG"}, of) && c.Outcome == reports.Errored {
			describe(t, c)
			t.Errorf("%s could not run", c.ID)
		}
	}
	if run.ExitCode != 2 || !strings.Contains(run.Problem, "limits how often") {
		t.Errorf("exit code %d: %s", run.ExitCode, run.Problem)
	}
}

// turnsAway are the ways in which limits answer: as APIs do, and as nginx does by itself.
var turnsAway = map[string]http.HandlerFunc{
	"429 with a time to come again": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		http.Error(w, `{"error":"slow down"}`, http.StatusTooManyRequests)
	},
	"nginx's own 503": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "nginx")
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n"+
			"<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n")
	},
	"503 with a page of its own": func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, fmt.Sprintf("We are busy. Reference %x", time.Now().UnixNano()), http.StatusServiceUnavailable)
	},
}

// aSecond lets so many requests a second through, and so many more at once, as nginx
// counts them.
func aSecond(perSecond float64, more int) (oneTooMany func() bool) {
	allowed := rate.NewLimiter(rate.Limit(perSecond), more)
	return func() bool { return !allowed.Allow() }
}

func TestALimitSlowsTheRunDownAndEndsNoCheck(t *testing.T) {
	t.Parallel()
	for name, turnAway := range turnsAway {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			oneTooMany := aSecond(60, 5)
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				if !oneTooMany() {
					return false
				}
				turnAway(w, r)
				return true
			}
			run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-SIGNATURE", "HOOK-ALG-NONE", "HOOK-KID-INJECTION", "SIG", "RESP"}})
			for _, c := range run.Checks {
				if c.Outcome == reports.Errored || c.Outcome == reports.Failed || c.Outcome == reports.Warned {
					describe(t, c)
					t.Errorf("%s is %s", c.ID, c.Outcome)
				}
			}
			if run.Summary.Deaths > 0 {
				t.Errorf("%d deaths, want none", run.Summary.Deaths)
			}
			if !slices.ContainsFunc(run.Notes, func(n reports.Note) bool { return strings.Contains(n.Text, "limits how often it is called, to about") }) {
				t.Errorf("nothing is said of the limit: %v", run.Notes)
			}
		})
	}
}

// A gateway turns away what is too much, and the second user's login may be that: the
// harness has used up the limit, and they log in again.
func TestALoginThatALimitTurnedAwayIsDoneAgain(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	var asked, turnedAway atomic.Int32
	tooMany := func(w http.ResponseWriter) {
		turnedAway.Add(1)
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many requests", http.StatusTooManyRequests)
	}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/auth" && asked.Add(1) == 2: // the page has asked first
			tooMany(w)
		case r.URL.Path == "/auth":
			plainEndpoint{}.ServeHTTP(w, r)
		case r.Method == http.MethodPost:
			user, _ := io.ReadAll(r.Body)
			if string(user) == "grace" && turnedAway.Load() == 1 {
				tooMany(w)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: map[string]string{"ada": "9f2c7be1a0d4", "grace": "51c0e8d7f3ab"}[string(user)], HttpOnly: true, SameSite: http.SameSiteLaxMode})
		case r.URL.Path == "/login":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<!doctype html><input id=user><button onclick='fetch("/login", {method: "POST", body: document.querySelector("#user").value}).then(r => { if (r.ok) document.body.innerHTML = "<p id=in>in</p>" })'>Log in</button>`)
		default:
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, html(fmt.Sprintf(fetchIt, "", `{chat_id: id}`), ""))
		}
	})
	login := func(user string) *browser.Login {
		return &browser.Login{Steps: []browser.Step{{Goto: url + "/login"}, {Fill: []browser.Field{{Selector: "#user", Value: user}}}, {Click: "button"}, {WaitFor: "#in"}}}
	}
	shop := target.Target{PageURL: url + "/", Login: login("ada"), Second: login("grace")}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Browser: sharedBrowser(t), Timeout: impatience, Concurrency: 1, Only: []string{"AUTH-BIND-SESSION"}})
	if c := find(t, run, "AUTH-BIND-SESSION"); c.Outcome != reports.Passed {
		describe(t, c)
		t.Errorf("AUTH-BIND-SESSION is %s: %s", c.Outcome, run.Problem)
	}
	if n := turnedAway.Load(); n != 2 {
		t.Errorf("%d requests were turned away, want 2", n)
	}
}

// A webhook that limits requests for so long that the check's token expires meanwhile
// refuses it for that, and not for what is wrong with the signature: the check begins anew,
// and where that is so each time, it can't tell.
func TestATokenThatExpiresInTheQueueRefusesNothing(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		times   int32 // that it makes the check wait
		outcome reports.Outcome
		says    string
	}{"once": {1, reports.Failed, "it was accepted"}, "each time": {100, reports.Errored, "until the token had expired"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ahead atomic.Int64 // of the real time, in seconds: of all clocks, the harness's too
			var waits atomic.Int32
			var tokens sync.Map
			now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load()) * time.Second) }
			h := plain()
			secret := h.secret
			h.secret = ""
			h.believe = func(header, claims map[string]any, signed bool, chat string) bool {
				return soundlyAt(now(), header, claims, signed, chat)
			}
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get(service.HeaderCheck) != "SIG-ALGORITHM" {
					return false
				}
				if _, known := tokens.LoadOrStore(r.Header.Get("Authorization"), true); !known && waits.Add(1) <= row.times {
					ahead.Add(400)
					w.Header().Set("Retry-After", "1")
					http.Error(w, "too many requests", http.StatusTooManyRequests)
					return true
				}
				return false
			}
			shop := targetOf(t, h)
			shop.Webhooks[0].Secret = secret
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Now: now, Concurrency: 1, Only: []string{"SIG-ALGORITHM", "SIG-VALID"}})
			if c := find(t, run, "SIG-ALGORITHM"); c.Outcome != row.outcome || !strings.Contains(c.Actual+c.Reason, row.says) {
				describe(t, c)
				t.Errorf("SIG-ALGORITHM is %s, want %s", c.Outcome, row.outcome)
			}
		})
	}
}
