package server

import (
	"fmt"
	"net/http"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly"
)

func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := redact.JSON(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the caller may be gone
	return nil
}

func inputErrorf(field, format string, args ...any) error {
	return &mockkindly.InputError{Field: field, Problem: fmt.Sprintf(format, args...)}
}
