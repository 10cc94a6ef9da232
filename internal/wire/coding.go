package wire

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
)

// maxCodings bounds the codings on top of each other.
const maxCodings = 3

// decode undoes an answer's Content-Encoding: a server may choose one where the
// request names none (RFC 9110, 12.5.3). What can't be undone is left as it came.
func (r *Response) decode(maxBody int64) {
	codings := codingsOf(r.Header)
	if len(codings) == 0 || len(codings) > maxCodings {
		return
	}
	body, cut := r.Body, r.Truncated
	for _, coding := range slices.Backward(codings) { // the last was applied last
		// One after another: decoders on top of each other would unpack without end what
		// comes to nothing.
		from, err := decoder(coding, bytes.NewReader(body))
		if err != nil || from == nil {
			return
		}
		plain, err := io.ReadAll(io.LimitReader(from, maxBody+1))
		if err != nil && !cut { // of a body that was cut off, the beginning is known
			return
		}
		if body = plain; int64(len(body)) > maxBody {
			body, cut = body[:maxBody], true
		}
	}
	r.Body, r.Truncated, r.Coding = body, cut, strings.Join(codings, ", ")
}

func codingsOf(h http.Header) []string {
	var out []string
	for c := range strings.SplitSeq(strings.Join(h.Values("Content-Encoding"), ","), ",") {
		if c = strings.ToLower(strings.TrimSpace(c)); c != "" && c != "identity" {
			out = append(out, c)
		}
	}
	return out
}

// decoder is nil for a coding that is not known here.
func decoder(coding string, r io.Reader) (io.Reader, error) {
	switch coding {
	case "gzip", "x-gzip":
		return gzip.NewReader(r)
	case "deflate":
		return zlib.NewReader(r)
	case "br":
		return brotli.NewReader(r), nil
	}
	return nil, nil
}
