package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// An attack is how forged and changed tokens fared at one webhook: the way of a
// good token may go well to a webhook that believes every token.
type attack struct {
	Webhook string
	Sign    Outcome
	Title   string
	Detail  string
}

const attackArea = "HOOK"

// Bounds of what is looked at in a report that is not ours.
const (
	maxAttacks      = 50 // rows
	maxAttackChecks = 1000
)

func attacksOf(run Run) []attack {
	var checks []Check
	for _, c := range run.Checks {
		if areaOf(c) == attackArea && !c.deselected() && len(checks) < maxAttackChecks {
			checks = append(checks, c)
		}
	}
	if len(checks) == 0 {
		return nil
	}
	webhooks := run.Target.Webhooks[:min(len(run.Target.Webhooks), maxAttacks)]
	if len(webhooks) == 0 {
		webhooks = []Webhook{{Name: "the webhook"}}
	}
	var out []attack
	for _, w := range webhooks {
		out = append(out, attackOn(w, byCause(run.Causes, checks), run.Causes[:min(len(run.Causes), maxCauses)], len(webhooks) > 1))
	}
	return out
}

// attackOn sums up what the checks found at one webhook. Where a target has
// several, a failure counts where its cause or its evidence says that it was
// seen; one that says nothing counts everywhere.
func attackOn(w Webhook, checks []Check, causes []Cause, several bool) attack {
	a := attack{Webhook: oneLine(cmp.Or(w.Name, w.URL))}
	var s Summary
	first, elsewhere := "", false
	for _, c := range checks {
		if several && badness(c.Outcome) >= accepted && !w.concerns(c, causes) {
			c.Outcome, elsewhere = Informed, true
		}
		s = s.plus(summarize([]Check{c}))
		if first == "" && badness(c.Outcome) >= accepted {
			first = c.headline()
		}
	}
	a.Sign, a.Detail = areaGroup{Summary: s, Checks: checks}.Mark(), first
	judged := s.judged()
	switch {
	case judged == 0:
		a.Title = fmt.Sprintf("Attacks on %s: nobody knows how it fares", a.Webhook)
		a.Detail = cmp.Or(checks[0].Reason, noReason)
	case s.Failed > 0:
		a.Title = fmt.Sprintf("Attacks on %s: %d of %d checks failed", a.Webhook, s.Failed, judged)
	case badness(a.Sign) >= accepted:
		a.Title = fmt.Sprintf("Attacks on %s: none of %s failed, with a doubt", a.Webhook, plural(judged, "check"))
	case elsewhere: // it may be that nobody looked any further
		a.Title, a.Sign = fmt.Sprintf("Attacks on %s: no failure was seen there", a.Webhook), Informed
	default:
		a.Title = fmt.Sprintf("Attacks on %s: it stood %d of %s", a.Webhook, s.Passed+s.Info, plural(applicable(checks), "check"))
	}
	return a
}

// concerns says whether a failure was seen at the webhook, or may have been.
func (w Webhook) concerns(c Check, causes []Cause) bool {
	told := false // where it was seen
	for _, cause := range causes {
		if cause.Where != "" && (cause.ID == c.Cause || slices.Contains(cause.Explains, c.ID)) {
			told = true
			if w.called(cause.Where) || slices.ContainsFunc(strings.Split(cause.Where, PlaceSeparator), w.called) {
				return true
			}
		}
	}
	if told {
		return false
	}
	for _, e := range c.Evidence {
		if e.Request != nil && e.Request.URL != "" {
			told = true
			if w.called(e.Request.URL) {
				return true
			}
		}
	}
	return !told
}

// called says whether a name or an address is the webhook's.
func (w Webhook) called(s string) bool {
	return s != "" && (s == w.Name || s == w.URL || s == w.ConnectTo ||
		w.URL != "" && strings.HasPrefix(s, w.URL+"?") || w.ConnectTo != "" && strings.HasPrefix(s, w.ConnectTo+"?"))
}
