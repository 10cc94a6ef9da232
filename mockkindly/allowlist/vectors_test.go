package allowlist

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var vectors = flag.String("vectors", "", "the folder url/resources of the Web Platform Tests; make attack fetches it")

// readVectors reads a file of the Web Platform Tests: objects, and remarks
// between them.
func readVectors[T any](t *testing.T, name string) []T {
	t.Helper()
	if *vectors == "" {
		t.Skip("SKIPPED, NOT CHECKED: the Web Platform Tests are not here; make attack fetches them")
	}
	text, err := os.ReadFile(filepath.Join(*vectors, name))
	if err != nil {
		t.Fatal(err)
	}
	var all []json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	var out []T
	for _, one := range all {
		var v T
		if json.Unmarshal(one, &v) == nil { // a remark is a string
			out = append(out, v)
		}
	}
	if len(out) < 20 {
		t.Fatalf("%s has only %d vectors", name, len(out))
	}
	return out
}

// Where we say which host a URL leads to, browsers say the same. What parsers
// are known to read differently may be refused here, and is.
func TestURLsLeadWhereBrowsersSay(t *testing.T) {
	type vector struct {
		Input                    string
		Base                     *string
		Failure                  bool
		Hostname, Port, Protocol string
	}
	n, taken := 0, 0
	for _, v := range readVectors[vector](t, "urltestdata.json") {
		n++
		// Most vectors are of http, which webhooks can't have; hosts are the same.
		input := v.Input
		if rest, ok := strings.CutPrefix(input, "http://"); ok && v.Port == "" && !strings.Contains(rest, ":") {
			input, v.Protocol = "https://"+rest, "https:"
		}
		got, err := parseURL(input)
		if err != nil {
			continue
		}
		taken++
		if v.Failure || v.Protocol != "https:" || strings.TrimSuffix(v.Hostname, ".") != got.host || v.Port != got.port {
			t.Errorf("%q leads to %q, port %q; browsers say %q, port %q, failure %v", v.Input, got.host, got.port, v.Hostname, v.Port, v.Failure)
		}
	}
	if taken == 0 {
		t.Error("no URL was taken: nothing was compared")
	}
	t.Logf("%d vectors agree: %d URLs lead to the same host, the others are refused", n, taken)
}

// International names become what they become in browsers, or are refused.
func TestNamesBecomeWhatBrowsersMakeOfThem(t *testing.T) {
	type vector struct {
		Input  string
		Output *string // null: not valid
	}
	for _, name := range []string{"toascii.json", "IdnaTestV2.json"} {
		t.Run(name, func(t *testing.T) {
			n, taken := 0, 0
			for _, v := range readVectors[vector](t, name) {
				n++
				got, err := canonicalHost(v.Input)
				if err != nil {
					continue
				}
				taken++
				if v.Output == nil || got != strings.TrimSuffix(*v.Output, ".") {
					t.Errorf("%q becomes %q; browsers say %v", v.Input, got, v.Output)
				}
			}
			if taken == 0 {
				t.Error("no name was taken: nothing was compared")
			}
			t.Logf("%d vectors agree: %d names become the same, the others are refused", n, taken)
		})
	}
}
