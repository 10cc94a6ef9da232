package server

import (
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/mockkindly"
)

// marshal is the only way in which the package writes JSON.
func marshal(v any) ([]byte, error) { return mockkindly.Marshal(v) }

func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller may be gone
	return nil
}

func inputErrorf(field, format string, args ...any) error {
	return &mockkindly.InputError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// clip bounds a foreign string that an error quotes.
func clip(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}
