package suites_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// What fails comes with code in the language that the target gives away.
func TestFindingsComeWithASample(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, header, value string
		stack, code         string
	}{
		{"a server that says what it is", "X-Powered-By", "PHP/8.3.1", "php-firebase-jwt", "no-store"},
		{"a server that does not", "Server", "nginx", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			target := endpointOf(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set(row.header, row.value)
				w.Header().Set("Cache-Control", "public") // the finding
				r.AddCookie(&http.Cookie{Name: "sid", Value: "0123456789"})
				sound(w, r)
			})(t)
			run := suites.RunQuietly(t.Context(), target, suites.Options{Only: []string{"AUTH-NO-STORE", "AUTH-POST-TOKEN"}})
			if run.Target.Stack != row.stack {
				t.Errorf("the stack is %q (%q), want %q", run.Target.Stack, run.Target.StackSigns, row.stack)
			}
			c := find(t, run, "AUTH-NO-STORE")
			if c.Outcome != reports.Warned {
				t.Fatalf("AUTH-NO-STORE is %s", c.Outcome)
			}
			if row.stack == "" {
				if c.Sample != nil {
					t.Errorf("it has a sample for %s", c.Sample.Stack)
				}
				return
			}
			if c.Sample == nil || c.Sample.Stack != row.stack || !strings.Contains(c.Sample.Code, row.code) {
				t.Errorf("the sample is %+v", c.Sample)
			}
			if passed := find(t, run, "AUTH-POST-TOKEN"); passed.Sample != nil {
				t.Error("what passed has a sample")
			}
		})
	}
}
