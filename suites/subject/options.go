package subject

import (
	"crypto/rand"
	"io"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/target"
)

// Options say how a target is checked. The zero value is usable.
type Options struct {
	Only, Skip  []string      // IDs, areas or globs ("HOOK-*")
	Strict      bool          // a SHOULD that does not hold fails the run
	Safe        bool          // no hostile input
	WaitExpiry  bool          // wait for real tokens to expire where that is needed
	Concurrency int           // probes at a time; 8 if 0
	Rate        float64       // requests a second; 0: 50, and no limit on loopback
	Timeout     time.Duration // of one request, and of the page's callback; 10 s if 0
	// MaxFailures ends a run early: when so many checks have failed, no more begin.
	// 0: all run.
	MaxFailures int
	// ExpectedFailures maps IDs to the reason why their failure is accepted, and
	// ExpectedUntil some of them to the time when it no longer is.
	ExpectedFailures map[string]string
	ExpectedUntil    map[string]time.Time

	// Observed is what a team has seen of the real Kindly: requests are sent likewise,
	// and checks say what they rest on. nil: as documented, or assumed.
	Observed *observed.Learnt

	// Said are messages that the real Kindly has delivered: what webhooks are asked is
	// chosen among them, in place of one invented message. See SaidIn.
	Said []Said

	BrowserPath string // of Chrome; "" looks for one
	BrowserURL  string // ws:// of a Chrome that runs already
	Headed      bool
	// Screenshot keeps a picture of the page for the report. Fields, frames and
	// known secrets are covered; what else the page shows is there, such as the
	// customer's name.
	Screenshot bool
	// Browser is a Chrome that several runs share, which they don't close; nil
	// starts one where it is needed. It must know the target's Resolve and
	// Authorities.
	Browser *browser.Browser
	Launch  func() (*browser.Browser, error) // of RunAll: as Browser, when it is needed
	// Logins keeps sessions from run to run against one target; nil: each run logs in.
	Logins *Logins

	Version  string   // of kindlytest, for reports and the User-Agent
	Args     []string // the command line that repeats the run, without --only
	Observer Observer // told of each check as it starts and ends; may be nil
	Now      func() time.Time
	Rand     io.Reader
}

// An Observer watches a run. It hears of the checks that are selected. Calls come from several goroutines, never two at
// a time.
type Observer interface {
	Planned(target reports.Target, checks int)
	Started(id string)
	Done(check reports.Check)
}

// WithDefaults are the options with what was left out filled in.
func (o Options) WithDefaults(t target.Target) Options {
	if o.Concurrency <= 0 {
		o.Concurrency = 8
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Rate == 0 && !t.Local() {
		o.Rate = 50
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return o
}

// userAgent names the harness in the logs of a staging system.
func (o Options) userAgent() string { return "kindlytest/" + o.Version }
