package allowlist

import (
	"strings"
	"testing"
)

// TestJudge: what a token's list says by itself, without any webhook.
func TestJudge(t *testing.T) {
	for _, row := range []struct {
		name     string
		patterns []string
		want     map[string]string // requirement: what is said
		fix      string
	}{
		{"hosts", []string{"hooks.example.com", "*.example.com"}, nil, ""},
		{"no entries", nil, nil, ""},
		{"a URL", []string{"https://hooks.example.com/kindly"}, map[string]string{"FWD-PATTERNS": `"https://hooks.example.com/kindly": `}, `Write "hooks.example.com" instead`},
		{"everything", []string{"*"}, map[string]string{"FWD-BROAD": `"*": `}, ""},
		{"nothing, and everything", []string{"", "*"}, map[string]string{"FWD-PATTERNS": `"": `, "FWD-BROAD": `"*": `}, ""},
		{"a public suffix", []string{"*.co.uk"}, map[string]string{"FWD-BROAD": "co.uk"}, ""},
		{"names for hire", []string{"*.ngrok.app"}, map[string]string{"FWD-SHARED-TENANT": "anyone can get a name under ngrok.app"}, ""},
		{"one name that is hired", []string{"mine.ngrok.app"}, nil, ""},
		{"two URLs", []string{"https://a.example.com", "b.example.com", "https://c.example.com/x"},
			map[string]string{"FWD-PATTERNS": `"https://c.example.com/x"`}, `Write "c.example.com"`},
		{"many", []string{"http://a/", "http://b/", "http://c/", "http://d/", "http://e/"}, map[string]string{"FWD-PATTERNS": "; and more"}, ""},
		{"a long one", []string{"https://" + strings.Repeat("æ", 500)}, map[string]string{"FWD-PATTERNS": "…"}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			found := Judge(row.patterns)
			if len(found) != len(row.want) {
				t.Errorf("found %+v", found)
			}
			for _, f := range found {
				want, expected := row.want[f.Rule.ID]
				if !expected || !strings.Contains(f.Actual, want) || f.Expected == "" || len(f.Actual) > 1000 {
					t.Errorf("%+v, want %q", f, want)
				}
				if row.fix != "" && !strings.Contains(f.Fix, row.fix) {
					t.Errorf("the fix is %q, want %q", f.Fix, row.fix)
				}
			}
		})
	}
}
