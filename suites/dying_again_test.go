package suites_test

import (
	"flag"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/demo"
	"github.com/kindlytest/kindlytest/internal/porttest"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

var dyingRuns = flag.Int("dying", 0, "runs against each customer that dies; make attack has them made")

// A verdict about a customer that dies is the same in each run: 50 times, where
// TestProofDeaths makes fewer, under more circumstances.
func TestDyingAgainAndAgain(t *testing.T) {
	t.Parallel()
	if *dyingRuns == 0 {
		t.Skip("SKIPPED, NOT CHECKED: it takes long; make attack")
	}
	for _, w := range waysToDie {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			runs := make([]reports.Run, *dyingRuns)
			t.Run("runs", func(t *testing.T) { // it ends when all have
				for n := range runs {
					t.Run("", func(t *testing.T) {
						t.Parallel()
						runs[n] = dieOnce(t, death{way: w, concurrency: 8})
					})
				}
			})
			same := 0
			for n, run := range runs {
				wrong, _ := judgeDeaths(run, w)
				wrong = append(wrong, changed(outcomes(runs[0]), outcomes(run))...)
				if len(wrong) == 0 {
					same++
					continue
				}
				t.Errorf("run %d: %s", n+1, strings.Join(wrong, "; "))
			}
			t.Logf("%d of %d runs", same, *dyingRuns)
		})
	}
}

// A session that died with the process ends in an error by now, and not in a refusal: the
// users log in again all the same, and nobody says that the service has failed for good.
func TestALostSessionThatEndsInAnErrorIsMadeAgain(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	judged := []string{"AUTH-POST-TOKEN", "AUTH-NO-SESSION", "AUTH-BIND-SESSION", "AUTH-CHATID-TYPE", "AUTH-IDENTITY-BODY", "PAGE-CALLBACK-FRESH", "LIVE-AUTH-BODY"}
	for _, concurrency := range []int{1, 8} {
		t.Run(fmt.Sprint(concurrency), func(t *testing.T) {
			t.Parallel()
			customer, _ := startDying(t, forgetsAndFails)
			shop, err := demo.Target(customer)
			if err != nil {
				t.Fatal(err)
			}
			shop.Login.Steps = slices.Clone(shop.Login.Steps)
			o := options(t, shop)
			o.Concurrency, o.Only = concurrency, slices.Concat(judged, []string{"AUTH-CORS-FOREIGN", "LIVE-PROCESS"})
			run := suites.RunQuietly(t.Context(), shop, o)
			for _, id := range judged {
				if c := find(t, run, id); c.Outcome != reports.Passed {
					describe(t, c)
					t.Errorf("%s is %s", c.ID, c.Outcome)
				}
			}
			for _, id := range []string{"AUTH-CORS-FOREIGN", "LIVE-PROCESS"} {
				if c := find(t, run, id); c.Outcome != reports.Failed || c.Cause != "process-dies" {
					describe(t, c)
					t.Errorf("%s is %s, of %q", c.ID, c.Outcome, c.Cause)
				}
			}
			if run.Problem != "" {
				t.Error(run.Problem)
			}
		})
	}
}

// Each forged token that is sent to this webhook ends its process. Most of them are
// wrong in the same way, and a few show it: each check says so, and each other is judged.
func TestAKindOfRequestKillsAFewTimes(t *testing.T) {
	t.Parallel()
	shop := dyingShop(t, unverified)
	forgedChecks := []string{"HOOK-TAMPERED", "HOOK-SIGNATURE", "HOOK-WRONG-KEY"}
	validChecks := []string{"HOOK-VALID", "HOOK-EXPIRED", "HOOK-OTHER-CHAT", "HOOK-SUB-TYPE", "RESP-ADDITIVE", "SIG-WRONG"}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Concurrency: 1, Only: slices.Concat(forgedChecks, validChecks, []string{"LIVE-PROCESS"})})
	const most = 45 // experiments included, one after another: how many are under way when it dies is the machine's doing
	if n := run.Summary.Deaths; n < 5 || n > most {
		t.Errorf("it died %d times, want at most %d", n, most)
	}
	for _, c := range run.Checks {
		forged, valid := slices.Contains(forgedChecks, c.ID), slices.Contains(validChecks, c.ID)
		switch {
		case c.Outcome == reports.Errored:
			t.Errorf("%s could not run: %s", c.ID, c.Reason)
		case forged && (c.Outcome != reports.Failed || c.Cause != "process-dies"):
			t.Errorf("%s is %s, of %q: %s", c.ID, c.Outcome, c.Cause, c.Actual)
		case valid && c.Outcome != reports.Passed && c.Outcome != reports.Skipped:
			t.Errorf("%s is %s: %s", c.ID, c.Outcome, c.Actual)
		}
	}
	t.Log(run.Summary)
}

// One forged token of a dozen is believed, and each other ends the process: the belief
// is found, and named beside the death.
func TestDeathsDoNotHideABelief(t *testing.T) {
	t.Parallel()
	fault, ok := fixtures.FaultByName("alg-none-accepted")
	if !ok {
		t.Fatal("there is no such fault")
	}
	shop := dyingShop(t, unverifiedButNone, fault)
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK-ALG-NONE", "LIVE-PROCESS"}})
	c := find(t, run, "HOOK-ALG-NONE")
	if c.Outcome != reports.Failed || c.Cause != "webhook-lets-token-choose" || !strings.Contains(c.Actual, "which was made up for the forged token") {
		t.Errorf("HOOK-ALG-NONE is %s, of %q", c.Outcome, c.Cause)
		describe(t, c)
	}
	if p := find(t, run, "LIVE-PROCESS"); p.Outcome != reports.Failed {
		describe(t, p)
		t.Error("and the process dies")
	}
}

// A stranger's valid request ends the process: that is told, and all others are judged
// by what members are answered.
func TestAPlainRequestThatKillsHidesNothing(t *testing.T) {
	t.Parallel()
	shop := dyingShop(t, strangers, fixtures.IgnoresChat)
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-NO-SESSION", "AUTH-METHOD", "AUTH-POST-TOKEN", "RESP-STATUS", "HOOK-VALID", "HOOK-WRONG-KEY", "HOOK-OTHER-CHAT", "HOOK-USER-ID", "SIG-WRONG", "LIVE-PROCESS"}})
	for _, w := range []want{
		{"AUTH-NO-SESSION", reports.Passed, ""}, {"AUTH-METHOD", reports.Passed, ""}, {"AUTH-POST-TOKEN", reports.Passed, ""},
		{"RESP-STATUS", reports.Failed, "without a token: no answer"}, {"LIVE-PROCESS", reports.Failed, `/hooks/orders: "without a token" kills it, 3 of 3 times`},
		{"HOOK-VALID", reports.Passed, ""}, {"HOOK-WRONG-KEY", reports.Passed, ""}, {"HOOK-OTHER-CHAT", reports.Failed, ""}, {"SIG-WRONG", reports.Passed, ""},
		{"HOOK-USER-ID", reports.Skipped, "without a token"}, // which can't be told of who only ends it
	} {
		if c := find(t, run, w.id); c.Outcome != w.outcome || !strings.Contains(c.Actual+c.Reason, w.says) {
			t.Errorf("%s is %s, want %s and %q", w.id, c.Outcome, w.outcome, w.says)
			describe(t, c)
		}
	}
	if run.Summary.Errored > 0 || len(run.Causes) == 0 || run.Causes[0].ID != "process-dies" {
		t.Errorf("the run says %q, and names %+v first", run.Problem, run.Causes)
	}
}

// Nothing but the webhook and a key is known, and the first request ever is the one
// that gets no answer.
func TestAWebhookThatAnswersNoStrangerIsJudgedByMembers(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		unanswered func(w http.ResponseWriter, r *http.Request)
		cause      string
	}{
		"it hangs up":      {hangUp, "webhook-hangs-up"},
		"it never answers": {hang, "webhook-silent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := plain()
			h.believe = func(header, claims map[string]any, signed bool, _ string) bool { // whatever chat it is of
				chat, _ := claims["chat"].(map[string]any)
				id, _ := chat["id"].(string)
				return soundlyAt(time.Now(), header, claims, signed, id)
			}
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("Authorization") != "" {
					return false
				}
				row.unanswered(w, r)
				return true
			}
			run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Timeout: impatience,
				Only: []string{"RESP-STATUS", "HOOK-VALID", "HOOK-OTHER-CHAT", "HOOK-WRONG-KEY", "LIVE-PROCESS"}})
			for _, w := range []want{
				{"RESP-STATUS", reports.Failed, "without a token: no answer"}, {"HOOK-VALID", reports.Passed, ""},
				{"HOOK-OTHER-CHAT", reports.Failed, ""}, {"HOOK-WRONG-KEY", reports.Passed, ""}, {"LIVE-PROCESS", reports.Passed, ""},
			} {
				if c := find(t, run, w.id); c.Outcome != w.outcome || !strings.Contains(c.Actual+c.Reason, w.says) {
					t.Errorf("%s is %s, want %s and %q", w.id, c.Outcome, w.outcome, w.says)
					describe(t, c)
				}
			}
			if found := findings(run); !slices.Equal(found, []string{row.cause, "webhook-ignores-chat"}) && !slices.Equal(found, []string{"webhook-ignores-chat", row.cause}) {
				t.Errorf("it names %q", found)
			}
		})
	}
}

// The same, of a process that ends: the death is told, though nothing had been answered
// before it.
func TestTheDeathOfTheFirstRequestIsTold(t *testing.T) {
	t.Parallel()
	shop := dyingShop(t, strangers)
	shop.Endpoint, shop.PageURL = nil, ""
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"RESP-STATUS", "LIVE-PROCESS"}})
	for _, w := range []want{
		{"RESP-STATUS", reports.Failed, "no answer"}, {"LIVE-PROCESS", reports.Failed, `/hooks/orders: "without a token" kills it, 3 of 3 times`},
	} {
		if c := find(t, run, w.id); c.Outcome != w.outcome || !strings.Contains(c.Actual+c.Reason, w.says) {
			t.Errorf("%s is %s, want %s and %q", w.id, c.Outcome, w.outcome, w.says)
			describe(t, c)
		}
	}
}

// The first request to one webhook may have ended the process just when another one is
// called for the first time: that is waited for, and not said to be nowhere.
func TestAWebhookThatIsJustRestartedIsWaitedFor(t *testing.T) {
	t.Parallel()
	at := "127.0.0.1:" + strconv.Itoa(porttest.Free(t))
	restarted := make(chan *httptest.Server, 1)
	time.AfterFunc(700*time.Millisecond, func() {
		defer close(restarted)
		l, err := net.Listen("tcp4", at)
		if err != nil {
			t.Error(err)
			return
		}
		server := &httptest.Server{Listener: l, Config: &http.Server{Handler: plain()}}
		server.Start()
		restarted <- server
	})
	shop := target.Target{PrivateKey: ourKey(), Webhooks: []target.Webhook{{URL: "https://hooks.shop.example/kindly", ConnectTo: "http://" + at, Secret: plainSecret}}}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"RESP-STATUS"}})
	if server := <-restarted; server != nil {
		defer server.Close()
	}
	if c := find(t, run, "RESP-STATUS"); c.Outcome != reports.Passed || run.Problem != "" {
		t.Errorf("%s %s, and the run says %q", c.Outcome, c.Reason, run.Problem)
	}
}

// Nothing is answered, by which it could be told what kills the process: that it ends is
// seen all the same, as nobody listens for a moment.
func TestAProcessThatEndsAtEachRequestIsNamed(t *testing.T) {
	t.Parallel()
	shop := dyingShop(t, everyRequest)
	shop.Endpoint, shop.PageURL, shop.Webhooks = nil, "", shop.Webhooks[:1]
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"RESP-STATUS", "HOOK-VALID"}, Timeout: impatience})
	namesAlone(t, run, "process-dies")
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		conn.Close()
	}
}

// dyingShop is a shop without a page, whose process dies.
func dyingShop(t *testing.T, way wayToDie, faults ...fixtures.Fault) target.Target {
	t.Helper()
	customer, _ := startDying(t, way, faults...)
	shop, err := demo.Target(customer)
	if err != nil {
		t.Fatal(err)
	}
	return withoutPage(t, shop, customer)
}

// outcomes are those of a run's checks, by ID.
func outcomes(run reports.Run) map[string]reports.Outcome {
	all := map[string]reports.Outcome{}
	for _, c := range run.Checks {
		all[c.ID] = c.Outcome
	}
	return all
}

// changed says which outcomes are others than in an earlier run.
func changed(before, now map[string]reports.Outcome) (wrong []string) {
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if now[id] != before[id] {
			wrong = append(wrong, fmt.Sprintf("%s is %s, and was %s", id, now[id], before[id]))
		}
	}
	return wrong
}
