package jws

import (
	"strings"
	"testing"
)

func TestReplace(t *testing.T) {
	const header, payload = "eyJhbGciOiJSUzI1NiJ9", "eyJzdWIiOiJhIn0"
	for name, row := range map[string]struct{ text, want string }{
		"whole":                         {"a " + header + "." + payload + ".c2ln b", "a (token) b"},
		"two":                           {header + "." + payload + ".c2ln," + header + "." + payload + ".c2ln", "(token),(token)"},
		"without its signature":         {`"` + header + "." + payload + `."`, `"(token)"`},
		"cut off":                       {header + "." + payload[:9] + "…", "(token)…"},
		"with a mark for the signature": {"x " + header + "." + payload + ".[removed] y", "x (token) y"},
		"encrypted, in five parts":      {header + ".a.b.c.d;", "(token);"},
		"its header alone":              {header + " is no token", header + " is no token"},
		"a list behind it":              {header + "." + payload + ".c2ln[1, 2]", "(token)[1, 2]"},
		"words":                         {"key.words.more eye.of.the", "key.words.more eye.of.the"},
	} {
		if got := Replace(row.text, "(token)"); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}

func TestFindTellsThePartsApart(t *testing.T) {
	found := Find("x eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln")
	if len(found) != 1 || found[0].Header != "eyJhbGciOiJSUzI1NiJ9" || found[0].Payload != "eyJzdWIiOiJhIn0" || found[0].Signature != "c2ln" || found[0].Start != 2 {
		t.Errorf("%+v", found)
	}
}

// Each part is looked at twice at the most: hostile texts are large.
func FuzzFind(f *testing.F) {
	f.Add("eyJhbGciOiJSUzI1NiJ9..c2ln eyJhbGciOiJSUzI1NiJ9.")
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for _, token := range Find(text) {
			if token.Start < last || token.End > len(text) || !strings.HasPrefix(text[token.Start:token.End], token.Header+"."+token.Payload) {
				t.Errorf("%q: %+v", text, token)
			}
			last = token.End
		}
	})
}
