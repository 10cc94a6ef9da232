package reports

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/joshdk/go-junit"
)

func named(name string, run Run) Run {
	run.Target.Name = name
	return run
}

// sampleSet has a target of each verdict.
func sampleSet() Set {
	return NewSet([]Run{named("shop", passedRun()), named("intranet", sampleRun()), named("gone", emptyRun())})
}

func TestGravestExitCodeIsTheSets(t *testing.T) {
	for _, row := range []struct {
		name  string
		codes []int
		want  int
	}{
		{"all pass", []int{0, 0}, 0},
		{"one fails", []int{0, 1, 0}, 1},
		{"one can't be judged", []int{0, 2}, 2},
		{"a failure outranks what can't be judged", []int{2, 1, 0}, 1},
		{"no target is no success", nil, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			var runs []Run
			for _, code := range row.codes {
				runs = append(runs, Run{ExitCode: code})
			}
			if got := NewSet(runs).ExitCode; got != row.want {
				t.Errorf("got %d, want %d", got, row.want)
			}
		})
	}
}

func TestSetLastsFromTheFirstStartToTheLastEnd(t *testing.T) {
	at := func(s int) time.Time { return sampleTime.Add(time.Duration(s) * time.Second) }
	s := NewSet([]Run{{Started: at(2), DurationMS: 1000}, {Started: at(0), DurationMS: 2500}})
	if !s.Started.Equal(at(0)) || s.DurationMS != 3000 {
		t.Errorf("from %s, %d ms", s.Started, s.DurationMS)
	}
}

func TestSetMeetsTheSchema(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, sampleSet(), JSON); err != nil {
		t.Fatal(err)
	}
	s := compiledSchema(t)
	if err := validJSON(t, s, b.Bytes()); err != nil {
		t.Errorf("%v", err)
	}
	refusesChanged(t, s, b.Bytes(), map[string][2]string{
		"a run without checks":  {`"checks"`, `"cheques"`},
		"a run without target":  {`"target"`, `"aim"`},
		"a set within the set":  {`"summary": {`, `"runs": [], "summary": {`},
		"a set without verdict": {`"exit_code"`, `"exit"`},
	})
	for f := range reflect.TypeFor[Set]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if s.Properties[name] == nil {
			t.Errorf("%s is not in the schema", name)
		}
	}
}

func TestReadSetReadsBothForms(t *testing.T) {
	var set, single bytes.Buffer
	if err := Write(&set, sampleSet(), JSON); err != nil {
		t.Fatal(err)
	}
	if err := Write(&single, sampleRun(), JSON); err != nil {
		t.Fatal(err)
	}
	alone := single.String()
	got, several, err := ReadSet(bytes.NewReader(set.Bytes()))
	if err != nil || !several || got.ExitCode != 1 || len(got.Runs) != 3 {
		t.Errorf("several %t, exit code %d, %d runs: %v", several, got.ExitCode, len(got.Runs), err)
	}
	if diff := cmp.Diff(sampleSet().Runs[1].Checks, got.Runs[1].Checks); diff != "" {
		t.Error(diff)
	}
	got, several, err = ReadSet(strings.NewReader(alone))
	if err != nil || several || len(got.Runs) != 1 {
		t.Errorf("several %t, %d runs: %v", several, len(got.Runs), err)
	}
	if _, err := ReadJSON(&set); err == nil || !strings.Contains(err.Error(), "NAME/report.json") {
		t.Errorf("ReadJSON of a set: %v", err)
	}
	for name, text := range map[string]string{
		"a check without id":  `{"schema":1,"runs":[{"checks":[{"outcome":"passed"}]}]}`,
		"runs that are none":  `{"schema":1,"runs":7}`,
		"an unknown outcome":  `{"schema":1,"runs":[{"checks":[{"id":"A-B","outcome":"fine"}]}]}`,
		"another version":     `{"schema":3,"runs":[]}`,
		"a list, not members": `[]`,
	} {
		if _, _, err := ReadSet(strings.NewReader(text)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	if got, _, err := ReadSet(strings.NewReader(`{"schema":1,"exit_code":0,"runs":[]}`)); err != nil || got.ExitCode != 2 {
		t.Errorf("no runs: exit code %d, %v", got.ExitCode, err)
	}
}

func TestSetJUnitHoldsEveryRun(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, sampleSet(), JUnit); err != nil {
		t.Fatal(err)
	}
	suites, err := junit.Ingest(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	failed, broken := 0, 0
	for _, s := range suites {
		names = append(names, s.Name)
		failed += s.Totals.Failed
		broken += s.Totals.Error
	}
	for _, want := range []string{"shop.AUTH", "intranet.AUTH", "gone.RUN"} {
		if !slices.Contains(names, want) {
			t.Errorf("no suite %s in %q", want, names)
		}
	}
	if failed == 0 || broken == 0 {
		t.Errorf("%d failed, %d errors", failed, broken)
	}
}

func TestSetFiles(t *testing.T) {
	dir := t.TempDir()
	paths, err := WriteFiles(dir, sampleSet(), JSON, JUnit, Markdown, HTML, SARIF)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"report.json", "junit.xml", "report.md", "report.html"}
	for _, target := range []string{"shop", "intranet", "gone"} {
		for _, f := range []string{"report.json", "junit.xml", "report.md", "report.html", "report.sarif"} {
			want = append(want, filepath.Join(target, f))
		}
	}
	for i := range paths {
		if paths[i], err = filepath.Rel(dir, paths[i]); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Error(diff)
	}
	for _, p := range want {
		if _, err := os.Stat(filepath.Join(dir, p)); err != nil {
			t.Error(err)
		}
	}
	if err := Write(&bytes.Buffer{}, sampleSet(), SARIF); err == nil || !strings.Contains(err.Error(), "one target") {
		t.Errorf("a set as SARIF: %v", err)
	}
}

func TestSetFilesStayInTheirFolder(t *testing.T) {
	for _, names := range [][]string{{"../out"}, {"/tmp/x"}, {""}, {"."}, {".."}, {"a/b"}, {`a\b`}, {"C:x"}, {"shop", "Shop"}} {
		dir := filepath.Join(t.TempDir(), "in")
		s := Set{}
		for _, name := range names {
			s.Runs = append(s.Runs, named(name, passedRun()))
		}
		if paths, err := WriteFiles(dir, s, JSON); err == nil {
			t.Errorf("%q: wrote %q", names, paths)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%q: the folder was made", names)
		}
	}
}

func TestSetMarkdownShowsTheVerdictFirst(t *testing.T) {
	s := sampleSet()
	s.Runs[0].Target.Name = "a|b<i>"
	var b bytes.Buffer
	if err := Write(&b, s, Markdown); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if !strings.HasPrefix(text, "## ❌ kindlytest: FAILED\n\n**Not ready to go live: intranet. Not all could be checked at gone.**\n\n**Result:** 3 targets · 1 failed · 1 could not be judged · 1 passed") {
		t.Errorf("it begins with %.200q", text)
	}
	if strings.Contains(text, "<i>") || strings.Count(text, "\n# ") != 3 {
		t.Errorf("it holds markup of a name, or not a heading a target:\n%.2000s", text)
	}
	many := s
	for len(many.Runs) < 200 {
		many.Runs = append(many.Runs, sampleRun())
	}
	b.Reset()
	if err := Write(&b, many, Markdown); err != nil || b.Len() > MaxMarkdown {
		t.Errorf("%d bytes, %v", b.Len(), err)
	}
}

func TestTerminalShowsASet(t *testing.T) {
	var b bytes.Buffer
	terminal := &Terminal{W: &b}
	s := sampleSet()
	s.Runs[0].Target.Page = "https://shop.example.com/\x1b[2J"
	for _, run := range s.Runs {
		if err := terminal.FinishRun(run); err != nil {
			t.Fatal(err)
		}
	}
	if err := terminal.FinishSet(s, "out/report.json"); err != nil {
		t.Fatal(err)
	}
	golden(t, "terminal-set.txt", b.Bytes())
	if strings.Contains(b.String(), "\x1b") {
		t.Error("a target's page reached the terminal")
	}
}

func TestStatusIsShownOnATerminalOnly(t *testing.T) {
	for _, live := range []bool{true, false} {
		var b bytes.Buffer
		terminal := &Terminal{W: &b, Live: live}
		terminal.Status("1 of 3 targets")
		if got := b.Len() > 0; got != live {
			t.Errorf("live %t: %q", live, b.String())
		}
	}
}

func FuzzReadSet(f *testing.F) {
	small := sampleSet()
	for i := range small.Runs {
		small.Runs[i].Checks = withOutcome(small.Runs[i].Checks, Failed)
	}
	for _, set := range []Set{{}, small} {
		var b bytes.Buffer
		if err := Write(&b, set, JSON); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, several, err := ReadSet(bytes.NewReader(data))
		if err != nil {
			return
		}
		if !several && len(set.Runs) != 1 {
			t.Fatalf("one run, and there are %d", len(set.Runs))
		}
		passed := len(set.Runs) > 0
		for _, run := range set.Runs {
			passed = passed && run.ExitCode == 0
		}
		if (set.ExitCode == 0) != passed {
			t.Errorf("exit code %d of %d runs", set.ExitCode, len(set.Runs))
		}
		for format := range setWriters {
			if err := Write(&bytes.Buffer{}, set, format); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
		if set.foldersOf() != nil {
			return
		}
		for _, run := range set.Runs {
			if dir := filepath.Join("reports", run.Target.Name); filepath.Dir(dir) != "reports" {
				t.Errorf("%q leads to %s", run.Target.Name, dir)
			}
		}
	})
}
