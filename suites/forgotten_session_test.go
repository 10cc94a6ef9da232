package suites_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/service"
)

// Sessions in the memory of one of two processes: whoever meets the other one is
// nobody. A session that nobody knows any more is no such thing.
func TestASessionThatOneProcessKnowsIsNamed(t *testing.T) {
	t.Parallel()
	var served atomic.Int64
	for name, row := range map[string]struct {
		who   func(*http.Request) string
		named bool
	}{
		"one of two processes": {func(r *http.Request) string {
			if served.Add(1)%2 == 0 {
				return ""
			}
			return plainSession(r)
		}, true},
		"none": {func(*http.Request) string { return "" }, false},
		"all":  {plainSession, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := suites.RunQuietly(t.Context(), plainEndpointOf(t, plainEndpoint{who: row.who}), suites.Options{Only: []string{"AUTH-POST-TOKEN", "AUTH-CONCURRENT", "LIVE-AUTH-BURST"}})
			named := false
			for _, c := range run.Causes {
				named = named || c.ID == "endpoint-forgets-sessions" && c.Confirmed
			}
			if named != row.named {
				t.Errorf("named: %t; it names %q", named, findings(run))
			}
		})
	}
}

// A session that one of four processes knows is told once, with how often it was known.
// All else is judged, by asking until it is known: what is right, and what is wrong. A
// process may be met by chance, or by the connection.
func TestASessionThatOneProcessKnowsHidesNothing(t *testing.T) {
	t.Parallel()
	byChance := func() func(*http.Request) int64 {
		var served atomic.Int64
		return func(*http.Request) int64 { return served.Add(1) }
	}
	byConnection := func() func(*http.Request) int64 {
		var served atomic.Int64
		var processes sync.Map // of each connection
		return func(r *http.Request) int64 {
			p, ok := processes.Load(r.RemoteAddr)
			if !ok {
				p, _ = processes.LoadOrStore(r.RemoteAddr, served.Add(1))
			}
			return p.(int64)
		}
	}
	for name, processes := range map[string]func() func(*http.Request) int64{"by chance": byChance, "by the connection": byConnection} {
		for _, concurrency := range []int{0, 1} {
			t.Run(fmt.Sprint(name, " ", concurrency), func(t *testing.T) {
				t.Parallel()
				process := processes()
				e := plainEndpoint{before: func(http.ResponseWriter, any) {}, who: func(r *http.Request) string {
					if process(r)%4 != 0 {
						return ""
					}
					if id := r.URL.Query().Get("user_id"); plainSession(r) != "" && strings.HasPrefix(id, "user-") {
						return id
					}
					return plainSession(r)
				}}
				run := suites.RunQuietly(t.Context(), plainEndpointOf(t, e), suites.Options{Concurrency: concurrency,
					Only: []string{"AUTH-POST-TOKEN", "AUTH-CONTENT-TYPE", "AUTH-*SESSION", "AUTH-IDENTITY-BODY", "AUTH-BIND-CHAT", "AUTH-CHATID-MISSING", "AUTH-FRESH", "TOK-ALG", "TOK-SUB-STABLE"}})
				for _, w := range []want{{"AUTH-POST-TOKEN", reports.Failed, "the session is known at "}, {"AUTH-CONTENT-TYPE", reports.Passed, ""}, {"AUTH-NO-SESSION", reports.Passed, ""},
					{"AUTH-BAD-SESSION", reports.Passed, ""}, {"AUTH-IDENTITY-BODY", reports.Failed, "in the query"}, {"AUTH-BIND-CHAT", reports.Passed, ""}, {"AUTH-BIND-SESSION", reports.Passed, ""},
					{"AUTH-CHATID-MISSING", reports.Failed, "it gave a token"}, {"AUTH-FRESH", reports.Passed, ""}, {"TOK-ALG", reports.Passed, ""}, {"TOK-SUB-STABLE", reports.Passed, ""}} {
					if c := find(t, run, w.id); c.Outcome != w.outcome || !strings.Contains(c.Actual+c.Reason, w.says) {
						t.Errorf("%s is %s, and must be %s and say %q", w.id, c.Outcome, w.outcome, w.says)
						describe(t, c)
					}
				}
				if found := findings(run); !slices.Contains(found, "endpoint-forgets-sessions") {
					t.Errorf("it names %q", found)
				}
			})
		}
	}
}

// What an endpoint keeps of who is asking where all requests see it is told once, of two
// users who ask at once, or else of a stranger beside a user. Nobody is accused for who
// happens to ask at the same time.
func TestAUserKeptForAllRequestsIsToldOnce(t *testing.T) {
	t.Parallel()
	for _, second := range []bool{true, false} {
		for _, concurrency := range []int{0, 1} {
			t.Run(fmt.Sprint(second, concurrency), func(t *testing.T) {
				t.Parallel()
				var asking atomic.Value // in a variable of the module
				who := func(r *http.Request) string {
					asking.Store(plainSession(r))
					time.Sleep(20 * time.Millisecond) // it looks something up
					return asking.Load().(string)
				}
				shop := plainEndpointOf(t, plainEndpoint{who: who})
				if !second {
					shop.Endpoint.SecondHeader = nil
				}
				run := suites.RunQuietly(t.Context(), shop, suites.Options{Concurrency: concurrency,
					Only: []string{"AUTH-POST-TOKEN", "AUTH-*SESSION", "AUTH-IDENTITY-BODY", "AUTH-BIND-CHAT", "AUTH-CHATID-*", "TOK-SUB-STABLE"}})
				if found := findings(run); !slices.Equal(found, []string{"endpoint-mixes-users"}) {
					t.Errorf("it names %q", found)
					for _, c := range run.Checks {
						if c.Outcome == reports.Failed || c.Outcome == reports.Warned {
							describe(t, c)
						}
					}
				}
			})
		}
	}
}

// One of four processes gives strangers a token, as where an old version is still running.
// Who asks alone gets one now and then: that is no matter of company, nor of another check;
// nor of luck, where the processes are met at random and the first strangers meet the others.
func TestOneProcessOfFourThatKnowsNobodyIsAccused(t *testing.T) {
	t.Parallel()
	for _, second := range []bool{true, false} {
		for _, unlucky := range []int{0, 15} {
			t.Run(fmt.Sprintf("second user %v, not met by %d", second, unlucky), func(t *testing.T) {
				t.Parallel()
				var mu sync.Mutex
				strangers := map[string]int{} // of each check: what one meets is no matter of the others
				who := func(r *http.Request) string {
					if user := plainSession(r); user != "" {
						return user
					}
					mu.Lock()
					defer mu.Unlock()
					check := r.Header.Get(service.HeaderCheck)
					if strangers[check]++; strangers[check] <= unlucky || strangers[check]%4 != 0 {
						return ""
					}
					return "user-guest"
				}
				shop := plainEndpointOf(t, plainEndpoint{who: who})
				if !second {
					shop.Endpoint.SecondHeader = nil
				}
				run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-POST-TOKEN", "AUTH-NO-SESSION", "AUTH-BIND-*", "TOK-SUB-STABLE"}})
				if found := findings(run); !slices.Equal(found, []string{"endpoint-knows-nobody"}) {
					t.Errorf("it names %q", found)
					for _, c := range run.Checks {
						describe(t, c)
					}
				}
			})
		}
	}
}
