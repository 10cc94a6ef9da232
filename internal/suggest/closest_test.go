package suggest_test

import (
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/suggest"
)

func TestWord(t *testing.T) {
	candidates := []string{"run", "verify", "version", "report", "public_key", "expected_failures"}
	for _, row := range []struct{ name, word, want string }{
		{"a letter is missing", "verfy", "verify"},
		{"two letters are swapped", "reprot", "report"},
		{"letter case is no difference", "RUN", "run"},
		{"a hyphen stands for an underscore", "public-key", "public_key"},
		{"half a word", "expected", "expected_failures"},
		{"another word", "telephone", ""},
		{"nothing", "", ""},
		{"one letter", "v", ""},
		{"a word that nobody mistyped", strings.Repeat("v", 1<<20), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := suggest.Word(row.word, candidates); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
