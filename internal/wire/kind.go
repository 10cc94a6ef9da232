package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/net/http2"
)

// A Kind says why there was no response, in the words of a report.
type Kind string

const (
	KindNone        Kind = ""            // there was a response
	KindTimeout     Kind = "timed out"   // the other side was too slow
	KindCanceled    Kind = "canceled"    // we gave up: Ctrl-C, or the run's end
	KindUnreachable Kind = "unreachable" // name unknown, connection refused, no way through the proxy
	KindReset       Kind = "reset"       // the connection broke before an answer
	KindOther       Kind = "failed"      // TLS, a malformed answer, and the like
)

// ErrNotSent marks an exchange whose request was held back by Options.Wait until
// it was too late. It says nothing about the other side.
var ErrNotSent = errors.New("not sent")

type notSentError struct{ error }

func (e *notSentError) Error() string        { return "waiting for the rate limit: " + e.error.Error() }
func (e *notSentError) Unwrap() error        { return e.error }
func (e *notSentError) Is(target error) bool { return target == ErrNotSent }

// Kind classifies e.Err.
func (e Exchange) Kind() Kind {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case e.Err == nil:
		return KindNone
	case errors.Is(e.Err, context.Canceled), errors.Is(e.Err, ErrNotSent):
		return KindCanceled
	case isTimeout(e.Err):
		return KindTimeout
	case errors.As(e.Err, &dns), errors.Is(e.Err, syscall.ECONNREFUSED), errors.Is(e.Err, ErrProxy):
		return KindUnreachable
	case errors.As(e.Err, &op) && op.Op == "dial":
		return KindUnreachable
	case isReset(e.Err):
		return KindReset
	}
	return KindOther
}

// Where servers begin to refuse a request for its length: the longest line of a header that
// nginx and Apache take as they come, in bytes, and most of what a body may have anywhere.
const (
	LongHeader = 8000
	longBody   = 64 << 10
)

// ClosedForLength says whether the connection broke on a request so long that a server
// may refuse it by closing (RFC 9110 §15.5.14, RFC 6585 §5). Whether it is still there,
// the caller must see.
func (e Exchange) ClosedForLength() bool { return e.Request.long() && e.Kind() == KindReset }

func (r Request) long() bool {
	for _, values := range r.Header {
		for _, value := range values {
			if len(value) > LongHeader {
				return true
			}
		}
	}
	return len(r.Body) > longBody
}

// IsUnknownName says whether a request failed because no resolver told the host's address.
func IsUnknownName(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns)
}

func isReset(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && broke(op) {
		return true
	}
	var stream http2.StreamError
	if errors.As(err, &stream) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	// net/http exports no error for a server that hangs up before it has read
	// the request, or for one that ends all of HTTP/2.
	return strings.Contains(err.Error(), "http2: client connection lost") ||
		strings.Contains(err.Error(), "http: server closed idle connection") ||
		strings.Contains(err.Error(), "server sent GOAWAY and closed the connection")
}

// broke says whether op is of a connection that was there: ECONNRESET, EPIPE, and what they
// are called elsewhere. Long bodies are sent by ReadFrom.
func broke(op *net.OpError) bool {
	return slices.Contains([]string{"read", "write", "readfrom"}, op.Op)
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
}

// controlOf adapts a check of the dialled address to net.Dialer.
func controlOf(check func(network, address string) error) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, network, address string, _ syscall.RawConn) error {
		return check(network, address)
	}
}
