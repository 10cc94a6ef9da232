package allowlist

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// A rank orders the decisions on one URL: a list is judged by its highest.
type rank int

const (
	invalid   rank = iota // the entry is none
	unrelated             // another domain
	lookalike             // another domain that resembles the entry
	mendable              // the entry is invalid; what it suggests would match
	related               // the same domain, but not covered
	nearly                // not covered by our reading; Kindly may read it so
	perhaps               // covered by our reading; Kindly may not read it so
	surely
)

func match(pattern string, t target) (Decision, rank) {
	p, err := ParsePattern(pattern)
	if err != nil {
		return mismatchOfInvalid(err, t)
	}
	d, r := p.match(t)
	d.Pattern = pattern
	return d, r
}

func mismatchOfInvalid(err error, t target) (Decision, rank) {
	var e *PatternError
	errors.As(err, &e)
	d := Decision{Pattern: e.Pattern, Reason: e.Error()}
	if p, err := ParsePattern(e.Suggestion); err == nil {
		if meant, _ := p.match(t); meant.Allowed {
			return d, mendable
		}
	}
	return d, invalid
}

// match compares the hosts, then the port.
func (p Pattern) match(t target) (Decision, rank) {
	d, r := p.matchHost(t)
	if d.Allowed && t.port != "" {
		return Decision{
			Reason:    fmt.Sprintf("%s lists the host, but the webhook is on port %s: serve it on port 443", p, t.port),
			Ambiguous: "Kindly does not say whether a domain covers other ports than 443",
		}, nearly
	}
	return d, r
}

func (p Pattern) matchHost(t target) (Decision, rank) {
	switch {
	case p.host == "":
		return Decision{Reason: "the pattern is empty"}, invalid
	case !p.wildcard && t.host == p.host:
		return Decision{Allowed: true, Reason: p.host + " is listed"}, surely
	case p.wildcard && below(t.host, p.host):
		return p.matchBelow(t.host)
	case p.wildcard && t.host == p.host:
		return Decision{
			Reason:    fmt.Sprintf("%s does not cover %s itself: add %s", p, t.host, t.host),
			Ambiguous: "Kindly does not say whether a wildcard covers the name that it stands before",
		}, nearly
	case below(t.host, p.host):
		return Decision{Reason: fmt.Sprintf("%s does not cover %s: add %s", p, t.host, p.waysOut(t.host))}, related
	}
	return p.mismatch(t)
}

// matchBelow decides for a host below a wildcard.
func (p Pattern) matchBelow(host string) (Decision, rank) {
	d := Decision{
		Allowed:      true,
		Reason:       fmt.Sprintf("%s covers %s", p, host),
		SharedTenant: p.sharedBy(host),
	}
	extra := host[:len(host)-len(p.host)-1]
	if !strings.Contains(extra, ".") {
		return d, surely
	}
	d.Ambiguous = fmt.Sprintf("Kindly does not say whether %s covers more than one label: add %s to be sure", p, host)
	return d, perhaps
}

// waysOut names entries that would cover a host below an exact pattern. A
// wildcard is proposed only where it is valid and nobody else's.
func (p Pattern) waysOut(host string) string {
	_, parent, _ := strings.Cut(host, ".")
	w, err := ParsePattern("*." + parent)
	if err != nil || w.SharedTenant() != "" {
		return host
	}
	return w.String() + " or " + host
}

// mismatch explains why another domain is another domain.
func (p Pattern) mismatch(t target) (Decision, rank) {
	switch {
	case t.mapped:
		return Decision{Reason: fmt.Sprintf("the webhook's host has other than ASCII letters, and to DNS is %s, "+
			"which %s does not cover: add %s", t.host, p, t.host)}, lookalike
	case strings.HasPrefix(t.host, p.host+"."):
		return Decision{Reason: fmt.Sprintf("%s only begins like %s; it belongs to %s", t.host, p.host, owner(t.host))}, lookalike
	case strings.HasSuffix(t.host, p.host):
		return Decision{Reason: fmt.Sprintf("%s only ends like %s, not at a dot; it belongs to %s",
			t.host, p.host, owner(t.host))}, lookalike
	}
	return Decision{Reason: fmt.Sprintf("%s does not cover %s: add %s", p, t.host, t.host)}, unrelated
}

// owner is the registered domain of a host.
func owner(host string) string {
	if d, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return d
	}
	return host
}
