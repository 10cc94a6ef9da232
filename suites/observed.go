package suites

import (
	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// ParseObserved reads kindly-observed.json, for Options.Observed.
func ParseObserved(text []byte) (*observed.Learnt, error) { return observed.Parse(text) }

// maxObserved bounds what is told beside one check.
const maxObserved = 4

// Observed is what a team has seen of what a check rests on.
func Observed(l *observed.Learnt, id string) []reports.Observation {
	var out []reports.Observation
	for _, r := range l.Basis(id) {
		if len(out) == maxObserved {
			break
		}
		out = append(out, reports.Observation{Row: r.ID, By: r.By(), Text: r.Told(), Default: r.Default(), Verdict: string(r.Verdict)})
	}
	return out
}

// tellObserved says beside each check, and of the whole, what was seen of the real Kindly.
func tellObserved(s *subject.Session, run *reports.Run) {
	l := s.Options.Observed
	if l == nil {
		return
	}
	for i := range run.Checks {
		run.Checks[i].Observed = Observed(l, run.Checks[i].ID)
	}
	s.Note(reports.Informed, "Kindly is played as %s.", l.By())
	for _, r := range l.Contradictions() {
		s.Note(reports.Informed, "Kindly does otherwise: %s; %s.", r.Sentence(), r.By())
	}
}
