package mockkindly

import (
	"fmt"
	"slices"

	"github.com/kindlytest/kindlytest/internal/clip"
)

// An InputError says which part of an input is not usable, and why. Field is
// its name in the JSON API, empty where it is not about one field.
type InputError struct {
	Field, Problem string
}

func (e *InputError) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}

func inputErrorf(field, format string, args ...any) *InputError {
	return &InputError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// oneOf checks a value that must be one of a few.
func oneOf[S ~string](field string, value S, allowed ...S) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return inputErrorf(field, "%q is none of %q", clip.Text(string(value), 64), allowed)
}
