package reports

import (
	"fmt"
	"strings"
)

// areas are the parts of a target, as people call them.
var areas = map[string]struct {
	name     string
	tried    string   // what was done to judge it
	severity Severity // of what does not hold in it
}{
	"PAGE": {"Page", "the page in Chrome: its chat client, its callback, what it shows and keeps", Medium},
	"AUTH": {"Auth endpoint", "tokens for two chats and users, logged out, from other sites, with odd input", High},
	"TOK":  {"Token", "the token against Kindly's rules and the uploaded key", High},
	"FWD":  {"Forwarding", "whether Kindly would send the token to each webhook", Medium},
	"HOOK": {"Webhook: whom it believes", "forged, changed, expired and missing tokens, beside a good one", Critical},
	"SIG":  {"Webhook: signature", "requests with the right, a wrong and no Kindly-HMAC", High},
	"RESP": {"Webhook: answers", "its answers as Kindly reads them", Low},
	"LIVE": {"Staying up", "bursts, and requests that are large, odd or cut off", Medium},
}

// Title is the area's name for people; its code, if it has none.
func (g areaGroup) Title() string {
	if a, ok := areas[g.Name]; ok {
		return a.name
	}
	return oneLine(g.Name)
}

// Tried says what was done in the area; "" if that is not known.
func (g areaGroup) Tried() string { return areas[g.Name].tried }

// Judged says how much of the area was judged: "judged 3 of 33".
func (g areaGroup) Judged() string {
	judged, of := g.Summary.judged(), applicable(g.Checks)
	switch {
	case of == 0:
		return "not selected"
	case judged == 0:
		return "nothing judged"
	}
	return fmt.Sprintf("judged %d of %d", judged, of)
}

// Counts are the outcomes in it: "1 failed · 2 passed (1 weakly)".
func (g areaGroup) Counts() string {
	weak := 0
	for _, c := range withOutcome(g.Checks, Passed) {
		if c.Weak {
			weak++
		}
	}
	passed := "passed"
	if weak > 0 {
		passed += fmt.Sprintf(" (%d weakly)", weak)
	}
	s := g.Summary
	var out []string
	for _, p := range []struct {
		n    int
		what string
	}{{s.Failed, "failed"}, {s.Errored, "could not run"}, {s.Warned, "warned"}, {s.Expected, "known to fail"}, {s.Info, "noted"}, {s.Passed, passed}} {
		if p.n > 0 {
			out = append(out, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(out, " · ")
}

// applicable is how many checks were to be judged: all but the deselected.
func applicable(checks []Check) int {
	n := 0
	for _, c := range checks {
		if !c.deselected() {
			n++
		}
	}
	return n
}

// deselected says whether nobody asked for the check. Older reports say so in
// their reason only.
func (c Check) deselected() bool {
	return c.Outcome == Skipped && (c.Deselected ||
		strings.HasPrefix(c.Reason, "not selected by --only") || strings.HasPrefix(c.Reason, "deselected by --skip"))
}

// Mark is the outcome that the area as a whole is marked with. One of which
// little was judged does not pass, however well that little went.
func (g areaGroup) Mark() Outcome {
	worst := worstOf(g.Summary)
	if badness(worst) <= sound && worst != Errored && 2*g.Summary.judged() < applicable(g.Checks) {
		return Skipped
	}
	return worst
}

// worstOf is the gravest outcome of some checks.
func worstOf(s Summary) Outcome {
	switch {
	case s.Failed > 0:
		return Failed
	case s.Errored > 0:
		return Errored
	case s.Warned > 0:
		return Warned
	case s.Expected > 0:
		return Expected
	case s.Passed > 0:
		return Passed
	case s.Info > 0:
		return Informed
	}
	return Skipped
}
