package listen

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kindlytest/kindlytest/internal/recording"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// A transit is one request on its way through.
type transit struct {
	proxy   *Proxy
	at      time.Time // by the clock of the options
	start   time.Time
	took    time.Duration
	request *http.Request
	lines   []recording.Header // of the request, spelled as they came
	body    *copied

	response *http.Response // nil until there is one
	answer   *copied
	err      error // there is no answer, or only a part of it
	givenUp  bool

	signature    mockkindly.Signature
	acknowledged bool
	recorded     int // the line of the recording; 0 if there is none
	recordErr    error
}

var (
	// ErrBroken is the error of an answer that broke off: Kindly got what came of it.
	ErrBroken  = errors.New("the app's answer broke off")
	errGivenUp = errors.New("hung up by Kindly before the answer was whole")
)

// acknowledge records the delivery. It is called before Kindly gets the last
// byte of the answer: what Kindly takes for delivered is in the recording.
func (t *transit) acknowledge() {
	if t.acknowledged {
		return
	}
	t.acknowledged = true
	t.took = time.Since(t.start)
	body, size, whole := t.body.seen()
	if !whole { // nothing can be said of what was not read
		body, size = nil, max(size, int(t.request.ContentLength), 1)
	}
	t.signature = signatureOf(t.proxy.opts.Secret, t.publicURL(), t.lines, body, size)
	if t.proxy.opts.Recorder != nil {
		t.recorded, t.recordErr = t.proxy.opts.Recorder.Write(t.record(size), body)
	}
}

// finish records what was not acknowledged.
func (t *transit) finish(ctx context.Context, broken bool) {
	t.givenUp = !t.acknowledged && ctx.Err() != nil
	switch {
	case t.givenUp:
		t.err = errGivenUp
	case broken && t.err == nil:
		t.err = ErrBroken
	}
	t.acknowledge()
}

// record is what the recording keeps of a request with a body of that size.
func (t *transit) record(size int) recording.Delivery {
	r := t.request
	d := recording.Delivery{
		At: t.at, TookMS: float64(t.took.Microseconds()) / 1000, GivenUp: t.givenUp,
		Request: recording.Request{
			Protocol: r.Proto, Method: r.Method, Host: r.Host, Path: r.RequestURI, Headers: t.lines, Size: size,
			Signature: t.signature.Verdict, Token: t.token(),
		},
	}
	if t.err != nil {
		d.Error = describe(t.err)
	} else if t.response != nil {
		_, answered, _ := t.answer.seen()
		d.Answer = &recording.Answer{Status: t.response.StatusCode, Headers: sorted(t.response.Header), Size: max(answered, int(t.response.ContentLength))}
	}
	return d
}

// describe is why there was no answer, without an address.
func describe(err error) string {
	switch kind := (wire.Exchange{Err: err}).Kind(); {
	case errors.Is(err, ErrBroken), errors.Is(err, errGivenUp):
		return err.Error()
	case kind == "":
		return "failed"
	default:
		return string(kind)
	}
}

// token is what can be said of the request's token: by all rules for which
// Kindly refuses one.
func (t *transit) token() string {
	for _, h := range t.lines {
		if !strings.EqualFold(h.Name, "Authorization") {
			continue
		}
		_, raw, _ := strings.Cut(h.Value, " ")
		if len(t.proxy.opts.Keys) == 0 {
			return "unjudged"
		}
		if token.Check(token.Raw(strings.TrimSpace(raw)), token.Expect{Keys: t.proxy.opts.Keys, Now: t.at}).Accepted() {
			return "accepted"
		}
		return "refused"
	}
	return "none"
}

// publicURL is where Kindly has sent it, as far as a tunnel tells.
func (t *transit) publicURL() string {
	host, scheme := t.request.Host, "https"
	for _, h := range t.lines {
		switch strings.ToLower(h.Name) {
		case "x-forwarded-host":
			host = cmp.Or(h.Value, host)
		case "x-forwarded-proto":
			if h.Value == "http" {
				scheme = "http"
			}
		}
	}
	return scheme + "://" + host + t.request.URL.RequestURI()
}

func (t *transit) overheard() mockkindly.Overheard {
	return mockkindly.Overheard{
		Bot: t.proxy.opts.Bot, Webhook: t.proxy.opts.Webhook, Exchange: t.exchange(),
		Heard: mockkindly.Heard{Protocol: t.request.Proto, Signature: t.signature, GivenUp: t.givenUp},
	}
}

// sorted lists a header whose order is not known.
func sorted(h http.Header) []recording.Header {
	var out []recording.Header
	for name, values := range h {
		for _, v := range values {
			out = append(out, recording.Header{Name: name, Value: v})
		}
	}
	slices.SortStableFunc(out, func(a, b recording.Header) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// decoded is a body as its receiver reads it, and whether it goes on. What is
// encoded otherwise, or wrongly, stays as it is.
func decoded(encoding string, body []byte) (out []byte, cut bool) {
	if !strings.EqualFold(encoding, "gzip") {
		return body, false
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body, false
	}
	text, err := io.ReadAll(io.LimitReader(r, keep+1))
	if err != nil {
		return body, false
	}
	return text[:min(len(text), keep)], len(text) > keep
}

// A copied body is read by somebody else, and its beginning kept.
type copied struct {
	io.ReadCloser
	left  int64  // until its end; -1 if nobody knows
	last  func() // is called before its last byte is handed on
	ended func() // is called at its end

	reading sync.Mutex // what is read stands in kept in its order
	mu      sync.Mutex // a request's body is read while the answer comes
	kept    []byte
	size    int
	done    bool
}

// seen is what was read up to now: its beginning, how much it was, and whether
// that is all.
func (c *copied) seen() (kept []byte, size int, whole bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept, c.size, c.done || c.left >= 0 && int64(c.size) >= c.left
}

func (c *copied) Read(p []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	n, err := c.ReadCloser.Read(p)
	c.mu.Lock()
	c.size += n
	c.kept = append(c.kept, p[:min(n, keep-len(c.kept))]...)
	whole := err == io.EOF || c.left > 0 && int64(c.size) >= c.left
	first := err == io.EOF && !c.done
	c.done = c.done || first
	c.mu.Unlock()
	if whole && c.last != nil {
		c.last()
	}
	if first && c.ended != nil {
		c.ended()
	}
	return n, err
}
