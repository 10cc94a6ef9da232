package suites

import (
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// tellObserved says beside each check, and of the whole, what was seen of the real Kindly.
func tellObserved(s *subject.Session, run *reports.Run) {
	l := s.Options.Observed
	if l == nil {
		return
	}
	for i := range run.Checks {
		run.Checks[i].Observed = subject.Observations(l, run.Checks[i].ID)
	}
	s.Note(reports.Informed, "Kindly is played as %s.", l.By())
	for _, r := range l.Contradictions() {
		s.Note(reports.Informed, "Kindly does otherwise: %s; %s.", r.Sentence(), r.By())
	}
}
