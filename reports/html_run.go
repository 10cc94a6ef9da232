package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// newHTMLRun gathers what the page tells of a run.
func newHTMLRun(run Run, prefix string) htmlRun {
	t := outlineOf(run)
	r := htmlRun{
		outline: t, P: prefix,
		Subject: subjectOf(run.Target), Origin: run.Target.origin(),
		Way: newTimeline(run), Problem: t.problem(),
	}
	page := newHTMLChecks(t, prefix)
	r.Areas = page.areas(t)
	for i := range page.causes[:min(len(page.causes), maxHTMLCauses)] {
		c := &page.causes[i]
		c.Symptoms = page.of(c.causeOutline.Symptoms)
		r.Causes = append(r.Causes, *c)
	}
	r.More = len(page.causes) - len(r.Causes)
	r.Failed, r.Warned = page.of(t.Failed), page.of(t.Warned)
	if most := maxFirst; len(r.Failed) > most {
		r.Failed, r.Others = r.Failed[:most], r.Failed[most:]
	}
	for _, g := range t.Unjudged {
		r.Unjudged = append(r.Unjudged, htmlReason{Reason: g.Reason, Outcome: g.Outcome, Checks: page.of(g.Checks)})
	}
	return r
}

// maxHTMLCauses bounds the cards; a hostile report has any number of causes.
const maxHTMLCauses = 50

// htmlChecks knows each check's place on the page.
type htmlChecks struct {
	prefix string
	taken  map[string]bool
	byID   map[string][]htmlCheck // several only in a report that is not ours
	causes []htmlCause
	cause  map[string]int // that explains a check
	alone  map[string]bool
}

func newHTMLChecks(t outline, prefix string) *htmlChecks {
	p := &htmlChecks{prefix: prefix, taken: map[string]bool{}, byID: map[string][]htmlCheck{}, cause: map[string]int{}, alone: map[string]bool{}}
	for i, c := range t.Causes {
		p.causes = append(p.causes, htmlCause{causeOutline: c, Anchor: prefix + "cause-" + strconv.Itoa(i+1), Fields: c.fields()})
		if i >= maxHTMLCauses {
			continue // there is no card to lead to
		}
		for _, s := range c.Symptoms {
			if _, ok := p.cause[s.ID]; !ok {
				p.cause[s.ID] = i
			}
		}
	}
	for _, c := range t.Failed {
		p.alone[c.ID] = true
	}
	return p
}

// areas gives each check its place, area by area.
func (p *htmlChecks) areas(t outline) []htmlArea {
	var out []htmlArea
	for i, g := range t.Areas {
		area := htmlArea{
			Code: oneLine(g.Name), Name: g.Title(), Tried: g.Tried(), Judged: g.Judged(), Counts: g.Counts(),
			Anchor: fmt.Sprintf("%sarea-%d", p.prefix, i), Worst: g.Mark(),
		}
		for _, c := range g.Checks {
			h := htmlCheck{Check: c, Anchor: anchor(p.prefix, c, p.taken), Area: area.Name, URL: webURL(c.Source), Open: p.alone[c.ID]}
			if at, ok := p.cause[c.ID]; ok && badness(c.Outcome) >= doubtful {
				h.Cause = &p.causes[at]
			}
			p.byID[c.ID] = append(p.byID[c.ID], h)
			area.Checks = append(area.Checks, h)
		}
		out = append(out, area)
	}
	return out
}

// of finds checks on the page.
func (p *htmlChecks) of(checks []Check) []htmlCheck {
	var out []htmlCheck
	at := map[string]int{}
	for _, c := range checks {
		same := p.byID[c.ID]
		if len(same) == 0 {
			continue
		}
		h := same[min(at[c.ID], len(same)-1)]
		at[c.ID]++
		h.Check = c
		out = append(out, h)
	}
	return out
}

// outcomeWord is an outcome for people.
func outcomeWord(o Outcome) string {
	words := map[Outcome]string{
		Errored: "could not run", Expected: "known failure", Informed: "noted",
	}
	return cmp.Or(words[o], string(o))
}

// known is o, or Informed if there is no such outcome.
func known(o Outcome) Outcome {
	if slices.Contains(Outcomes, o) {
		return o
	}
	return Informed
}
