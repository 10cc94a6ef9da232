package main

import (
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

func TestJudgeFaults(t *testing.T) {
	broken := fixtures.Fault{Name: "callback-is-url", Breaks: "PAGE-CALLBACK-DEFINED"}
	forged := fixtures.Fault{Name: "alg-none-accepted", Breaks: "HOOK-ALG-NONE"}
	row := func(f fixtures.Fault, o reports.Outcome, reason string) reports.Check {
		return reports.Check{ID: f.Breaks, Outcome: o, Reason: reason}
	}
	for _, tt := range []struct {
		name   string
		only   []string
		faults []fixtures.Fault
		checks []reports.Check
		code   int
		says   string
	}{
		{"caught", nil, []fixtures.Fault{forged}, []reports.Check{row(forged, reports.Warned, "")}, exitBroken,
			"fault alg-none-accepted was caught by HOOK-ALG-NONE"},
		{"unnoticed", nil, []fixtures.Fault{forged}, []reports.Check{row(forged, reports.Passed, "")}, exitUsage,
			"FAULT alg-none-accepted WENT UNNOTICED by HOOK-ALG-NONE, which passed"},
		{"its check could not run", nil, []fixtures.Fault{forged}, []reports.Check{row(forged, reports.Errored, "no Chrome")}, exitUsage,
			"fault alg-none-accepted could not be looked for: HOOK-ALG-NONE errored: no Chrome"},
		{"another fault is in its way", nil, []fixtures.Fault{broken, forged},
			[]reports.Check{row(broken, reports.Failed, ""), row(forged, reports.Skipped, "no token")}, exitUsage,
			"fault callback-is-url was caught by PAGE-CALLBACK-DEFINED\n" +
				"fault alg-none-accepted could not be looked for because of callback-is-url: HOOK-ALG-NONE skipped: no token\n" +
				"  alone: kindlytest demo --fault alg-none-accepted"},
		{"its check is not selected", []string{"PAGE"}, []fixtures.Fault{broken, forged},
			[]reports.Check{row(broken, reports.Failed, ""), row(forged, reports.Skipped, "not asked for")}, exitUsage,
			"fault callback-is-url was caught by PAGE-CALLBACK-DEFINED\n" +
				"fault alg-none-accepted was not looked for: HOOK-ALG-NONE skipped: not asked for"},
		{"a check noticed it although another fault is there", nil, []fixtures.Fault{broken, forged},
			[]reports.Check{row(broken, reports.Failed, ""), row(forged, reports.Failed, "")}, exitBroken,
			"fault callback-is-url was caught by PAGE-CALLBACK-DEFINED\nfault alg-none-accepted was caught by HOOK-ALG-NONE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			code := judgeFaults(&out, reports.Run{Checks: tt.checks}, tt.faults, suites.Options{Only: tt.only})
			if code != tt.code || out.String() != tt.says+"\n" {
				t.Errorf("exit code %d, want %d; got\n%swant\n%s", code, tt.code, out.String(), tt.says)
			}
		})
	}
}
