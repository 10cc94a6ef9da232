package reports

import "testing"

func TestExplain(t *testing.T) {
	python := &Sample{Stack: "python-pyjwt"}
	for _, row := range []struct {
		name  string
		check Check
		want  string
	}{
		{"a failure", Check{ID: "TOK-ALG", Outcome: Failed}, "kindlytest explain TOK-ALG"},
		{"a warning, the stack is known", Check{ID: "TOK-ALG", Outcome: Warned, Sample: python}, "kindlytest explain TOK-ALG --stack python-pyjwt"},
		{"what passed needs no explanation", Check{ID: "TOK-ALG", Outcome: Passed}, ""},
		{"an ID that a shell would read", Check{ID: "TOK-ALG; rm -rf ~", Outcome: Failed}, ""},
		{"a stack that a shell would read", Check{ID: "TOK-ALG", Outcome: Failed, Sample: &Sample{Stack: "$(id)"}}, "kindlytest explain TOK-ALG"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.check.Explain(); got != row.want {
				t.Errorf("it is %q, want %q", got, row.want)
			}
		})
	}
}
