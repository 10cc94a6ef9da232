// Package docs_test keeps the documentation true: its table of checks is
// generated, its commands are run, and what it names exists.
package docs_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/suites"
)

var update = flag.Bool("update", false, "write what is generated here and in the README")

// pages are what users read, by their paths from here.
func pages(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range append(names, "../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(text)
	}
	return out
}

func TestChecksPageIsTheCatalogue(t *testing.T) {
	want := checksPage()
	if *update {
		if err := os.WriteFile("checks.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("checks.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/checks.md is not what the catalogue says: go test ./docs -update")
	}
}

const checksHead = `# The checks

Generated from the catalogue: ` + "`go test ./docs -update`" + `. ` + "`kindlytest list`" + ` shows the same.

- **Level**: a MUST that does not hold fails the run. A SHOULD warns, and fails the run with ` + "`--strict`" + `. INFO only
  reports.
- **Needs**: what a target must offer: a ` + "`page`" + `; an auth ` + "`endpoint`" + ` (found by watching the page, or configured); a
  ` + "`webhook`" + `; a ` + "`token`" + ` (from page or endpoint); a ` + "`login`" + `; a ` + "`second`" + ` user's login; the webhook's secret (` + "`hmac`" + `); the
  private ` + "`key`" + ` of a test environment; page and endpoint on different origins (` + "`cross`" + `). Where a need is missing, the check
  is skipped, with the reason.
- **How we know**: documented (by Kindly, or by a standard), observed in what Kindly publishes, or
  assumed ([what Kindly does](kindly.md)). The link is the source.
- Checks marked ⚠ are hostile: they send what a sound client never would. ` + "`--safe`" + ` leaves them out.

` + "`kindlytest explain ID`" + ` says how Kindly behaves there, what to change, and shows code that does it. What counts as a refusal is told in [judging](judging.md). That each check can fail is shown in
[proof](proof.md).
`

var areas = map[string]string{
	"PAGE": "the page and its callback",
	"AUTH": "the auth endpoint",
	"TOK":  "the token",
	"FWD":  "forwarding",
	"HOOK": "what the webhook makes of the token",
	"SIG":  "the webhook's signature",
	"RESP": "the webhook's answer",
	"LIVE": "it stays up",
}

// checksPage is docs/checks.md.
func checksPage() string {
	var b strings.Builder
	b.WriteString(checksHead)
	area, why := "", ""
	for _, c := range suites.Checks() {
		r := c.Requirement
		if r.Area() != area {
			b.WriteString(why)
			area, why = r.Area(), "\nWhy they matter:\n\n"
			fmt.Fprintf(&b, "\n## %s: %s\n\n| ID | Level | Needs | Requirement | How we know |\n|---|---|---|---|---|\n", area, areas[area])
		}
		id := r.ID
		if c.Hostile {
			id += " ⚠"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | [%s](%s) |\n",
			id, r.Level, strings.Join(c.Needs.Names(), ", "), markdownText(r.Text), r.Fidelity, r.Source)
		why += fmt.Sprintf("- **%s**: %s\n", r.ID, markdownText(r.Why))
	}
	return b.String() + why
}

// markdownText writes a sentence into a table's cell.
func markdownText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", `\<`, "*", `\*`, "`", "\\`", "[", `\[`, "_", `\_`).Replace(s)
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksResolve(t *testing.T) {
	found := 0
	for name, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(outsideCode(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			found++
			path, anchor, _ := strings.Cut(m[1], "#")
			target := filepath.Join(filepath.Dir(name), path)
			if path == "" {
				target = name
			}
			raw, err := os.ReadFile(target)
			if err != nil {
				t.Errorf("%s: the link %s goes nowhere: %v", name, m[1], err)
			} else if anchor != "" && !slices.Contains(anchors(string(raw)), anchor) {
				t.Errorf("%s: the link %s names no heading", name, m[1])
			}
		}
	}
	if found == 0 {
		t.Error("no links were found")
	}
}

var (
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notASlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are a page's headings as GitHub names them.
func anchors(text string) []string {
	var out []string
	for _, m := range heading.FindAllStringSubmatch(outsideCode(text), -1) {
		out = append(out, strings.ReplaceAll(notASlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return out
}

var (
	checkID  = regexp.MustCompile(`\b(?:PAGE|AUTH|TOK|FWD|HOOK|SIG|RESP|LIVE)-[A-Z][A-Z0-9-]*(?:\*|\b)`)
	faultArg = regexp.MustCompile(`--fault ([a-z0-9-]+)`)
	manner   = regexp.MustCompile(`--manner ([a-z0-9-]+)`)
)

func TestNamesExist(t *testing.T) {
	ids := 0
	for name, text := range pages(t) {
		for _, id := range checkID.FindAllString(text, -1) {
			ids++
			if _, err := suites.Select(id); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, m := range faultArg.FindAllStringSubmatch(text, -1) {
			if _, ok := fixtures.FaultByName(m[1]); !ok {
				t.Errorf("%s: there is no fault %s", name, m[1])
			}
		}
		for _, m := range manner.FindAllStringSubmatch(text, -1) {
			if _, ok := fixtures.MannerByName(m[1]); !ok {
				t.Errorf("%s: there is no manner %s", name, m[1])
			}
		}
	}
	if ids == 0 {
		t.Error("no check is named anywhere")
	}
}

var checkCount = regexp.MustCompile(`· (\d+) checks\n\n`)

// demoRun is the run that the README shows.
var demoRun = regexp.MustCompile("(?s)([$] bin/kindlytest demo\n)(.*?)(\n```)")

// writeDemoRun runs the command, and shows in the README what it says.
func writeDemoRun(t *testing.T) {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "kindlytest")
	if out, err := exec.Command("go", "build", "-o", bin, "../cmd/kindlytest").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	demo := exec.CommandContext(t.Context(), bin, "demo")
	demo.Dir = t.TempDir()
	out, err := demo.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	readme := pages(t)["../README.md"]
	at := demoRun.FindStringSubmatchIndex(readme)
	if at == nil {
		t.Fatal("the README shows no run")
	}
	if err := os.WriteFile("../README.md", []byte(readme[:at[4]]+strings.TrimSpace(string(out))+readme[at[5]:]), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestReadmeCountsTheChecks(t *testing.T) {
	if *update {
		writeDemoRun(t)
	}
	m := checkCount.FindStringSubmatch(pages(t)["../README.md"])
	if m == nil {
		t.Fatal("the README shows no run")
	}
	if want := fmt.Sprint(len(suites.Checks())); m[1] != want {
		t.Errorf("the README shows a run of %s checks, and there are %s: go test ./docs -update shows a run of today", m[1], want)
	}
}

var allowlistRow = regexp.MustCompile("(?m)^\\| `([^`]*)` \\| `([^`]*)` \\| ([^|]*) \\|")

func TestAllowlistTableIsWhatTheCodeDoes(t *testing.T) {
	rows := allowlistRow.FindAllStringSubmatch(pages(t)["allowlist.md"], -1)
	if len(rows) < 20 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	for _, row := range rows {
		pattern, url, says := row[1], row[2], row[3]
		d := allowlist.Match(pattern, url)
		if d.Allowed != strings.HasPrefix(says, "yes") ||
			(d.Ambiguous != "") != strings.HasSuffix(says, "not certain") ||
			(d.SharedTenant != "") != strings.HasSuffix(says, "shared") {
			t.Errorf("%s, %s: the page says %q, the code %+v", pattern, url, says, d)
		}
	}
}
