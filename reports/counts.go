package reports

// judged is how many checks found something out.
func (s Summary) judged() int { return s.Passed + s.Failed + s.Warned + s.Info + s.Expected }

func summarize(checks []Check) Summary {
	var s Summary
	for _, c := range checks {
		switch c.Outcome {
		case Passed:
			s.Passed++
		case Failed:
			s.Failed++
		case Warned:
			s.Warned++
		case Informed:
			s.Info++
		case Skipped:
			s.Skipped++
		case Errored:
			s.Errored++
		case Expected:
			s.Expected++
		}
	}
	return s
}

func (s Summary) total() int {
	return s.Passed + s.Failed + s.Warned + s.Info + s.Skipped + s.Errored + s.Expected
}

// of is the number of checks with an outcome.
func (s Summary) of(o Outcome) int {
	return map[Outcome]int{Failed: s.Failed, Errored: s.Errored, Warned: s.Warned, Expected: s.Expected,
		Informed: s.Info, Skipped: s.Skipped, Passed: s.Passed}[o]
}

func (s Summary) plus(o Summary) Summary {
	s.Passed += o.Passed
	s.Failed += o.Failed
	s.Warned += o.Warned
	s.Info += o.Info
	s.Skipped += o.Skipped
	s.Errored += o.Errored
	s.Expected += o.Expected
	s.Deaths += o.Deaths
	return s
}
