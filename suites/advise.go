package suites

import (
	"strings"

	"github.com/kindlytest/kindlytest/internal/advice"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// advise puts code beside what failed, in the target's own language where that
// could be recognised.
func advise(s *subject.Session, run *reports.Run) {
	var endpoint, hooks []string
	if e, ok := s.Endpoints.Found(); ok {
		endpoint = append(endpoint, e.Request.URL)
	}
	for _, h := range s.Webhooks {
		hooks = append(hooks, h.Called())
	}
	run.Target.Stack, run.Target.StackSigns = s.Stacks.Of(append(endpoint, hooks...)...)
	ofHooks, _ := s.Stacks.Of(append(hooks, endpoint...)...)
	for i := range run.Checks {
		c := &run.Checks[i]
		if c.Outcome != reports.Failed && c.Outcome != reports.Warned {
			continue
		}
		stack := run.Target.Stack
		if aboutHooks(c.ID) {
			stack = ofHooks
		}
		check, _ := Find(c.ID)
		if sample, ok := advice.SampleFor(check.Requirement, stack); ok {
			c.Sample = &reports.Sample{Stack: sample.Stack.Name, Title: sample.Title, Code: sample.Code}
		}
	}
}

// aboutHooks says whether a check is about a webhook's code.
func aboutHooks(id string) bool {
	area, _, _ := strings.Cut(id, "-")
	return area == "HOOK" || area == "SIG" || area == "RESP" || strings.HasPrefix(id, "LIVE-HOOK-")
}
