package suites_test

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// few checks are enough to tell targets apart, and are quick.
var few = []string{"PAGE-WIDGET", "TOK-ALG", "AUTH-NO-STORE"}

func job(name string, t target.Target, o suites.Options) suites.Job {
	t.Name = name
	o.Only, o.Timeout = few, impatience
	return suites.Job{Target: t, Options: o}
}

func TestSeveralTargetsGiveOneVerdict(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	widgetless, ok := fixtures.FaultByName("script-without-id")
	if !ok {
		t.Fatal("there is no such fault")
	}
	sound := start(t, fixtures.Options{})
	faulty := start(t, fixtures.Options{Faults: []fixtures.Fault{widgetless}})
	gone := target.Target{PageURL: nobodyHome + "/"}
	jobs := []suites.Job{
		job("gone", gone, suites.Options{}),
		job("sound", sound, suites.Options{}),
		job("faulty", faulty, suites.Options{}),
	}
	var told []string
	runs := suites.RunAll(t.Context(), jobs, 2, func(r reports.Run) { told = append(told, r.Target.Name) })

	want := []string{"gone", "sound", "faulty"}
	if !slices.Equal(told, want) {
		t.Errorf("told of %q, want %q", told, want)
	}
	for i, code := range []int{2, 0, 1} {
		if runs[i].Target.Name != want[i] || runs[i].ExitCode != code {
			t.Errorf("%s has exit code %d, want %s with %d: %s", runs[i].Target.Name, runs[i].ExitCode, want[i], code, runs[i].Problem)
		}
	}
	if got := reports.NewSet(runs).ExitCode; got != 1 {
		t.Errorf("the verdict on all is %d, want 1", got)
	}
	if got := reports.NewSet(runs[:2]).ExitCode; got != 2 {
		t.Errorf("the verdict without the faulty one is %d, want 2", got)
	}
}

// Fifty targets share one Chrome, and each is judged.
func TestFiftyTargets(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	sound, customer := startReference(t, fixtures.Options{})
	sound = withSession(t, sound, customer)
	jobs := make([]suites.Job, 50)
	var most, now atomic.Int64
	for i := range jobs {
		jobs[i] = job("shop-"+string(rune('a'+i%26)), sound, suites.Options{Observer: &overlap{most: &most, now: &now}})
		if i%10 != 0 { // the others are there for the number
			jobs[i].Target.PageURL, jobs[i].Target.Login, jobs[i].Target.Second, jobs[i].Target.PrivateKey = "", nil, nil, nil
			jobs[i].Options.Only = []string{"RESP-JSON"}
		}
	}
	runs := suites.RunAllQuietly(t.Context(), jobs, 4, nil)
	for i, r := range runs {
		if r.ExitCode != 0 {
			t.Errorf("target %d: exit code %d, %s %+v", i, r.ExitCode, r.Problem, r.Summary)
		}
	}
	if m := most.Load(); m > 4 {
		t.Errorf("%d targets were checked at a time, more than 4", m)
	}
}

// An overlap counts how many runs go on at a time.
type overlap struct {
	most, now *atomic.Int64
	left      int // checks of this run that have not ended
}

func (o *overlap) Planned(_ reports.Target, checks int) {
	o.left = checks
	for n := o.now.Add(1); ; {
		most := o.most.Load()
		if n <= most || o.most.CompareAndSwap(most, n) {
			return
		}
	}
}
func (o *overlap) Started(string) {}
func (o *overlap) Done(reports.Check) { // one call at a time
	if o.left--; o.left == 0 {
		o.now.Add(-1)
	}
}

// A Chrome is started with names and authorities: who needs others, or other
// ones, gets another Chrome.
func TestTargetsShareTheChromeThatTheyNeed(t *testing.T) {
	t.Parallel()
	page := func(resolve map[string]string, authorities ...*x509.Certificate) suites.Job {
		return suites.Job{Target: target.Target{PageURL: "https://a.example/", Resolve: resolve, Authorities: authorities}}
	}
	name := func(to string) map[string]string { return map[string]string{"cdn.example": to} }
	ours, theirs := &x509.Certificate{Raw: []byte("ours")}, &x509.Certificate{Raw: []byte("theirs")}
	jobs := []suites.Job{
		page(nil),
		{Target: target.Target{Webhooks: []target.Webhook{{URL: "https://a.example/"}}}},
		page(nil),
		page(name("127.0.0.1")),
		page(name("127.0.0.2")),
		page(name("127.0.0.1")),
		page(nil, ours),
		page(nil, theirs),
		page(nil, ours),
		page(map[string]string{}),
	}
	if got, want := suites.SharedChromes(jobs), []int{0, -1, 0, 3, 4, 3, 6, 7, 6, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestInterruptEndsAllTargets(t *testing.T) { // alone: it counts what is left
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	jobs := []suites.Job{
		job("a", target.Target{PageURL: "http://localhost:9/"}, suites.Options{}),
		job("b", target.Target{PageURL: "http://localhost:9/"}, suites.Options{}),
		job("c", target.Target{PageURL: "http://localhost:9/"}, suites.Options{}),
	}
	before := goroutines()
	runs := suites.RunAllQuietly(ctx, jobs, 2, nil)
	for _, r := range runs {
		if r.ExitCode == 0 || !strings.Contains(r.Problem, "interrupted") {
			t.Errorf("%s: exit code %d, problem %q", r.Target.Name, r.ExitCode, r.Problem)
		}
	}
	nothingIsLeft(t, t.TempDir(), before)
}
