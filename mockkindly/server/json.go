package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly"
)

// marshal is the only way in which the package writes JSON: whatever a page or a
// webhook put into it, no token leaves with its signature.
func marshal(v any) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // never embedded in HTML; what was escaped stays readable
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return redact.Signatures(text.Bytes()), nil
}

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
