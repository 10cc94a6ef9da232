package wire_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/kindlytest/kindlytest/internal/wire"
)

func TestCodedAnswersAreRead(t *testing.T) {
	pack := func(text []byte, w func(io.Writer) io.WriteCloser) []byte {
		var b bytes.Buffer
		z := w(&b)
		z.Write(text)
		z.Close()
		return b.Bytes()
	}
	zip := func(text []byte) []byte {
		return pack(text, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	}
	br := func(text []byte) []byte {
		return pack(text, func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) })
	}
	text := []byte(`{"token":"a.b.c"}`)
	bomb := bytes.Repeat([]byte{' '}, 1<<16)
	const header = 10                                                                         // of gzip
	nothing := append(zip(nil)[:header], bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, 1<<16)...) // blocks without content
	for name, row := range map[string]struct {
		header       string
		body         []byte
		want, coding string
		truncated    bool
	}{
		"gzip":                    {"gzip", zip(text), string(text), "gzip", false},
		"deflate":                 {"Deflate", pack(text, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }), string(text), "deflate", false},
		"brotli":                  {"br", br(text), string(text), "br", false},
		"one on top of another":   {"br, gzip", zip(br(text)), string(text), "br, gzip", false},
		"none":                    {"", text, string(text), "", false},
		"identity":                {"identity", text, string(text), "", false},
		"one that nobody knows":   {"snow", text, string(text), "", false},
		"a header that is untrue": {"gzip", text, string(text), "", false},
		"a bomb of nothing":       {"gzip, gzip, gzip", zip(zip(nothing)), "", "gzip, gzip, gzip", true},
		"a bomb":                  {"gzip", zip(bomb), string(bomb[:1<<10]), "gzip", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if row.header != "" {
					w.Header().Set("Content-Encoding", row.header)
				}
				w.Write(row.body)
			}))
			defer s.Close()
			c := wire.NewClient(wire.Options{MaxBody: 1 << 10})
			defer c.Close()
			got := c.Do(t.Context(), wire.Request{Method: "GET", URL: s.URL})
			if got.Err != nil || string(got.Response.Body) != row.want || got.Response.Coding != row.coding || got.Response.Truncated != row.truncated {
				t.Errorf("got %q (%q, truncated %t), %v", got.Body(), got.Response.Coding, got.Response.Truncated, got.Err)
			}
		})
	}
}

func TestAsksForCertificate(t *testing.T) {
	for text, want := range map[string]bool{"400 No required SSL certificate was sent": true, "<h1>Client certificate required</h1>": true,
		"This site requires a client certificate.": true, "Bad certificate of attendance": false} {
		if got := wire.AsksForCertificate(400, text); got != want {
			t.Errorf("%q: %t", text, got)
		}
		if wire.AsksForCertificate(200, text) {
			t.Errorf("%q: what is answered is not refused", text)
		}
	}
}
