package suites

import (
	"strings"
	"sync"

	"github.com/kindlytest/kindlytest/mockkindly/wire"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/advice"
)

// stacks gather what answers tell about what the target is written in. The
// endpoint and each webhook may be in different languages.
type stacks struct {
	mu       sync.Mutex
	byOrigin map[string]*advice.Signs
}

// see looks at an exchange.
func (k *stacks) see(ex wire.Exchange) {
	origin := originOf(ex.Request.URL)
	if ex.Response == nil || origin == "" {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byOrigin == nil {
		k.byOrigin = map[string]*advice.Signs{}
	}
	if k.byOrigin[origin] == nil {
		k.byOrigin[origin] = &advice.Signs{}
	}
	k.byOrigin[origin].See(ex.Status(), ex.Response.Header, cookieNames(ex.Request.Header.Get("Cookie")), ex.Response.Body)
}

// of is the stack behind the first of the URLs that gives one away.
func (k *stacks) of(urls ...string) (name string, signs []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, u := range urls {
		if s := k.byOrigin[originOf(u)]; s != nil {
			if name, signs = s.Stack(); name != "" {
				return name, signs
			}
		}
	}
	return "", nil
}

func cookieNames(header string) []string {
	var names []string
	for pair := range strings.SplitSeq(header, ";") {
		if name, _, ok := strings.Cut(strings.TrimSpace(pair), "="); ok {
			names = append(names, name)
		}
	}
	return names
}

// advise puts code beside what failed, in the target's own language where that
// could be recognised.
func (s *Session) advise(run *reports.Run) {
	var endpoint, hooks []string
	if e, ok := s.endpoints.found(); ok {
		endpoint = append(endpoint, e.request.URL)
	}
	for _, h := range s.hooks {
		hooks = append(hooks, h.called())
	}
	run.Target.Stack, run.Target.StackSigns = s.stacks.of(append(endpoint, hooks...)...)
	ofHooks, _ := s.stacks.of(append(hooks, endpoint...)...)
	for i := range run.Checks {
		c := &run.Checks[i]
		if c.Outcome != reports.Failed && c.Outcome != reports.Warned {
			continue
		}
		stack := run.Target.Stack
		if aboutHooks(c.ID) {
			stack = ofHooks
		}
		if sample, ok := advice.SampleFor(c.ID, stack); ok {
			c.Sample = &reports.Sample{Stack: sample.Stack.Name, Title: sample.Title, Code: sample.Code}
		}
	}
}

// aboutHooks says whether a check is about a webhook's code.
func aboutHooks(id string) bool {
	area, _, _ := strings.Cut(id, "-")
	return area == "HOOK" || area == "SIG" || area == "RESP" || strings.HasPrefix(id, "LIVE-HOOK-")
}
