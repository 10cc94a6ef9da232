// Package catalogue holds the checks: one slice of literals an area, in the
// order of a report. A check is its requirement, what it needs of a target, and
// the probe that finds out whether it holds.
//
// Everything else follows from the literals: lists, specs, labels, docs and the
// rows of a report.
package catalogue

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// A Check is one requirement and how it is found out whether it holds.
type Check struct {
	Requirement rule.Rule
	// Needs names what the target must offer; without it the check is skipped.
	Needs target.Need
	// Weakly are those of the needs that the check can do without, and proves less.
	Weakly target.Need
	// Reads: it judges what answers say. That a request of it kills a process is
	// another check's business.
	Reads bool
	// Turn says when the probe runs; the zero value lets it overlap with others.
	Turn Turn
	// Hostile probes send what a sound client never would, or more of it at once
	// than one would; --safe leaves them out.
	Hostile bool
	// Probe looks and judges. It must honour ctx.
	Probe func(ctx context.Context, s *subject.Session) subject.Verdict
}

// ID is the requirement's ID.
func (c Check) ID() string { return c.Requirement.ID }

// A Turn is when a probe runs in relation to the others.
type Turn int

const (
	Early    Turn = iota - 1 // as soon as the endpoint is known: sends what the page does, and waits for long
	Together                 // beside others, at the session's concurrency
	Alone                    // after those, with nothing else going on at what it calls
	Roughly                  // after those, beside each other: what is no token, no chat id or no text as expected may break what it meets
	Beside                   // after those, also beside what comes next: looks at a page that has got all it needs
	Last                     // at the very end of what is done to a service, one at a time: may kill it
	Finally                  // after all that, when nothing is sent any more
)

// An Area is a part of the catalogue that is read together.
type Area struct {
	ID     string // as the IDs of its checks begin: "HOOK"
	Name   string // for people
	Checks []Check
}

// Areas returns the areas in the order of a report: the way of a token.
func Areas() []Area { return areas() }

var areas = sync.OnceValue(func() []Area {
	return []Area{
		{"PAGE", "Page", Page},
		{"AUTH", "Auth endpoint", Auth},
		{"TOK", "Token", tokenChecks()},
		{"FWD", "Forwarding", Forwarding},
		{"HOOK", "Webhook: whom it believes", Hook},
		{"SIG", "Webhook: signature", Signature},
		{"RESP", "Webhook: answers", answerChecks()},
		{"LIVE", "Staying up", Live},
	}
})

// All returns all checks in the order of a report. The slice is the caller's.
func All() []Check {
	var all []Check
	for _, a := range areas() {
		all = append(all, a.Checks...)
	}
	return all
}

var byID = sync.OnceValue(func() map[string]Check {
	m := map[string]Check{}
	for _, c := range All() {
		m[c.ID()] = c
	}
	return m
})

// Find returns the check with this ID, in any letter case.
func Find(id string) (Check, bool) {
	c, ok := byID()[strings.ToUpper(id)]
	return c, ok
}

// after puts checks behind the one with an ID.
func after(checks []Check, id string, more ...Check) []Check {
	i := slices.IndexFunc(checks, func(c Check) bool { return c.ID() == id })
	return slices.Insert(slices.Clone(checks), i+1, more...)
}
