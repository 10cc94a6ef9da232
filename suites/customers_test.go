package suites_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"

	customer "github.com/kindlytest/kindlytest/fixtures/stack"
	"github.com/kindlytest/kindlytest/fixtures/stack/stacktest"
	"github.com/kindlytest/kindlytest/internal/demo"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// customerKeys are made with the commands of Kindly's documentation, so that
// their output is what is read everywhere.
var customerKeys = sync.OnceValues(func() (customer.Keys, error) {
	keys, err := customer.OpenSSLKeys(context.Background())
	missing := (*customer.MissingError)(nil)
	if errors.As(err, &missing) && !stacktest.Required() {
		return customer.GenerateKeys()
	}
	return keys, err
})

// startCustomer runs a customer in another stack, and says what target it is.
func startCustomer(t *testing.T, name string, o customer.Options) (*customer.Customer, target.Target) {
	t.Helper()
	keys, err := customerKeys()
	if err != nil {
		t.Fatal(err)
	}
	o.Keys = &keys
	c := stacktest.Start(t, name, o)
	target, err := demo.StackTarget(c)
	if err != nil {
		t.Fatal(err)
	}
	return c, target
}

func TestCustomersInOtherStacks(t *testing.T) {
	t.Parallel()
	type row struct {
		stack, how string
		test       func(t *testing.T, stack string)
	}
	var rows []row
	for _, s := range customer.All() {
		if s.Name != "node" { // it has a test of its own
			rows = append(rows, row{s.Name, "sound", proveStack})
		}
		if s.Documented {
			rows = append(rows, row{s.Name, "as documented", proveDocumented})
		}
	}
	documented = map[string]documentedRun{}
	t.Run("runs", func(t *testing.T) {
		name := func(r row) string { return r.stack + ", " + r.how }
		each(t, rows, name, func(t *testing.T, r row) { r.test(t, r.stack) })
	})
	expectDocumentedPage(t)
}

// proveStack runs every check against a customer that is as sound as its stack
// allows: what remains is listed, with its reason, and nothing else is.
func proveStack(t *testing.T, name string) {
	requireBrowser(t)
	c, target := startCustomer(t, name, customer.Options{})
	run := suites.RunQuietly(t.Context(), target, suites.Options{Browser: sharedBrowser(t), ExpectedFailures: c.Stack.Expected})
	if run.Problem != "" || run.ExitCode != 0 {
		t.Errorf("exit code %d, problem: %s", run.ExitCode, run.Problem)
	}
	rendered, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	for secret, what := range secretsIn(c) {
		if bytes.Contains(rendered, []byte(secret)) {
			t.Errorf("the report holds %s", what)
		}
	}
	noneIs(t, run, reports.Failed, reports.Warned, reports.Errored, reports.Informed)
	least := 130
	if target.PageURL == "" {
		least = 55
	}
	if run.Summary.Passed < least {
		t.Errorf("only %d checks passed: %+v", run.Summary.Passed, run.Summary)
	}
	t.Logf("%+v in %d ms", run.Summary, run.DurationMS)
}

// secretsIn are what the customer was given to keep, and what it is.
func secretsIn(c *customer.Customer) map[string]string {
	out := map[string]string{}
	for _, u := range c.Users {
		out[u.Password] = "a password"
	}
	for _, w := range c.Webhooks {
		out[w.Secret] = "the webhook's secret"
	}
	for _, values := range c.Header {
		out[values[0]] = "the session of a device"
	}
	return out
}

// A documentedRun is what a run against a customer as documented said.
type documentedRun struct {
	stack    customer.Stack
	versions map[string]string
	checks   []reports.Check // those that are not passed or skipped
	summary  reports.Summary
	unfitted reports.Check // PAGE-CALLBACK-TOKEN, with the snippet as it stands
}

var (
	documentedMu sync.Mutex
	documented   map[string]documentedRun // by the stack's name
)

// proveDocumented runs every check against a customer as documented, and keeps
// what was found for the page in docs.
func proveDocumented(t *testing.T, name string) {
	requireBrowser(t)
	c, target := startCustomer(t, name, customer.Options{AsDocumented: true})
	o := suites.Options{Browser: sharedBrowser(t)}
	run := suites.RunQuietly(t.Context(), target, o)
	found := documentedRun{stack: c.Stack, versions: c.Versions, summary: run.Summary}
	for _, check := range run.Checks {
		switch check.Outcome {
		case reports.Errored:
			t.Errorf("%s is %s", check.ID, check.Outcome)
			describe(t, check)
		case reports.Failed, reports.Warned, reports.Informed:
			found.checks = append(found.checks, check)
		}
	}
	target.PageURL, o.Only = c.UnfittedURL, []string{"PAGE-CALLBACK-TOKEN"}
	found.unfitted = find(t, suites.RunQuietly(t.Context(), target, o), "PAGE-CALLBACK-TOKEN")
	if found.unfitted.Outcome != reports.Failed {
		t.Errorf("with the snippet as it stands, PAGE-CALLBACK-TOKEN is %s", found.unfitted.Outcome)
		describe(t, found.unfitted)
	}
	documentedMu.Lock()
	defer documentedMu.Unlock()
	documented[name] = found
}

// expectClosed: whatever a customer as documented lacks, of
// the same stack has code for, that is marked with the check.
func expectClosed(t *testing.T, found documentedRun, closings []customer.Closing) {
	t.Helper()
	for _, check := range found.checks {
		closed := slices.ContainsFunc(closings, func(c customer.Closing) bool {
			return c.Stack == found.stack.Name && slices.Contains(c.IDs, check.ID)
		})
		if _, remains := found.stack.Expected[check.ID]; closed == remains {
			t.Errorf("%s: %s is %s as documented; mark what closes it (# closes: %[2]s … # end), or list it in Expected", found.stack.Name, check.ID, check.Outcome)
		}
	}
}
