package causes_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/catalogue"
	"github.com/kindlytest/kindlytest/suites/causes"
)

var kebab = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)

func TestEveryCauseIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range causes.All() {
		if !kebab.MatchString(c.ID) || seen[c.ID] {
			t.Errorf("the ID %q: want kebab-case, and once", c.ID)
		}
		seen[c.ID] = true
		if c.Title == "" || c.Consequence == "" || c.Title[len(c.Title)-1] != '.' || c.Consequence[len(c.Consequence)-1] != '.' {
			t.Errorf("%s: want sentences, got %q and %q", c.ID, c.Title, c.Consequence)
		}
		if !slices.Contains([]reports.Severity{reports.Critical, reports.High, reports.Medium, reports.Low}, c.Severity) {
			t.Errorf("%s has the severity %q", c.ID, c.Severity)
		}
		if !slices.Contains([]string{causes.Page, causes.Endpoint, causes.Token, causes.Webhook, causes.Infrastructure, causes.Configuration}, c.Owner) {
			t.Errorf("%s is %q's to mend", c.ID, c.Owner)
		}
		for _, id := range slices.Concat(c.When, c.Unless) {
			if _, ok := catalogue.Find(id); !ok {
				t.Errorf("%s is inferred from %s, which is no check", c.ID, id)
			}
		}
		if len(c.When) > 0 && c.Fix == "" {
			t.Errorf("%s is inferred, and says no way out", c.ID)
		}
	}
}

// What a probe names must be in the catalogue: a report sends people to `explain`.
func TestEveryNameThatAProbeGivesIsACause(t *testing.T) {
	for _, m := range forge.SignatureMistakes() {
		known(t, m.ID)
	}
	for _, group := range forge.Labels("secret", nil) {
		known(t, group[0].ID)
	}
	for _, m := range forge.TextMistakes() {
		known(t, m.ID)
	}
	for _, m := range forge.TokenMistakes(forge.Known{URL: "https://hooks.example.com/kindly", Secret: "secret", Issuer: "shop.example"}) {
		known(t, m.ID)
	}
	given := regexp.MustCompile(`(?:Because\(|Cause: |[Cc]ause = |fault\("[A-Z-]+", |^\t\{)"([a-z0-9]+(?:-[a-z0-9]+)+)"`)
	found := 0
	for _, room := range []string{"../catalogue", "../subject", "../runner"} {
		files, err := filepath.Glob(room + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.SplitSeq(string(source), "\n") {
				for _, m := range given.FindAllStringSubmatch(line, -1) {
					if !strings.HasPrefix(line, "\t{") || strings.HasPrefix(m[1], "callback-") || strings.HasPrefix(m[1], "answer-") {
						found++
						known(t, m[1])
					}
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d names found: does the pattern still fit?", found)
	}
}

func known(t *testing.T, id string) {
	t.Helper()
	if _, ok := causes.Find(id); !ok {
		t.Errorf("%s is named, and is no cause", id)
	}
}
