package suites_test

import (
	"net/url"
	"slices"
	"testing"

	customer "github.com/kindlytest/kindlytest/fixtures/stack"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// startNode runs the customer in fixtures/node, with a variable set that makes it
// do something wrong, and returns it as a target.
func startNode(t *testing.T, extraEnv ...string) target.Target {
	t.Helper()
	requireBrowser(t)
	_, target := startCustomer(t, "node", customer.Options{Env: extraEnv})
	return target
}

// The node customer is sound, and its reports hold nothing of what went over the wire that
// is secret.
func TestNodeCustomerPassesEveryCheck(t *testing.T) {
	t.Parallel()
	target := startNode(t)
	page, err := url.Parse(target.PageURL)
	if err != nil {
		t.Fatal(err)
	}
	tap := listenIn(t, page.Host)
	target.Resolve = map[string]string{"127.0.0.1": tap.address} // the browser, and everybody else
	run := suites.Run(t.Context(), target, suites.Options{Args: []string{"run", target.PageURL}})
	if run.Problem != "" {
		t.Errorf("problem: %s", run.Problem)
	}
	noneIs(t, run, reports.Failed, reports.Warned, reports.Errored)
	for _, c := range run.Checks {
		if c.Outcome == reports.Skipped {
			t.Logf("%s is skipped: %s", c.ID, c.Reason)
		}
	}
	if run.Summary.Passed < 100 {
		t.Errorf("only %d checks passed: %+v", run.Summary.Passed, run.Summary)
	}
	if run.ExitCode != 0 {
		t.Errorf("exit code %d", run.ExitCode)
	}
	t.Logf("%+v in %d ms", run.Summary, run.DurationMS)
	all := rendering(t, target, run)
	all.lack(t, secretsOf(t, target))
	all.lack(t, tap.secrets(t))
}

func TestNodeCustomerThatForgetsTheChatFails(t *testing.T) {
	t.Parallel()
	target := startNode(t, "FORGET_CHAT=1")
	run := suites.Run(t.Context(), target, suites.Options{Only: []string{"HOOK-OTHER-CHAT", "HOOK-VALID"}})
	got := find(t, run, "HOOK-OTHER-CHAT")
	if got.Outcome != reports.Failed {
		t.Errorf("HOOK-OTHER-CHAT is %s", got.Outcome)
		describe(t, got)
	}
	if valid := find(t, run, "HOOK-VALID"); valid.Outcome != reports.Passed {
		t.Errorf("HOOK-VALID is %s", valid.Outcome)
		describe(t, valid)
	}
	if run.ExitCode != 1 {
		t.Errorf("exit code %d, want 1", run.ExitCode)
	}
}

// find returns a check of a run.
func find(t *testing.T, run reports.Run, id string) reports.Check {
	t.Helper()
	i := slices.IndexFunc(run.Checks, func(c reports.Check) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("the run has no check %s: %s", id, run.Problem)
	}
	return run.Checks[i]
}
