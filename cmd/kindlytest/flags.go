package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// checkFlags say what is checked, and how.
type checkFlags struct {
	only, skip   []string
	strict       bool
	safe         bool
	waitExpiry   bool
	concurrency  int
	rate         float64
	timeout      time.Duration
	seed         string
	browser      string
	browserURL   string
	headed       bool
	noScreenshot bool
	maxFailures  int
}

func (f *checkFlags) register(fs *pflag.FlagSet) {
	fs.StringSliceVar(&f.only, "only", nil, "run only these checks: IDs, areas or globs (HOOK, 'AUTH-*'); repeatable")
	fs.StringSliceVar(&f.skip, "skip", nil, "leave these checks out")
	fs.IntVar(&f.maxFailures, "max-failures", 0, "begin no more checks when this `number` of them has failed (0: run all)")
	fs.BoolVar(&f.strict, "strict", false, "a SHOULD that does not hold fails the run too")
	fs.BoolVar(&f.safe, "safe", false, "send no hostile input: for production")
	fs.BoolVar(&f.waitExpiry, "wait-expiry", false, "wait for real tokens to expire where a check needs that")
	fs.IntVar(&f.concurrency, "concurrency", 8, "checks at a time")
	fs.Float64Var(&f.rate, "rate", 0, "requests a second (default 50; no limit on this machine)")
	fs.DurationVar(&f.timeout, "timeout", 10*time.Second, "of one request, and of the page's callback")
	fs.StringVar(&f.seed, "seed", "", "make chat ids and user names reproducible (with --concurrency 1 in the same order too)")
	fs.StringVar(&f.browser, "browser", "", "`path` of Chrome or Chromium; found by itself otherwise")
	fs.StringVar(&f.browserURL, "browser-url", "", "use a Chrome that runs already, at this `ws://` address")
	fs.BoolVar(&f.headed, "headed", false, "show the browser's window")
	fs.BoolVar(&f.noScreenshot, "no-screenshot", false, "keep no picture of the page in the report")
}

// apply puts the flags that were given into o; the others leave it as it is.
func (f *checkFlags) apply(given func(name string) bool, o *suites.Options) error {
	if err := f.valid(); err != nil {
		return err
	}
	if given("only") {
		o.Only = f.only
	}
	if given("skip") {
		o.Skip = f.skip
	}
	if given("strict") {
		o.Strict = f.strict
	}
	if given("safe") {
		o.Safe = f.safe
	}
	if given("wait-expiry") {
		o.WaitExpiry = f.waitExpiry
	}
	if given("concurrency") {
		o.Concurrency = f.concurrency
	}
	if given("rate") {
		o.Rate = f.rate
	}
	if given("timeout") {
		o.Timeout = f.timeout
	}
	if given("seed") {
		o.Rand = seeded(f.seed)
	}
	o.MaxFailures = f.maxFailures
	o.BrowserPath, o.BrowserURL, o.Headed = f.browser, f.browserURL, f.headed
	o.Screenshot = !f.noScreenshot
	o.Version = ownVersion()
	return nil
}

func (f *checkFlags) valid() error {
	for _, list := range []struct {
		flag     string
		patterns []string
	}{{"--only", f.only}, {"--skip", f.skip}} {
		if _, err := suites.Select(list.patterns...); err != nil {
			return fmt.Errorf("%s %w", list.flag, err)
		}
	}
	switch {
	case f.concurrency < 1:
		return fmt.Errorf("--concurrency must be at least 1, not %d", f.concurrency)
	case f.maxFailures < 0:
		return fmt.Errorf("--max-failures must not be negative, and is %d", f.maxFailures)
	case f.rate < 0:
		return fmt.Errorf("--rate must not be negative, and is %g", f.rate)
	case f.timeout <= 0:
		return fmt.Errorf("--timeout must be more than nothing, and is %s", f.timeout)
	case f.browser != "" && f.browserURL != "":
		return fmt.Errorf("--browser starts a Chrome, and --browser-url uses one that runs: give one of them")
	case f.browserURL != "" && !strings.HasPrefix(f.browserURL, "ws://") && !strings.HasPrefix(f.browserURL, "wss://"):
		return hint.Errorf("Chrome prints it when it is started with --remote-debugging-port", "--browser-url: %q is no ws:// address", f.browserURL)
	case f.browser != "":
		if _, err := exec.LookPath(f.browser); err != nil {
			return hint.Errorf("name the program itself; without --browser one is looked for (kindlytest version shows which)", "--browser: %w", err)
		}
	}
	return nil
}

// seeded is a stream of bytes that depends on the seed only. It makes names and
// ids; nothing that must be secret comes from it.
func seeded(seed string) io.Reader {
	return &lockedReader{r: rand.NewChaCha8(sha256.Sum256([]byte(seed)))}
}

type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

// defaultReportDir is where reports go if nothing else is said.
const defaultReportDir = "kindlytest-reports"

// outputFlags say what is shown and written.
type outputFlags struct {
	reportDir string
	format    []string
	json      bool
	quiet     bool
	verbose   bool
	noColor   bool
	update    bool   // the run is of some checks only: it updates the earlier report
	config    string // the file that describes the target, if one does: results stand there
}

func (f *outputFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.reportDir, "report-dir", defaultReportDir, "`directory` to write reports to")
	fs.StringSliceVar(&f.format, "format", []string{"json", "junit"}, "reports to write: json, junit, html, sarif, markdown; or none")
	fs.BoolVar(&f.json, "json", false, "print the report as JSON on stdout, and all else on stderr")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "show only what failed, and the verdict")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "show passed checks and exchanges too")
	fs.BoolVar(&f.noColor, "no-color", false, "no colours (also: NO_COLOR)")
}

// formats are the reports to write; none for "none".
func (f *outputFlags) formats() ([]reports.Format, error) {
	if f.quiet && f.verbose {
		return nil, fmt.Errorf("--quiet and --verbose exclude each other")
	}
	return parseFormats(f.format)
}

func parseFormats(names []string) ([]reports.Format, error) {
	if slices.Equal(names, []string{"none"}) {
		return nil, nil
	}
	var formats []reports.Format
	for _, name := range names {
		format, err := reports.ParseFormat(strings.TrimSpace(name))
		if err != nil {
			return nil, hint.Errorf("--format none writes no reports", "--format: %w", err)
		}
		if !slices.Contains(formats, format) {
			formats = append(formats, format)
		}
	}
	return formats, nil
}

// noRepeat are the flags that a command which repeats one check leaves out:
// those that select checks or targets, and those that are about output.
var noRepeat = []string{"only", "skip", "last-failed", "max-failures", "watch", "watch-path", "target", "shard", "parallel", "json", "quiet", "verbose", "no-color", "report-dir", "format", "no-screenshot"}

// repeatable returns the words of the command line that runs the same again:
// those that it begins with, and flags in the order of their names, but for those
// that are named. (Secrets are never arguments, so none is in it.)
func repeatable(words []string, fs *pflag.FlagSet, but ...string) []string {
	fs.Visit(func(f *pflag.Flag) {
		if slices.Contains(noRepeat, f.Name) || slices.Contains(but, f.Name) {
			return
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			for _, v := range list.GetSlice() {
				words = append(words, "--"+f.Name, v)
			}
			return
		}
		switch value := f.Value.String(); {
		case f.Value.Type() != "bool":
			words = append(words, "--"+f.Name, value)
		case value == "true":
			words = append(words, "--"+f.Name)
		default:
			words = append(words, "--"+f.Name+"="+value)
		}
	})
	return words
}
