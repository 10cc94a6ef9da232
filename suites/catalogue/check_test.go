package catalogue_test

import (
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/suites/catalogue"
)

func TestEveryCheckIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, area := range catalogue.Areas() {
		for _, c := range area.Checks {
			r := c.Requirement
			if r.Area() != area.ID || area.Name == "" {
				t.Errorf("%s stands in the area %s (%q)", r.ID, area.ID, area.Name)
			}
			if seen[r.ID] {
				t.Errorf("two checks have the ID %s", r.ID)
			}
			seen[r.ID] = true
			for what, text := range map[string]string{
				"level": string(r.Level), "fidelity": string(r.Fidelity), "text": r.Text, "source": r.Source, "fix": r.Fix,
				"sentence for when it does not hold": r.Broken, "consequence": r.Why,
			} {
				if text == "" {
					t.Errorf("%s has no %s", r.ID, what)
				}
			}
			if strings.TrimSuffix(r.Broken, ".") == strings.TrimSuffix(r.Text, ".") {
				t.Errorf("%s reads the same whether it holds or not", r.ID)
			}
			if c.Probe == nil {
				t.Errorf("%s has no probe", r.ID)
			}
		}
	}
}

// Nobody has seen a check fail for which there is no fault.
func TestEveryCheckHasAFault(t *testing.T) {
	for _, c := range catalogue.All() {
		if len(fixtures.Breaking(c.ID())) == 0 {
			t.Errorf("no fault of the reference customer breaks %s", c.ID())
		}
	}
	for _, f := range fixtures.Faults() {
		if _, ok := catalogue.Find(f.Breaks); !ok {
			t.Errorf("the fault %s breaks %q, which is no check", f, f.Breaks)
		}
	}
}
