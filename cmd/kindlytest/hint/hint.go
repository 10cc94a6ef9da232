// Package hint makes errors that know the way out.
//
//	return hint.Errorf("run it with --force to replace it", "%s is there already", path)
//
// The command line prints the hint on a line of its own, below the error.
package hint

import (
	"errors"
	"fmt"
)

type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

// Errorf makes an error as [fmt.Errorf] does, with a way out.
func Errorf(hint, format string, args ...any) error {
	return &hinted{fmt.Errorf(format, args...), hint}
}

// Of returns the way out of an error; "" if it names none.
func Of(err error) string {
	var h *hinted
	if errors.As(err, &h) {
		return h.hint
	}
	return ""
}
