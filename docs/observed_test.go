package docs_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

const (
	habitsBegin = "<!-- habits: go test ./docs -update writes this table -->\n"
	habitsEnd   = "<!-- end -->\n"
)

// habitsTable is the table of docs/kindly.md.
func habitsTable() string {
	var b strings.Builder
	b.WriteString("| row | documented | observed | assumed | checks | done likewise | how to see it yourself |\n|---|---|---|---|---|---|---|\n")
	for _, k := range observed.AllKnown() {
		known := map[rule.Fidelity]string{k.Fidelity: k.Contract}
		likewise := k.Likewise
		if likewise == "" {
			likewise = "–"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", k.ID, known[rule.Documented], known[rule.Observed], known[rule.Assumed],
			strings.Join(k.Leaning, ", "), likewise, k.Way)
	}
	return b.String()
}

func TestKindlyPageHasAllHabits(t *testing.T) {
	const name = "kindly.md"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), habitsBegin)
	got, after, ended := strings.Cut(rest, habitsEnd)
	if !ok || !ended {
		t.Fatalf("%s has no place for the table of habits", name)
	}
	if *update {
		if err := os.WriteFile(name, []byte(before+habitsBegin+habitsTable()+habitsEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != habitsTable() {
		t.Errorf("%s does not say what the habits say; go test ./docs -update writes it", name)
	}
}
