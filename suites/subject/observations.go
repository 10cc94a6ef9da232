package subject

import (
	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/reports"
)

// maxObserved bounds what is told beside one check.
const maxObserved = 4

// Observations are what a team has seen of what a check rests on.
func Observations(l *observed.Learnt, id string) []reports.Observation {
	var out []reports.Observation
	for _, r := range l.Basis(id) {
		if len(out) == maxObserved {
			break
		}
		out = append(out, reports.Observation{Row: r.ID, By: r.By(), Text: r.Told(), Default: r.Default(), Verdict: string(r.Verdict)})
	}
	return out
}
