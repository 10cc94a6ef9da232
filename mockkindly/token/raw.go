package token

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// Raw is a JWT as it was received. It is a credential: printed, logged or
// marshalled in any way, it shows its header and payload but not its
// signature. Secret gives the whole. (Do not make it the key of a map:
// encoding/json writes those as they are.)
type Raw string

// maxPrinted bounds what a hostile token can write into a log.
const maxPrinted = 8 << 10

// Secret returns the whole token, signature included. Never print it.
func (r Raw) Secret() string { return string(r) }

// String returns header.payload.<signature removed>. What has no two dots has
// no signature that could be told from the rest, and is not shown at all.
func (r Raw) String() string {
	header, rest, ok1 := strings.Cut(string(r), ".")
	payload, _, ok2 := strings.Cut(rest, ".")
	switch {
	case r == "":
		return "<no token>"
	case !ok1 || !ok2:
		return fmt.Sprintf("<%d bytes that are no JWT>", len(r))
	case len(header)+len(payload) > maxPrinted:
		return fmt.Sprintf("<a token of %d bytes>", len(r))
	}
	return header + "." + payload + ".<signature removed>"
}

// GoString keeps the signature out of %#v.
func (r Raw) GoString() string { return "token.Raw(" + strconv.Quote(r.String()) + ")" }

// Format keeps the signature out of every fmt verb, %x and %d included.
func (r Raw) Format(f fmt.State, verb rune) {
	text := r.String()
	switch {
	case verb == 'v' && f.Flag('#'):
		text = r.GoString()
	case verb == 'q':
		text = strconv.Quote(text)
	}
	_, _ = f.Write([]byte(text)) // fmt.State reports no errors
}

// MarshalText keeps the signature out of JSON and other encodings.
func (r Raw) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// LogValue keeps the signature out of log/slog.
func (r Raw) LogValue() slog.Value { return slog.StringValue(r.String()) }
