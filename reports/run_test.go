package reports

import "testing"

func TestExitCode(t *testing.T) {
	checks := func(outcomes ...Outcome) []Check {
		var out []Check
		for _, o := range outcomes {
			out = append(out, Check{ID: "A-B", Outcome: o})
		}
		return out
	}
	for _, row := range []struct {
		name    string
		run     Run
		code    int
		verdict string
	}{
		{"nothing at all", Run{}, 2, "NOTHING WAS CHECKED"},
		{"only skipped", Run{Checks: checks(Skipped)}, 2, "NOTHING WAS CHECKED"},
		{"only info", Run{Checks: checks(Informed)}, 0, "PASSED"},
		{"passed", Run{Checks: checks(Passed, Skipped)}, 0, "PASSED"},
		{"warned", Run{Checks: checks(Passed, Warned)}, 0, "PASSED"},
		{"warned under strict", Run{Strict: true, Checks: checks(Passed, Warned)}, 1, "FAILED"},
		{"a known failure", Run{Strict: true, Checks: checks(Expected)}, 0, "PASSED"},
		{"failed", Run{Checks: checks(Passed, Failed)}, 1, "FAILED"},
		{"errored", Run{Checks: checks(Passed, Errored)}, 2, "INCOMPLETE"},
		{"a problem", Run{Problem: "browser gone", Checks: checks(Passed)}, 2, "INCOMPLETE"},
		{"a failure outranks a problem", Run{Problem: "browser gone", Checks: checks(Failed, Errored)}, 1, "FAILED"},
		{"an unknown outcome is no pass", Run{Checks: checks(Passed, "fine")}, 2, "INCOMPLETE"},
		{"no outcome is no pass", Run{Checks: checks("")}, 2, "NOTHING WAS CHECKED"},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.run.Finish()
			if row.run.ExitCode != row.code {
				t.Errorf("exit code %d, want %d", row.run.ExitCode, row.code)
			}
			if v := verdictOf(row.run); v.Word != row.verdict {
				t.Errorf("verdict %q, want %q", v.Word, row.verdict)
			}
			if n := row.run.Summary.total(); n != len(row.run.Checks) {
				t.Errorf("%d of %d checks are counted", n, len(row.run.Checks))
			}
		})
	}
}

func TestDuration(t *testing.T) {
	for ms, want := range map[int64]string{-5: "0 ms", 0: "0 ms", 840: "840 ms", 4210: "4.2 s", 125_000: "2 min 5 s"} {
		if got := duration(ms); got != want {
			t.Errorf("duration(%d) is %q, want %q", ms, got, want)
		}
	}
}
