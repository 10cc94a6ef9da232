package docs_test

import (
	"os"
	"strings"
	"testing"
)

// The samples of the report page are what the code prints: the golden files of
// its tests.
func TestReportSamplesAreWhatIsPrinted(t *testing.T) {
	text, err := os.ReadFile("report.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"terminal-cause.txt", "terminal.txt", "compare.txt"} {
		sample, err := os.ReadFile("../reports/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if want := "```text\n" + strings.Trim(string(sample), "\n") + "\n```"; !strings.Contains(string(text), want) {
			t.Errorf("report.md does not show %s as it is printed:\n%s", name, want)
		}
	}
}
