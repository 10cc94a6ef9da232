package reports

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validJSON(t *testing.T, s *jsonschema.Schema, data []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func TestJSONFollowsItsSchema(t *testing.T) {
	s := compiledSchema(t)
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			run := run()
			for i := range run.Checks { // words of fixed lists, which no target can choose
				run.Checks[i].Level, run.Checks[i].Fidelity = "MUST", "assumed"
				if run.Checks[i].Severity != "" {
					run.Checks[i].Severity = Low
				}
			}
			for i := range run.Causes {
				run.Causes[i].Severity = Critical
			}
			for i := range run.Notes {
				run.Notes[i].Level = Informed
			}
			for i := range run.Timeline {
				run.Timeline[i].Kind = MomentPage
			}
			if run.Screenshot != "" {
				run.Screenshot = samplePicture()
			}
			var b bytes.Buffer
			if err := Write(&b, run, JSON); err != nil {
				t.Fatal(err)
			}
			if err := validJSON(t, s, b.Bytes()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSchemaRefusesWhatIsNoReport(t *testing.T) {
	s := compiledSchema(t)
	var b bytes.Buffer
	if err := Write(&b, sampleRun(), JSON); err != nil {
		t.Fatal(err)
	}
	refusesChanged(t, s, b.Bytes(), map[string][2]string{
		"another version":          {`"schema": 2`, `"schema": 3`},
		"an unknown outcome":       {`"outcome": "failed"`, `"outcome": "fine"`},
		"an unknown level":         {`"level": "MUST"`, `"level": "MAY"`},
		"no checks":                {`"checks"`, `"cheques"`},
		"a status that is text":    {`"status": 200`, `"status": "200"`},
		"a start that is no time":  {`"started": "2025`, `"started": "x`},
		"headers that are strings": {`"headers": [`, `"headers": ["a",`},
	})
}

// refusesChanged makes changes in a sound document, one at a time: what stands
// first becomes what stands second, and the schema must refuse the outcome.
func refusesChanged(t *testing.T, s *jsonschema.Schema, sound []byte, changes map[string][2]string) {
	t.Helper()
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			changed := bytes.Replace(sound, []byte(change[0]), []byte(change[1]), 1)
			if bytes.Equal(changed, sound) {
				t.Fatal("nothing changed")
			}
			if validJSON(t, s, changed) == nil {
				t.Error("accepted")
			}
		})
	}
}

// Every field of Run stands in the schema, and the schema promises no other.
func TestSchemaAndTypesHaveTheSameMembers(t *testing.T) {
	s := compiledSchema(t)
	var compare func(path string, typ reflect.Type, s *jsonschema.Schema)
	compare = func(path string, typ reflect.Type, s *jsonschema.Schema) {
		for s.Ref != nil {
			s = s.Ref
		}
		switch typ.Kind() {
		case reflect.Pointer:
			compare(path, typ.Elem(), s)
		case reflect.Slice:
			if s.Items2020 == nil {
				t.Errorf("%s: the schema says nothing of the items", path)
				return
			}
			compare(path+"[]", typ.Elem(), s.Items2020)
		case reflect.Struct:
			if len(s.Properties) == 0 { // a time
				return
			}
			names := map[string]bool{}
			for f := range typ.Fields() {
				name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
				names[name] = true
				member, ok := s.Properties[name]
				if !ok {
					t.Errorf("%s.%s is not in the schema", path, name)
					continue
				}
				if required := slices.Contains(s.Required, name); required && options != "" {
					t.Errorf("%s.%s is required, but may be left out", path, name)
				}
				compare(path+"."+name, f.Type, member)
			}
			for name := range s.Properties {
				if !names[name] && !(typ == reflect.TypeFor[Run]() && slices.Contains([]string{"runs", "shard"}, name)) { // a Set's, see set_test.go
					t.Errorf("%s.%s is in the schema, but not in the type", path, name)
				}
			}
		}
	}
	compare("run", reflect.TypeFor[Run](), s)
	compare("set.shard", reflect.TypeFor[*Shard](), s.Properties["shard"])
}

func TestReadJSONReadsWhatWriteJSONWrote(t *testing.T) {
	for name, run := range map[string]Run{"every outcome": sampleRun(), "empty": emptyRun()} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Write(&b, run, JSON); err != nil {
				t.Fatal(err)
			}
			got, err := ReadJSON(&b)
			if err != nil {
				t.Fatal(err)
			}
			if run.Checks == nil {
				run.Checks = []Check{}
			}
			if diff := cmp.Diff(run, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadJSONRecountsWhatWasEdited(t *testing.T) {
	got, err := ReadJSON(strings.NewReader(
		`{"schema":1,"exit_code":0,"summary":{"passed":9},"checks":[{"id":"A-B","outcome":"failed"}],"later":true}`))
	if err != nil {
		t.Fatal(err)
	}
	if got.ExitCode != 1 || got.Summary != (Summary{Failed: 1}) {
		t.Errorf("exit code %d, summary %+v", got.ExitCode, got.Summary)
	}
}

func TestReadJSONRefuses(t *testing.T) {
	for name, row := range map[string]struct{ input, says string }{
		"nothing":                  {``, "not a JSON report"},
		"other text":               {`<html>`, "not a JSON report"},
		"a list":                   {`[]`, "not a JSON report"},
		"two reports":              {`{"schema":1}{"schema":1}`, "not a JSON report"},
		"JSON of another kind":     {`{"a":1}`, `no "schema" member`},
		"null":                     {`null`, `no "schema" member`},
		"a newer version":          {`{"schema":3,"checks":"other"}`, "read it with a newer kindlytest"},
		"version 0":                {`{"schema":0}`, "schema version is 0"},
		"half a version":           {`{"schema":1.5}`, "schema version is 1.5"},
		"a version that is text":   {`{"schema":"one"}`, "not a JSON report"},
		"an unknown outcome":       {`{"schema":1,"checks":[{"id":"A-B","outcome":"fine"}]}`, `unknown outcome "fine"`},
		"a check without outcome":  {`{"schema":1,"checks":[{"id":"A-B"}]}`, `unknown outcome ""`},
		"a check without ID":       {`{"schema":1,"checks":[{"outcome":"passed"}]}`, "checks[0] has no id"},
		"causes without end":       {`{"schema":1,"causes":[` + strings.Repeat(`{"id":"x"},`, 1<<10) + `{"id":"x"}]}`, "1025 causes"},
		"a member of another type": {`{"schema":1,"checks":{}}`, "checks"},
		"nesting without end":      {strings.Repeat("[", 1<<20), "not a JSON report"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadJSON(strings.NewReader(row.input))
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), row.says) {
				t.Errorf("error %q does not say %q", err, row.says)
			}
		})
	}
}

func TestReadJSONIsBounded(t *testing.T) {
	_, err := ReadJSON(endless{})
	if err == nil || !strings.Contains(err.Error(), "larger than 64 MB") {
		t.Errorf("error %v", err)
	}
}

// A set holds many runs.
func TestASetMayBeLargerThanARun(t *testing.T) {
	run := Run{Checks: []Check{{ID: "TOK-ALG", Outcome: Passed, Actual: strings.Repeat("x", MaxSize)}}}
	for name, row := range map[string]struct {
		report  Report
		refused bool
	}{
		"a run": {run, true},
		"a set": {NewSet([]Run{run}), false},
	} {
		var b bytes.Buffer
		if err := Write(&b, row.report, JSON); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ReadSet(&b); (err != nil) != row.refused || err != nil && !strings.Contains(err.Error(), "larger than 64 MB") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestSchemaIsACopy(t *testing.T) {
	Schema()[0] = 'x'
	if Schema()[0] != '{' {
		t.Error("a caller changed the schema")
	}
}

func FuzzReadJSON(f *testing.F) {
	small := sampleRun()
	small.Checks = withOutcome(small.Checks, Failed)
	for _, run := range []Run{{}, emptyRun(), finished(small)} {
		var b bytes.Buffer
		if err := Write(&b, run, JSON); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		run, err := ReadJSON(bytes.NewReader(data))
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := Write(&first, run, JSON); err != nil {
			t.Fatal(err)
		}
		again, err := ReadJSON(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("does not read what it wrote: %v", err)
		}
		if err := Write(&second, again, JSON); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Error("a second round gives another report")
		}
		for _, format := range Formats() {
			if err := Write(&bytes.Buffer{}, run, format); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
	})
}
