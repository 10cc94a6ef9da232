package reports

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/kindlytest/kindlytest/internal/clip"
)

func TestPrintable(t *testing.T) {
	for name, row := range map[string]struct{ in, want string }{
		"plain text stays":              {"Ærlig talt, 漢字 🙂", "Ærlig talt, 漢字 🙂"},
		"line feeds stay":               {"a\nb\r\nc", "a\nb\nc"},
		"a tab is spaces":               {"a\tb", "a  b"},
		"ESC is spelled out":            {"\x1b[2J", `\x1b[2J`},
		"C1 is spelled out":             {"\u009b31m", `\u009b31m`},
		"carriage return is spelled":    {"a\rb", `a\x0db`},
		"invalid UTF-8 is spelled out":  {"\xff", `\xff`},
		"a replacement character stays": {"\ufffd", "\ufffd"},
		"bidi overrides are spelled":    {"\u202e\u2066", `\u202e\u2066`},
		"hidden text is spelled out":    {"a\u200bb\ufeff\U000e0041", `a\u200bb\ufeff\U000e0041`},
		"no-break space is a space":     {"a\u00a0b", "a b"},
		"joined emoji stay":             {"👩‍👩‍👧", "👩‍👩‍👧"},
		"separators are spelled out":    {"a\u2028b", `a\u2028b`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := printable(row.in); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

func TestClip(t *testing.T) {
	for in, want := range map[string]string{"": "", "abcd": "abcd", "abcde": "abc…", "æøå🙂": "æøå🙂", "æøå🙂!": "æøå…"} {
		if got := clip.Runes(in, 4); got != want {
			t.Errorf("clip.Runes(%q) is %q, want %q", in, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for name, row := range map[string]struct {
		in   string
		want []string
	}{
		"short":                {"one two", []string{"one two"}},
		"exactly":              {"one two333", []string{"one two333"}},
		"at a space":           {"one two three", []string{"one two", "three"}},
		"a space at the end":   {"0123456789 x", []string{"0123456789", "x"}},
		"a long word":          {"0123456789abc", []string{"0123456789", "abc"}},
		"wide runes":           {"漢字漢字漢字", []string{"漢字漢字漢", "字"}},
		"a wide rune halfway":  {"a漢字漢字漢", []string{"a漢字漢字", "漢"}},
		"own line breaks":      {"a\n\nb\n", []string{"a", "", "b"}},
		"indentation":          {"  a b c d e f", []string{"  a b c d", "e f"}},
		"indentation too deep": {strings.Repeat(" ", 12) + "x", []string{"", "x"}},
		"nothing":              {"", []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := wrap(row.in, 10); !slices.Equal(got, row.want) {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("one two three", 10)
	f.Add(hostile, 40)
	f.Add("漢字 漢字", 1)
	f.Add("ab🙂", 1) // a rune of more bytes than stand before it
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = 2 + abs(n)%200
		clean := printable(s)
		for _, line := range wrap(clean, n) {
			if textWidth(line) > n {
				t.Errorf("%q is wider than %d", line, n)
			}
			for _, r := range line {
				if unicode.IsControl(r) {
					t.Errorf("%q holds %U", line, r)
				}
			}
		}
		letters := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got := letters(strings.Join(wrap(clean, n), "")); got != letters(clean) {
			t.Errorf("text was lost: %q became %q", clean, got)
		}
	})
}

func abs(n int) int { return max(n, -(n + 1)) }
