package listen

import (
	"bytes"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/kindlytest/kindlytest/internal/recording"
)

// maxHead bounds the head of a request, in bytes.
const maxHead = 256 << 10

// Listen makes l's connections keep in mind how the headers of a request are
// spelled, and in which order they stand: net/http forgets both.
func Listen(l net.Listener) net.Listener { return spellingListener{l} }

type spellingListener struct{ net.Listener }

func (l spellingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &spelling{Conn: c}, nil
}

type spellingKey struct{}

// A spelling connection keeps the head of the request that is being served. It
// stops at the head's end, and begins again when it is told that the body was
// read: what comes then is of the next request.
type spelling struct {
	net.Conn
	mu   sync.Mutex
	head []byte
	full bool // the head is whole, or too long
}

var headEnd = []byte("\r\n\r\n")

func (s *spelling) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	if n == 0 || s.full {
		return n, err
	}
	from := max(0, len(s.head)-len(headEnd))
	s.head = append(s.head, p[:n]...)
	if end := bytes.Index(s.head[from:], headEnd); end >= 0 {
		s.head, s.full = s.head[:from+end], true
	} else if len(s.head) > maxHead {
		s.head, s.full = nil, true
	}
	return n, err
}

// take returns the head, and forgets it.
func (s *spelling) take() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	head := s.head
	s.head = nil
	return head
}

// rearm says that the body of a request was read.
func rearm(r *http.Request) {
	if s, ok := r.Context().Value(spellingKey{}).(*spelling); ok && r.ProtoMajor == 1 {
		s.mu.Lock()
		s.head, s.full = nil, false
		s.mu.Unlock()
	}
}

// linesOf are a request's headers as they came. Where that is not known, or
// they are not those that net/http has read, names are spelled as usual, and
// sorted.
func linesOf(r *http.Request) []recording.Header {
	if r.ProtoMajor == 1 {
		if s, ok := r.Context().Value(spellingKey{}).(*spelling); ok {
			if lines := parseHead(s.take(), r); lines != nil {
				return lines
			}
		}
	}
	lines := sorted(r.Header)
	if r.ProtoMajor > 1 { // they are in small letters there (RFC 9113, 8.2)
		for i := range lines {
			lines[i].Name = strings.ToLower(lines[i].Name)
		}
	}
	return append([]recording.Header{{Name: "Host", Value: r.Host}}, lines...)
}

// parseHead reads the lines of a head, if it is r's.
func parseHead(head []byte, r *http.Request) []recording.Header {
	first, rest, _ := bytes.Cut(head, []byte("\r\n"))
	if string(first) != r.Method+" "+r.RequestURI+" "+r.Proto {
		return nil
	}
	var lines []recording.Header
	seen := http.Header{}
	for line := range bytes.SplitSeq(rest, []byte("\r\n")) {
		name, value, ok := strings.Cut(string(line), ":")
		if !ok {
			return nil
		}
		value = strings.Trim(value, " \t")
		lines = append(lines, recording.Header{Name: name, Value: value})
		seen.Add(name, value)
	}
	// What net/http takes out of the header, or has joined, may differ.
	for _, name := range []string{"Host", "Transfer-Encoding", "Content-Length", "Trailer"} {
		seen.Del(name)
	}
	own := r.Header.Clone()
	for _, name := range []string{"Transfer-Encoding", "Content-Length", "Trailer"} {
		own.Del(name)
	}
	if !maps.EqualFunc(seen, own, slices.Equal[[]string]) {
		return nil
	}
	return lines
}

// hopByHop are the headers of one connection (RFC 9110, 7.6.1), those that
// net/http writes itself, and Host.
var hopByHop = []string{
	"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
	"content-length", "host",
}

// passedOn are the headers for the app.
func passedOn(lines []recording.Header) http.Header {
	drop := slices.Clone(hopByHop)
	for _, h := range lines {
		if strings.EqualFold(h.Name, "Connection") {
			for name := range strings.SplitSeq(h.Value, ",") {
				drop = append(drop, strings.ToLower(strings.TrimSpace(name)))
			}
		}
	}
	out := http.Header{"User-Agent": {""}} // the transport would add its own
	for _, h := range lines {
		switch lower := strings.ToLower(h.Name); {
		case lower == "user-agent": // the transport knows it in one spelling
			out["User-Agent"] = []string{h.Value}
		case !slices.Contains(drop, lower):
			out[h.Name] = append(out[h.Name], h.Value)
		}
	}
	return out
}
