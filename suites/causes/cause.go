// Package causes holds the mistakes that teams make, as literals: what is wrong in
// the customer's words, what can happen, who can mend it, and which checks fail of
// it. A report names them first: one mistake can fail eighteen checks, and the
// first of them is seldom the one that tells.
//
// A cause is recognised in one of two ways. A probe names it, because an experiment
// confirmed it ("the same request, signed in hex, is accepted"), or because an answer
// says so; or it is inferred from which checks fail and which don't.
package causes

import (
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/kindlytest/kindlytest/reports"
)

// Who can mend something.
const (
	Page           = "page"
	Endpoint       = "endpoint"
	Token          = "token"
	Webhook        = "webhook"
	Infrastructure = "infrastructure"
	Configuration  = "configuration" // of kindlytest
)

// A Cause is one mistake.
type Cause struct {
	ID          string // stable, never reused: "webhook-verifies-nothing"
	Title       string // what is wrong, in the customer's words
	Consequence string // what can happen now
	Severity    reports.Severity
	Owner       string
	Fix         string // where no probe knows better
	// Explains lists the checks whose failures it accounts for: IDs or globs. What
	// is mended in thought explains only what it was seen by: the rest is judged as
	// if it were mended, so that what fails there is another mistake.
	Explains []string
	// Besides lists the failures that it accounts for where no other cause does.
	Besides []string
	// Everywhere: it is one mistake, wherever it is seen.
	Everywhere bool
	// When lists what infers it: all of these checks fail, and none of Unless
	// does. Empty: only a probe names it.
	When, Unless []string
	// By says how they fail, and what it explains: what fails with an error on a
	// forged token has not believed it.
	By Showing
}

// A Showing is how a mistake shows that is inferred.
type Showing int

const (
	ByAnswer Showing = iota // what should not have been taken was, or the answer is wrong
	ByError                 // a status of 500 or more, or no answer
	ByEither
)

// All returns the catalogue of causes, in the order in which they are inferred.
func All() []Cause { return all() }

var all = sync.OnceValue(func() []Cause {
	return slices.Concat(processes, ofPages, ofClaims, ofEndpoints, ofTokens(), ofSignatures, ofWebhooks)
})

// Find returns the cause with this ID, in any letter case.
func Find(id string) (Cause, bool) {
	i := slices.IndexFunc(all(), func(c Cause) bool { return strings.EqualFold(c.ID, id) })
	if i < 0 {
		return Cause{}, false
	}
	return all()[i], true
}

// explains says whether a cause accounts for a check.
func (c Cause) explains(id string) bool { return matches(c.Explains, id) }

func matches(patterns []string, id string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, id)
		return err == nil && ok
	})
}

// report is the cause as a report tells it.
func (c Cause) report() reports.Cause {
	return reports.Cause{ID: c.ID, Title: c.Title, Consequence: c.Consequence, Severity: c.Severity, Owner: c.Owner, Fix: c.Fix}
}
