package reports

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// commands is what the runners of GitHub and Azure obey.
var commands = regexp.MustCompile(`(?m)^\s*::|##\w*\[`)

// command is a text that wants to be one, wherever a line is broken.
const command = "x\n::error::gone\n  ::set-env name=A::b\n\t::add-mask::x ##[command]rm ##vso[task.setvariable variable=a]b\u0085::stop\u2028::stop a very long line that has to be broken somewhere, so that ::error:: ::error:: ::error:: ::error:: ::error:: ::error:: ::error:: ::error:: begins one"

// commandRun says it everywhere.
func commandRun() Run {
	var run Run
	fill(reflect.ValueOf(&run).Elem(), command, 2)
	check := run.Checks[0]
	run.Checks = nil
	for _, o := range Outcomes {
		check.Outcome = o
		run.Checks = append(run.Checks, check)
	}
	return finished(run)
}

func TestNoPrintedLineIsACommandOfARunner(t *testing.T) {
	var out bytes.Buffer
	terminal := &Terminal{W: &out, Verbose: true}
	run := commandRun()
	terminal.Start("::error::"+command, len(run.Checks))
	for _, c := range run.Checks {
		terminal.Done(c)
	}
	if err := terminal.Finish(run, "::error::", "a\n::error::"); err != nil {
		t.Fatal(err)
	}
	if err := terminal.FinishSet(NewSet([]Run{run})); err != nil {
		t.Fatal(err)
	}
	for _, found := range commands.FindAllString(out.String(), -1) {
		t.Errorf("a line holds %q", found)
	}
	if !strings.Contains(out.String(), ": :error::") {
		t.Error("what the target said is gone")
	}
}

func TestJSONHoldsNothingThatActsWhenShown(t *testing.T) {
	const text = "csi \u009b31m, del \u007f, bidi \u202egpj\u2066x\u2069\u200f, ##[error]x, ##vso[x]y, # [ ## and æøå 日本 😀"
	run := sampleRun()
	run.Checks[0].Actual = text
	for name, write := range map[string]func(*bytes.Buffer) error{
		"a run": func(b *bytes.Buffer) error { return Write(b, run, JSON) },
		"a set": func(b *bytes.Buffer) error { return Write(b, NewSet([]Run{run}), JSON) },
		"sarif": func(b *bytes.Buffer) error { return Write(b, run, SARIF) },
	} {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		if m := regexp.MustCompile(`[\x{7f}-\x{9f}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{200e}\x{200f}]|##\w*\[`).FindString(out.String()); m != "" {
			t.Errorf("%s holds %q", name, m)
		}
		var back any
		if err := json.Unmarshal(out.Bytes(), &back); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var out bytes.Buffer
	if err := Write(&out, run, JSON); err != nil {
		t.Fatal(err)
	}
	back, err := ReadJSON(&out)
	if err != nil || back.Checks[0].Actual != text {
		t.Errorf("it came back as %q, %v", back.Checks[0].Actual, err)
	}
}
