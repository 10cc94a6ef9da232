package docs_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/suites/causes"
)

const causesHead = `# Causes

The mistakes that a report names. One mistake can fail eighteen checks, so that a report begins with causes, the gravest first,
and lists the checks that each one explains below it. A check that no cause explains stands for itself.

A cause is *confirmed* where a check has seen it itself, mostly by an experiment (the same request, signed in hex, is
accepted), and *inferred* where it follows from what an answer says (its words, its status), or from which checks fail
together. ` + "`kindlytest explain CAUSE`" + ` says what can happen, and
what to do.

| Cause | What is wrong | Severity | Whose |
|---|---|---|---|
`

// causesPage is docs/causes.md.
func causesPage() string {
	var b strings.Builder
	b.WriteString(causesHead)
	for _, c := range causes.All() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.ID, markdownText(c.Title), c.Severity, c.Owner)
	}
	return b.String()
}

func TestCausesPageIsTheCatalogue(t *testing.T) {
	const name = "causes.md"
	if *update {
		if err := os.WriteFile(name, []byte(causesPage()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != causesPage() {
		t.Errorf("%s is not what the causes say; go test ./docs -update writes it", name)
	}
}
