//go:build unix

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/reports"
)

// shopFor starts the example shop, and returns the flags that tell serve of it.
func shopFor(t *testing.T, faults ...string) (*fixtures.Customer, []string) {
	t.Helper()
	pair, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	made, err := faultsByName(faults)
	if err != nil {
		t.Fatal(err)
	}
	shop, err := fixtures.Start(t.Context(), fixtures.Options{Keys: pair, Faults: made})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shop.Close() })
	args := []string{"--listen", "127.0.0.1:0", "--page", shop.PageURL, "--public-key", writeFile(t, "public.pem", string(shop.PublicPEM))}
	for _, w := range shop.Webhooks {
		args = append(args, "--webhook", w.Name+"="+w.PublicURL+"="+w.LocalURL)
	}
	return shop, args
}

func TestServeChecksWhatItWasToldOf(t *testing.T) {
	requireBrowser(t)
	shop, args := shopFor(t)
	s := serve(t, nil, args...)
	defer s.stop(t, syscall.SIGTERM)
	var run struct{ ID, State, Verdict string }
	if err := s.call("POST", "/mock/v1/checks/runs", `{"only":["PAGE-WIDGET","PAGE-CALLBACK-DEFINED"]}`, &run); err != nil {
		t.Fatal(err)
	}
	if err := s.call("POST", "/mock/v1/checks/runs", `{}`, nil); err == nil || !strings.Contains(err.Error(), "409") {
		t.Errorf("another run beside it: %v", err)
	}
	for deadline := time.Now().Add(time.Minute); run.State != "done" && time.Now().Before(deadline); {
		if err := s.call("GET", "/mock/v1/checks/runs/"+run.ID+"?timeout_ms=10000", "", &run); err != nil {
			t.Fatal(err)
		}
	}
	var report reports.Run
	if err := s.call("GET", "/mock/v1/checks/runs/"+run.ID+"/report", "", &report); err != nil {
		t.Fatal(err)
	}
	if run.Verdict != "PASSED" || report.Summary.Passed != 2 || report.Target.Page != shop.PageURL {
		t.Errorf("%+v: %+v of %+v", run, report.Summary, report.Target)
	}
	if want := []string{"run", shop.PageURL, "--public-key"}; len(report.Target.Args) < 3 || !slices.Equal(report.Target.Args[:3], want) || slices.Contains(report.Target.Args, "--listen") {
		t.Errorf("it is repeated by %q", report.Target.Args)
	}
}

// TestServeLeavesNoChromeOfItsChecks ends it in the middle of a run, and when one has ended.
func TestServeLeavesNoChromeOfItsChecks(t *testing.T) {
	requireBrowser(t)
	_, args := shopFor(t)
	for _, middle := range []bool{true, false} {
		tmp := filepath.Join(shortTempDir(t), "tmp")
		if err := os.Mkdir(tmp, 0o700); err != nil {
			t.Fatal(err)
		}
		s := serve(t, []string{"TMPDIR=" + tmp}, args...)
		if err := s.call("POST", "/mock/v1/checks/runs", `{"only":["PAGE"]}`, nil); err != nil {
			t.Fatal(err)
		}
		signal := func() { s.Process.Signal(syscall.SIGINT) }
		if middle {
			interruptOnceChromeRuns(t, s.Process, tmp, syscall.SIGINT)
			signal = func() {}
		} else if err := s.call("GET", "/mock/v1/checks/runs/1?timeout_ms=60000", "", nil); err != nil {
			t.Fatal(err)
		}
		signal()
		select {
		case <-s.ended:
		case <-time.After(20 * time.Second):
			t.Fatal("it does not end")
		}
		if code := s.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit code %d: %s", code, s.stderr)
		}
		expectNothingIn(t, tmp)
	}
}

// TestEachFlagOfServeIsOfRunOrLeftOut: a report says how kindlytest run repeats a check.
func TestEachFlagOfServeIsOfRunOrLeftOut(t *testing.T) {
	run := newRun(&app{}).Flags()
	newServe(&app{}).Flags().VisitAll(func(f *pflag.Flag) {
		if run.Lookup(f.Name) == nil && !slices.Contains(onlyServes, f.Name) && !slices.Contains(noRepeat, f.Name) {
			t.Errorf("serve has --%s, which run does not know", f.Name)
		}
	})
	for _, name := range onlyServes {
		if newServe(&app{}).Flags().Lookup(name) == nil {
			t.Errorf("serve has no --%s", name)
		}
	}
}
