package suites_test

import (
	"context"
	"flag"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/demo"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// requireBrowser skips a test where no Chrome can be had, unless that is an
// error (as it is in CI).
func requireBrowser(t *testing.T) {
	t.Helper()
	if _, err := browser.Find(); err != nil {
		if os.Getenv("KINDLYTEST_REQUIRE_BROWSER") == "1" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED, NOT CHECKED: ", err)
	}
}

// chrome is shared by the tests of this package that need no browser of their
// own; TestMain closes it.
var chrome struct {
	once    sync.Once
	browser *browser.Browser
	err     error
}

func sharedBrowser(t *testing.T) *browser.Browser {
	t.Helper()
	requireBrowser(t)
	chrome.once.Do(func() {
		chrome.browser, chrome.err = browser.Launch(context.Background(), browser.Options{UserAgentSuffix: "kindlytest/test"})
	})
	if chrome.err != nil {
		t.Fatal(chrome.err)
	}
	return chrome.browser
}

func TestMain(m *testing.M) {
	if name := os.Getenv(dyingEnv); name != "" {
		os.Exit(dying(name))
	}
	// Runs wait more than they work. (go test -parallel can't say it: Ginkgo
	// refuses to run under that flag.)
	if err := flag.Lookup("test.parallel").Value.Set(strconv.Itoa(max(sideBySide, runtime.GOMAXPROCS(0)))); err != nil {
		panic(err)
	}
	debug.SetGCPercent(400) // a tenth of what runs work, and there is memory
	code := m.Run()
	if chrome.browser != nil {
		chrome.browser.Close()
	}
	os.Exit(code)
}

var keys = sync.OnceValues(fixtures.GenerateKeys)

// start serves a reference customer and returns it as a target.
func start(t *testing.T, o fixtures.Options) target.Target {
	t.Helper()
	target, _ := startReference(t, o)
	return target
}

func startReference(t *testing.T, o fixtures.Options) (target.Target, *fixtures.Customer) {
	t.Helper()
	var err error
	if o.Keys, err = keys(); err != nil {
		t.Fatal(err)
	}
	customer, err := fixtures.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { customer.Close() })
	target, err := demo.Target(customer)
	if err != nil {
		t.Fatal(err)
	}
	return target, customer
}

// withoutPage turns target into what a team without a page would check: the
// endpoint with a session, and the webhooks.
func withoutPage(t *testing.T, shop target.Target, c *fixtures.Customer) target.Target {
	t.Helper()
	shop.PageURL, shop.Login, shop.Second = "", nil, nil
	shop.Endpoint = &target.EndpointConfig{URL: c.EndpointURL, Header: http.Header{"Cookie": {sessionOf(t, c, c.Users[0])}}}
	return shop
}

// options are those of a run that may share the browser: a target whose host
// names are made up needs one that knows them.
func options(t *testing.T, target target.Target) suites.Options {
	if len(target.Resolve) > 0 {
		requireBrowser(t)
		return suites.Options{}
	}
	return suites.Options{Browser: sharedBrowser(t)}
}

// describe prints what a reader of a failed test needs of a check.
func describe(t *testing.T, c reports.Check) {
	t.Helper()
	t.Logf("%s %s\n  expected %s\n  actual   %s\n  reason   %s", c.ID, c.Outcome, c.Expected, c.Actual, c.Reason)
}

// noneIs fails the test for each check that ended in one of outcomes.
func noneIs(t *testing.T, run reports.Run, outcomes ...reports.Outcome) {
	t.Helper()
	for _, c := range run.Checks {
		if slices.Contains(outcomes, c.Outcome) {
			t.Errorf("%s is %s", c.ID, c.Outcome)
			describe(t, c)
		}
	}
}

// sideBySide is how many tests go on at the same time, and atOnce how many runs [each]
// makes, in all tests together. They wait more than they work, but for under the race
// detector, where each works ten times as much.
const (
	sideBySide = 10 / raceSlows
	atOnce     = 12 / raceSlows
)

var running = make(chan struct{}, atOnce)

// besideOthers lets the sample of a proof run beside other tests; a whole proof,
// whose figures are published, has the machine for itself.
func besideOthers(t *testing.T) {
	if !*proof {
		t.Parallel()
	}
}

// each runs a subtest for each of all that is due, a few at a time.
func each[T any](t *testing.T, all []T, name func(T) string, test func(*testing.T, T)) {
	t.Helper()
	eachOf(t, atOnce, due(t, all, name), name, test)
}

// eachOf is each for all of them, and so many at a time.
func eachOf[T any](t *testing.T, limit int, all []T, name func(T) string, test func(*testing.T, T)) {
	t.Helper()
	var group errgroup.Group
	group.SetLimit(limit)
	for _, one := range all {
		group.Go(func() error {
			running <- struct{}{}
			defer func() { <-running }()
			t.Run(name(one), func(t *testing.T) { test(t, one) })
			return nil
		})
	}
	group.Wait() // the functions return no errors
}

func TestSoundCustomerPassesEveryCheck(t *testing.T) {
	t.Parallel()
	each(t, fixtures.Manners(), fixtures.Manner.String, func(t *testing.T, m fixtures.Manner) { proveSound(t, m, 8) })
}

// proveSound runs every check against a sound customer.
func proveSound(t *testing.T, m fixtures.Manner, concurrency int) {
	target := start(t, fixtures.Options{Manner: m})
	o := options(t, target)
	o.Concurrency = concurrency
	run := suites.RunQuietly(t.Context(), target, o)
	if run.Problem != "" {
		t.Errorf("problem: %q", run.Problem)
	}
	noneIs(t, run, reports.Failed, reports.Warned, reports.Errored)
	if noted(run) {
		t.Error("a chat client was put in, though the page's own starts")
	}
	t.Logf("%+v in %d ms", run.Summary, run.DurationMS)
}

// noticed says whether a check saw that something is wrong.
func noticed(c reports.Check) bool {
	return slices.Contains([]reports.Outcome{reports.Failed, reports.Warned, reports.Informed}, c.Outcome)
}

// needsPage says whether a check can't be made at an endpoint alone.
func needsPage(id string) bool {
	i := slices.IndexFunc(suites.Checks(), func(c suites.Check) bool { return c.ID() == id })
	return i < 0 || suites.Checks()[i].Needs&(target.NeedPage|target.NeedLogin|target.NeedSecond|target.NeedCross) != 0
}

func aboutEndpoint(id string) bool {
	return strings.HasPrefix(id, "AUTH-") || strings.HasPrefix(id, "LIVE-")
}

// withSession is a target with its users' sessions, in place of the steps that lead to
// them: a tab less each, and nothing is lost where the login is not what is looked at.
func withSession(t *testing.T, shop target.Target, c *fixtures.Customer) target.Target {
	t.Helper()
	login := func(user fixtures.User) *browser.Login {
		name, value, _ := strings.Cut(sessionOf(t, c, user), "=")
		return &browser.Login{Cookies: []browser.Cookie{{Name: name, Value: value, HTTPOnly: true, SameSite: "Lax"}}}
	}
	shop.Login, shop.Second = login(c.Users[0]), login(c.Users[1])
	return shop
}

// narrowly is a target, and options for a run of only these checks: where none of them
// needs the page, the endpoint is given, which is the other way to find a token, and
// Chrome has nothing to do; and where none is about the endpoint's session, that is
// given too. TestProof takes the way by the login and the page for all.
func narrowly(t *testing.T, shop target.Target, c *fixtures.Customer, m fixtures.Manner, only ...string) (target.Target, suites.Options) {
	t.Helper()
	o := suites.Options{}
	if slices.ContainsFunc(only, needsPage) || m.Name != "" || len(shop.Resolve) > 0 {
		if o = options(t, shop); o.Browser != nil && m.Name == "" && !slices.ContainsFunc(only, aboutEndpoint) {
			shop = withSession(t, shop, c)
		}
	} else {
		shop = withoutPage(t, shop, c)
	}
	o.Only = only
	return shop, o
}

func TestEachFaultFailsItsCheck(t *testing.T) {
	t.Parallel()
	faults := fixtures.Faults()
	slices.Reverse(faults) // those that kill services take longest, and come last
	eachOf(t, atOnce, faults, fixtures.Fault.String, func(t *testing.T, f fixtures.Fault) {
		target, customer := startReference(t, fixtures.Options{Faults: []fixtures.Fault{f}})
		target, o := narrowly(t, target, customer, f.Manner, f.Breaks)
		if f.Breaks == "LIVE-PROCESS" { // it sends nothing itself
			o.Only = append(o.Only, f.Also...)
		}
		run := suites.RunQuietly(t.Context(), target, o)
		i := slices.IndexFunc(run.Checks, func(c reports.Check) bool { return c.ID == f.Breaks })
		if i < 0 {
			t.Fatalf("%s is no check", f.Breaks)
		}
		if c := run.Checks[i]; !noticed(c) {
			t.Errorf("%s is %s, though: %s", c.ID, c.Outcome, f.Text)
			describe(t, c)
		}
	})
}
