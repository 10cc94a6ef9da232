package main

import (
	"fmt"
	"os"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/recording"
)

// recordedBody is the body of the delivery with that number in a recording,
// which is that of its line, from 1.
func (a *app) recordedBody(path string, number int) ([]byte, error) {
	if number < 1 {
		return nil, hint.Errorf("they are counted from 1", "--delivery must be at least 1, and is %d", number)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--recording: %w", err)
	}
	defer file.Close() // it was only read
	n := 0
	for d, err := range recording.Read(file) {
		if n++; n != number {
			continue
		}
		if err != nil {
			return nil, hint.Errorf("take another one", "--recording: %s: %w", path, err)
		}
		if d.Request.Body == nil {
			return nil, hint.Errorf("take another one", "the body of delivery %d is not in the recording: it was too long, or no JSON object", n)
		}
		if !d.Kept {
			fmt.Fprintln(a.stderr, "note: personal values of this delivery are stand-ins, which your webhook does not know; listen --keep-values records the real ones")
		}
		return d.Request.Body, nil
	}
	return nil, hint.Errorf("--delivery names one of them", "--recording: %s has %s, and no number %d", path, deliveries(n), number)
}
