package reports_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/kindlytest/kindlytest/reports"
)

func ExampleTerminal() {
	checks := []reports.Check{
		{ID: "TOK-ALG", Level: "MUST", Outcome: reports.Passed, Requirement: "The header's alg is exactly RS256."},
		{
			ID: "TOK-EXP-MAX", Level: "MUST", Fidelity: "documented", Outcome: reports.Failed,
			Requirement: "exp is after iat and at most 900 s after it.",
			Broken:      "The token lives longer than 15 minutes.", Consequence: "Kindly refuses the token, and the user is nobody.",
			Expected: "exp - iat of 1 to 900 s", Actual: "3600 s", Fix: "Set exp to iat + 600.",
		},
	}
	t := &reports.Terminal{W: os.Stdout}
	t.Start("https://staging.example.com/", len(checks))
	for _, c := range checks {
		t.Done(c)
	}
	run := reports.Run{Checks: checks, DurationMS: 412}
	run.Finish()
	if err := t.Finish(run); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Checking https://staging.example.com/ · 2 checks
	//
	// ✘ Not ready to go live. Kindly refuses the token, and the user is nobody. 1
	//   requirement does not hold.
	//   2 of 2 checks judged
	//
	// ✘ TOK-EXP-MAX  MUST · documented
	//   The token lives longer than 15 minutes.
	//   expected  exp - iat of 1 to 900 s
	//   actual    3600 s
	//   fix       Set exp to iat + 600.
	//   explain   kindlytest explain TOK-EXP-MAX
	//
	// What was judged
	// ✘ TOK Token  judged 2 of 2: 1 failed · 1 passed
	//
	// FAILED  1 of 2 checks · 412 ms
}

func ExampleWriteFiles() {
	dir, err := os.MkdirTemp("", "reports")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	run := reports.Run{Checks: []reports.Check{{ID: "TOK-ALG", Outcome: reports.Passed}}}
	run.Finish()
	paths, err := reports.WriteFiles(dir, run, reports.JSON, reports.JUnit)
	for _, path := range paths {
		fmt.Println(filepath.Base(path))
	}
	fmt.Println(err, run.ExitCode)
	// Output:
	// report.json
	// junit.xml
	// <nil> 0
}
