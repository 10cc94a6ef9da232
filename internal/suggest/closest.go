// Package suggest finds what somebody probably meant to type.
//
//	suggest.Word("verfy", []string{"verify", "version"}) // "verify"
package suggest

import (
	"slices"
	"strings"
)

// maxWord bounds what is compared, in bytes: nobody mistypes something longer.
const maxWord = 100

// Word returns the candidate that word is a slip of, or "". Letter case, and
// the choice between _ and -, count for nothing; about one letter in three may
// be wrong.
func Word(word string, candidates []string) string {
	if len(word) > maxWord {
		return ""
	}
	word = fold(word)
	best, bestDistance := "", len(word)/3+1
	if len(word) < 3 {
		bestDistance = 1
	}
	for _, c := range candidates {
		if d := distance(word, fold(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	if best != "" || len(word) < 3 {
		return best
	}
	// Half a word is no slip, but it is clear: "expected" for "expected_failures".
	i := slices.IndexFunc(candidates, func(c string) bool { return strings.HasPrefix(fold(c), word) })
	if i < 0 {
		return ""
	}
	return candidates[i]
}

func fold(s string) string { return strings.ReplaceAll(strings.ToLower(s), "_", "-") }

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to make b of a.
func distance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
