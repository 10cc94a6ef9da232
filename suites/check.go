package suites

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// A Check is one requirement and how it is found out whether it holds.
type Check struct {
	Requirement rule.Rule
	// Needs names what the target must offer; without it the check is skipped.
	Needs Need
	// Turn says when the probe runs; the zero value lets it overlap with others.
	Turn Turn
	// Hostile probes send what a sound client never would, or more of it at once
	// than one would; --safe leaves them out.
	Hostile bool
	// Probe looks and judges. It must not panic, and must honour ctx.
	Probe func(ctx context.Context, s *Session) Verdict

	location types.CodeLocation // of the literal, for Ginkgo's reports
}

// Faults are the ways in which the reference customer can fail this check. A
// check without one cannot be registered: nobody has seen it fail.
func (c Check) Faults() []fixtures.Fault {
	return slices.DeleteFunc(fixtures.Faults(), func(f fixtures.Fault) bool { return f.Breaks != c.ID() })
}

// provable holds the IDs of the checks that a fault of the reference customer
// breaks. It is asked at each start, for each check.
var provable = sync.OnceValue(func() map[string]bool {
	ids := map[string]bool{}
	for _, f := range fixtures.Faults() {
		ids[f.Breaks] = true
	}
	return ids
})

// ID is the requirement's ID.
func (c Check) ID() string { return c.Requirement.ID }

// A Turn is when a probe runs in relation to the others.
type Turn int

const (
	Together Turn = iota // beside others, at the session's concurrency
	Alone                // after those, with nothing else going on
	Last                 // at the very end, one at a time: may kill the service
)

// A Need is a set of things that a target offers.
type Need uint

// The needs, in the order in which a missing one is reported.
const (
	NeedPage     Need = 1 << iota // a page to open
	NeedEndpoint                  // an auth endpoint: found by watching the page, or configured
	NeedWebhook                   // at least one webhook
	NeedToken                     // a token, from the page or the endpoint
	NeedLogin                     // a way to be logged in
	NeedSecond                    // a second user's way to be logged in
	NeedHMAC                      // the webhook's secret
	NeedKey                       // the private key of a test environment
	NeedCross                     // page and endpoint have different origins
)

var needNames = []struct {
	need Need
	name string // as in `kindlytest list`
	hint string // what to do about its absence
}{
	{NeedPage, "page", "no page was given: kindlytest run PAGE"},
	{NeedEndpoint, "endpoint", "no page and no auth endpoint was given: kindlytest run PAGE, or --endpoint URL"},
	{NeedWebhook, "webhook", "no webhook was given: --webhook URL"},
	{NeedToken, "token", "nothing that gives a token was given: kindlytest run PAGE, or --endpoint URL"},
	{NeedLogin, "login", "no login was given: page.login in kindlytest.yaml"},
	{NeedSecond, "second", "no second user was given: page.second_login in kindlytest.yaml"},
	{NeedHMAC, "hmac", "no webhook secret was given: KINDLYTEST_HMAC_SECRET, or hmac_secret in kindlytest.yaml"},
	{NeedKey, "key", "no private key was given: --private-key FILE (test environments only)"},
	{NeedCross, "cross", "no page was given, so its origin is unknown: kindlytest run PAGE"},
}

// Names lists the needs' names, for people and for `list --json`.
func (n Need) Names() []string {
	names := []string{}
	for _, e := range needNames {
		if n&e.need != 0 {
			names = append(names, e.name)
		}
	}
	return names
}

// hint says what is missing and how to give it; only the first missing need
// is named.
func (n Need) hint() string {
	for _, e := range needNames {
		if n&e.need != 0 {
			return e.hint
		}
	}
	return ""
}

// catalogue holds the registered checks by ID.
var catalogue = map[string]Check{}

// check registers c. It panics on a literal that could not have been meant:
// such a mistake must not survive the first run of anything.
func check(c Check) bool {
	return register(c, 2)
}

func register(c Check, skip int) bool {
	// What types.NewCodeLocation does, but for its search for the caller, which
	// costs a millisecond at each start.
	_, c.location.FileName, c.location.LineNumber, _ = runtime.Caller(skip)
	if err := c.valid(); err != nil {
		panic(fmt.Sprintf("suites: %v", err))
	}
	if _, twice := catalogue[c.ID()]; twice {
		panic("suites: two checks have the ID " + c.ID())
	}
	catalogue[c.ID()] = c
	return true
}

func (c Check) valid() error {
	r := c.Requirement
	switch {
	case areaIndex(r.Area()) < 0:
		return fmt.Errorf("%q: the ID's area is none of %v", r.ID, Areas)
	case r.Level == "" || r.Fidelity == "" || r.Text == "" || r.Source == "" || r.Fix == "":
		return fmt.Errorf("%s: a requirement has a level, a fidelity, a text, a source and a fix", r.ID)
	case c.Probe == nil:
		return fmt.Errorf("%s has no probe", r.ID)
	case !provable()[r.ID]:
		return fmt.Errorf("%s has no fault: nobody has seen it fail", r.ID)
	}
	return nil
}

// Areas are the areas of the catalogue, in the order of a report.
var Areas = []string{"PAGE", "AUTH", "TOK", "FWD", "HOOK", "SIG", "RESP", "LIVE"}

func areaIndex(area string) int {
	for i, a := range Areas {
		if a == area {
			return i
		}
	}
	return -1
}

// Checks returns the catalogue, in the order of a report.
func Checks() []Check {
	checks := make([]Check, 0, len(catalogue))
	for _, id := range order {
		if c, ok := catalogue[id]; ok {
			checks = append(checks, c)
		}
	}
	return checks
}

// Find returns the check with this ID, in any letter case.
func Find(id string) (Check, bool) {
	c, ok := catalogue[strings.ToUpper(id)]
	return c, ok
}
