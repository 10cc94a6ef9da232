package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/reports"
)

// endpointOf describes a shop's endpoint alone, which needs no browser.
func endpointOf(shop *fixtures.Customer, session string) string {
	return "endpoint: {url: \"" + shop.EndpointURL + "\", headers: {Cookie: \"shop_session=${" + session + "}\"}}"
}

func shopWith(t *testing.T, faults ...string) *fixtures.Customer {
	t.Helper()
	pair, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	var o fixtures.Options
	o.Keys = pair
	for _, name := range faults {
		f, ok := fixtures.FaultByName(name)
		if !ok {
			t.Fatalf("there is no fault %q", name)
		}
		o.Faults = append(o.Faults, f)
	}
	shop, err := fixtures.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shop.Close() })
	return shop
}

// Two shops, one of which forgets Cache-Control: a SHOULD.
func TestVerdictOnSeveralTargets(t *testing.T) {
	sound, faulty := shopWith(t), shopWith(t, "cacheable-token")
	env := map[string]string{"A": logIn(t, sound, sound.Users[0]), "B": logIn(t, faulty, faulty.Users[0])}
	const known = `expected_failures: [{id: AUTH-NO-STORE, reason: "OPS-12"}]`
	for _, row := range []struct {
		name             string
		common           string // the file's checks
		soundly, faultly string // more of each target
		args             []string
		code             int
		says             string
	}{
		{"both hold", "only: [AUTH-POST-TOKEN]", "", "", nil, exitOK, "PASSED  2 targets · 2 passed"},
		{"one fails under strict", "only: [AUTH-NO-STORE, AUTH-POST-TOKEN], strict: true", "", "", nil, exitBroken, "FAILED  2 targets · 1 failed · 1 passed"},
		{"its failure is known", "only: [AUTH-NO-STORE]", "", ", checks: {strict: true, only: [AUTH-NO-STORE], " + known + "}", nil, exitOK, "1 known failure"},
		{"its failure is known no longer", "only: [AUTH-NO-STORE]", "", ", checks: {only: [AUTH-NO-STORE], expected_failures: [{id: AUTH-NO-STORE, reason: \"OPS-12\", until: 2020-01-31}]}", nil, exitBroken, "FAILED  2 targets · 1 failed · 1 passed"},
		{"a known failure that is none any more", "only: [AUTH-NO-STORE], " + known, "", "", nil, exitBroken, "Take AUTH-NO-STORE out of expected_failures"},
		{"the other one alone", "only: [AUTH-NO-STORE], strict: true", "", "", []string{"--target", "sound"}, exitOK, "PASSED  1 target · 1 passed"},
		{"a flag is for each", "only: [AUTH-POST-TOKEN]", "", "", []string{"--only", "AUTH-NO-STORE", "--strict", "--parallel", "1"}, exitBroken, "FAILED  2 targets · 1 failed"},
		{"nobody is at home at one", "only: [AUTH-POST-TOKEN]", ", webhooks: [{url: \"http://localhost:1/\"}], checks: {only: [RESP-JSON, AUTH-POST-TOKEN]}", "", nil, exitUsage, "INCOMPLETE  2 targets · 1 could not be judged · 1 passed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			writeFiles(t, dir, map[string]string{"kindlytest.yaml": "version: 1\nchecks: {" + row.common + "}\ntargets:\n" +
				"  - {name: sound, " + endpointOf(sound, "A") + row.soundly + "}\n" +
				"  - {name: faulty, " + endpointOf(faulty, "B") + row.faultly + "}\n"})
			out := filepath.Join(dir, "out")
			got := runHere(t.Context(), env, "", append([]string{"run", "-c", filepath.Join(dir, "kindlytest.yaml"), "--report-dir", out}, row.args...)...)
			if got.code != row.code || !strings.Contains(got.stdout, row.says) {
				t.Errorf("exit code %d, want %d and %q\n%s%s", got.code, row.code, row.says, got.stdout, got.stderr)
			}
			text, err := os.ReadFile(filepath.Join(out, "report.json"))
			if err != nil {
				t.Fatal(err)
			}
			set, several, err := reports.ReadSet(bytes.NewReader(text))
			if err != nil || !several || set.ExitCode != row.code {
				t.Errorf("the report: several %t, exit code %d, %v", several, set.ExitCode, err)
			}
			if strings.Contains(got.stdout+got.stderr, env["A"]) {
				t.Error("it shows a session")
			}
			for _, run := range set.Runs {
				for _, c := range run.Checks {
					if c.Outcome == reports.Failed && !strings.Contains(c.Repeat, "--target "+run.Target.Name) {
						t.Errorf("%s is repeated by %q", c.ID, c.Repeat)
					}
				}
			}
		})
	}
}

// A report of one target may lie where one of several is to be: nothing of it is kept.
func TestAReportOfOneTargetGivesWayToOneOfSeveral(t *testing.T) {
	shop := shopWith(t)
	env := map[string]string{"A": logIn(t, shop, shop.Users[0])}
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"one.yaml":     "version: 1\nname: one / staging\n" + endpointOf(shop, "A") + "\n",
		"several.yaml": "version: 1\ntargets:\n  - {name: a, " + endpointOf(shop, "A") + "}\n  - {name: b, " + endpointOf(shop, "A") + "}\n",
	})
	for _, args := range [][]string{{"one.yaml"}, {"several.yaml", "--target", "b"}} {
		args[0] = filepath.Join(dir, args[0])
		got := runHere(t.Context(), env, "", append([]string{"run", "--only", "AUTH-POST-TOKEN", "--report-dir", filepath.Join(dir, "out"), "-c"}, args...)...)
		if got.code != exitOK {
			t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
		}
	}
}
