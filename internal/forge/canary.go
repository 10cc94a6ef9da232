package forge

import (
	"encoding/hex"
	"fmt"
	"io"
)

// Canaries returns a maker of unique markers. They are letters and digits, so
// that no template, escaping or search can change them; an e-mail is one with
// a domain that nobody owns. A source that runs dry is replaced by a counter:
// markers must be unlike each other, not secret.
func Canaries(random io.Reader) func(kind string) string {
	n := 0
	return func(kind string) string {
		var b [6]byte
		if random == nil {
			random = eof{}
		}
		if _, err := io.ReadFull(random, b[:]); err != nil {
			n++
			copy(b[:], fmt.Sprintf("%06d", n%1_000_000))
		}
		marker := "kt" + kind + hex.EncodeToString(b[:])
		if kind == "email" {
			return marker + "@example.com"
		}
		return marker
	}
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
