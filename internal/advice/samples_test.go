package advice_test

import (
	"io/fs"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// sourceFiles is a file system without installed packages.
type sourceFiles struct{ fs.FS }

func (s sourceFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(s.FS, name)
	kept := all[:0]
	for _, e := range all {
		if e.Name() != "node_modules" && e.Name() != "__pycache__" {
			kept = append(kept, e)
		}
	}
	return kept, err
}

// patience is for machines that do other things too.
const patience = 30 * time.Second

// notClosed is what the libraries don't let a sample close.
var notClosed = map[string]bool{"HOOK-DUPLICATE-CLAIMS": true}

func TestSamplesPassEveryCheck(t *testing.T) {
	for _, r := range runners {
		t.Run(r.stack, func(t *testing.T) {
			t.Parallel()
			target, o := withPage(t, r)
			result := suites.Run(t.Context(), target, o)
			if result.Problem != "" {
				t.Errorf("problem: %s", result.Problem)
			}
			for _, c := range result.Checks {
				switch c.Outcome {
				case reports.Passed:
					if c.Weak {
						t.Errorf("%s passes weakly: %s", c.ID, c.Reason)
					}
				case reports.Skipped:
					t.Logf("%s is skipped: %s", c.ID, c.Reason)
				case reports.Informed:
					if !notClosed[c.ID] {
						t.Errorf("%s is noted: %s", c.ID, c.Actual)
					}
				default:
					t.Errorf("%s is %s\n  expected %s\n  actual   %s\n  reason   %s", c.ID, c.Outcome, c.Expected, c.Actual, c.Reason)
				}
			}
			if result.Summary.Passed < 115 {
				t.Errorf("only %d checks passed", result.Summary.Passed)
			}
			if result.Target.Stack != r.recognised {
				t.Errorf("it was taken for %q (%q), not for %q", result.Target.Stack, result.Target.StackSigns, r.recognised)
			}
			t.Logf("%+v in %d ms", result.Summary, result.DurationMS)
		})
	}
}

// Each line of a sample that looks as if it could be left out is there for a
// check.
var changes = []struct {
	stack string
	change
	fails string
}{
	{"node-jsonwebtoken", change{"node-jsonwebtoken/token.mjs", `if ("crit" in header) return undefined;`, ""}, "HOOK-CRIT"},
	{"node-jsonwebtoken", change{"node-jsonwebtoken/token.mjs", `algorithms: ["RS256"],`, ""}, "HOOK-ALG-OTHER"},
	{"node-jose", change{"node/claims.mjs", ` && chat.id === chatId`, ""}, "HOOK-OTHER-CHAT"},
	{"node-jose", change{"node/claims.mjs", ` && exp - iat <= 15 * 60`, ""}, "HOOK-LIFETIME"},
	{"node-jose", change{"node/server.mjs", `app.disable("etag");`, ""}, "AUTH-NO-STORE"},
	{"node-jsonwebtoken", change{"node/server.mjs", `claims.email_verified === true`, `claims.email_verified`}, "HOOK-UNVERIFIED"},
	{"python-pyjwt", change{"python-pyjwt/tokens.py", ` and chat["id"] == chat_id`, ``}, "HOOK-OTHER-CHAT"},
	{"python-pyjwt", change{"python-pyjwt/server.py", `except (ValueError, RecursionError):`, `except ValueError:`}, "LIVE-HOOK-BODY"},
	{"go-golang-jwt", change{"go-golang-jwt/main.go", `len(given) == 1 && `, ``}, "SIG-TWICE"},
}

func TestSamplesHoldNothingSuperfluous(t *testing.T) {
	for _, row := range changes {
		t.Run(row.stack+" without "+row.old, func(t *testing.T) {
			t.Parallel()
			result := suites.Run(t.Context(), serve(t, runnerOf(t, row.stack), "", row.change), suites.Options{Timeout: patience, Only: []string{row.fails}})
			for _, c := range result.Checks {
				if c.ID == row.fails && c.Outcome != reports.Failed && c.Outcome != reports.Warned {
					t.Errorf("%s is %s: %s%s", c.ID, c.Outcome, c.Actual, c.Reason)
				}
			}
		})
	}
}
