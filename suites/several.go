package suites

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/ginkgosuite"
	"github.com/kindlytest/kindlytest/suites/runner"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// A Job is one target of several, and how it is checked.
type Job struct {
	Target  target.Target
	Options subject.Options
}

// DefaultParallel is how many targets [RunAll] checks at a time: they wait more
// than they work, but each one has pages open.
const DefaultParallel = 2

// RunAll checks several targets, parallel of them at a time ([DefaultParallel]
// if 0), and returns their results in the order of the jobs. Each result is
// what [Run] would give; [reports.NewSet] makes one verdict of them. Targets
// whose pages need the same Chrome share one, which ends with the last of them.
//
// done, if not nil, is told of each result, one at a time and in the order of
// the jobs, as soon as it and those before it are there.
//
// Cancelling ctx ends all; targets that had not begun are reported as
// interrupted, too.
func RunAll(ctx context.Context, jobs []Job, parallel int, done func(reports.Run)) []reports.Run {
	return runAll(ctx, jobs, parallel, done, ginkgosuite.RunSpecs)
}

func runAll(ctx context.Context, jobs []Job, parallel int, done func(reports.Run), specs func(context.Context, *runner.Results)) []reports.Run {
	if parallel <= 0 {
		parallel = DefaultParallel
	}
	chromes := shareChromes(ctx, jobs)
	runs := make([]reports.Run, len(jobs))
	tell := inOrder(runs, done)
	var group errgroup.Group
	group.SetLimit(parallel)
	for i, job := range jobs {
		group.Go(func() error {
			shared := chromes[i]
			o := job.Options
			if o.Browser == nil && shared != nil {
				o.Launch = shared.get
				defer shared.release()
			}
			runs[i] = run(ctx, job.Target, o, specs)
			tell(i)
			return nil
		})
	}
	group.Wait() // the functions return no errors
	return runs
}

// inOrder returns what is to be called with the index of each run that has
// ended; it passes the runs on in their order.
func inOrder(runs []reports.Run, done func(reports.Run)) func(int) {
	if done == nil {
		return func(int) {}
	}
	var mu sync.Mutex
	ended := make([]bool, len(runs))
	next := 0
	return func(i int) {
		mu.Lock()
		defer mu.Unlock()
		ended[i] = true
		for ; next < len(runs) && ended[next]; next++ {
			done(runs[next])
		}
	}
}

// A sharedChrome is the Chrome of the targets that need the same one. It starts
// when the first asks, and ends when the last has released it.
type sharedChrome struct {
	start   func() (*browser.Browser, error)
	started subject.Memo[*browser.Browser]

	mu    sync.Mutex
	users int
}

func (c *sharedChrome) get() (*browser.Browser, error) { return c.started.Get(c.start) }

// release gives up one use; the last one closes.
func (c *sharedChrome) release() {
	c.mu.Lock()
	c.users--
	last := c.users == 0
	c.mu.Unlock()
	if !last {
		return
	}
	b, err := c.started.Get(func() (*browser.Browser, error) { return nil, errNotStarted })
	if err == nil {
		_ = b.Close() // all is judged: what it leaves is no failure here
	}
}

var errNotStarted = errors.New("the browser was not needed")

// shareChromes finds the Chrome of each job; nil for a job without a page.
func shareChromes(ctx context.Context, jobs []Job) []*sharedChrome {
	byNeed := map[string]*sharedChrome{}
	out := make([]*sharedChrome, len(jobs))
	for i, job := range jobs {
		if job.Target.PageURL == "" {
			continue
		}
		need := chromeNeed(job)
		if byNeed[need] == nil {
			byNeed[need] = &sharedChrome{start: func() (*browser.Browser, error) {
				return subject.Launch(ctx, job.Target, job.Options.WithDefaults(job.Target))
			}}
		}
		byNeed[need].users++
		out[i] = byNeed[need]
	}
	return out
}

// chromeNeed names all that a Chrome is started with. What one target resolves
// must not lead the pages of another one astray.
func chromeNeed(j Job) string {
	o := j.Options
	need := fmt.Sprintf("%q %q %t %q", o.BrowserPath, o.BrowserURL, o.Headed, o.Version)
	for _, host := range slices.Sorted(maps.Keys(j.Target.Resolve)) {
		need += fmt.Sprintf(" %q=%q", host, j.Target.Resolve[host])
	}
	for _, c := range j.Target.Authorities {
		need += fmt.Sprintf(" %x", sha256.Sum256(c.Raw))
	}
	// Neither must what opens one target's gates, or is called through for it.
	chrome := j.Target.Chrome(browser.Options{})
	for _, g := range chrome.Gates {
		need += fmt.Sprintf(" %q %q %q %q %q %p", g.Origins, g.Header, g.User, g.Password, g.Cookies, g.Certificate)
	}
	need += fmt.Sprintf(" %q %q %q", chrome.Proxy.HTTP, chrome.Proxy.HTTPS, chrome.Proxy.None)
	return need
}
