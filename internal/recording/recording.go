// Package recording is the file in which kindlytest listen keeps what the real
// Kindly has sent: one JSON line a delivery, without signatures, tokens and
// cookies, and with stand-ins for personal values unless they are to be kept.
//
//	rec, err := recording.Create("kindly.jsonl", recording.Options{})
//	line, err := rec.Write(delivery, body) // it is in the file when Write returns
//	err = rec.Close()
//	for d, err := range recording.Read(file) { … }
package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
)

// Version is that of the lines which this package writes and reads.
const Version = 1

// Bounds, in bytes.
const (
	MaxLine = 256 << 10 // of a line
	MaxBody = 64 << 10  // of a body that is kept; of a longer one there is only the size
)

// A Delivery is one request of Kindly's and what became of it.
type Delivery struct {
	Version int       `json:"v"`
	Run     string    `json:"run"` // of one listen, random: digests and stand-ins compare within it
	Number  int       `json:"n"`   // within the run, from 1
	At      time.Time `json:"at"`
	TookMS  float64   `json:"took_ms"` // until the answer was whole, or somebody gave up

	Request Request `json:"request"`
	Answer  *Answer `json:"answer,omitempty"` // nil if there was none
	// GivenUp says that Kindly hung up before the answer was whole.
	GivenUp bool `json:"given_up,omitempty"`
	// Error is why the app gave no answer.
	Error string `json:"error,omitempty"`
	// Kept says that personal values are as they were.
	Kept bool `json:"kept,omitempty"`
}

// A Request is what Kindly has sent.
type Request struct {
	Protocol string   `json:"protocol"` // HTTP/1.1; that of a tunnel, if there is one
	Method   string   `json:"method"`
	Host     string   `json:"host"`
	Path     string   `json:"path"`    // with its query, without values that are credentials
	Headers  []Header `json:"headers"` // spelled and ordered as they came
	Size     int      `json:"size"`    // of the body, in bytes
	// Digest is alike for bodies that are, within one run. Its key is kept nowhere.
	// It is empty where the body is not known.
	Digest string `json:"digest"`
	// Body is the body, if it is a JSON object of up to MaxBody.
	Body json.RawMessage `json:"body,omitempty"`
	// Signature is what was found about Kindly-HMAC: right, wrong, missing,
	// unjudged, or the ID of a known mistake.
	Signature string `json:"signature"`
	// Token is what was found about the token: none, accepted, refused, unjudged.
	Token string `json:"token"`
}

// An Answer is what the app has answered. Its body is not kept.
type Answer struct {
	Status  int      `json:"status"`
	Headers []Header `json:"headers"`
	Size    int      `json:"size"` // of the body, in bytes
}

// A Header is one line.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ErrUnfinished marks a last line without an end: the process that wrote it was
// killed. It was never acknowledged.
var ErrUnfinished = errors.New("the last line is not whole: whoever wrote it was killed, and the delivery was not answered")

// A LineError says which line is no delivery.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// Read returns the deliveries of a recording in their order. A line that is none
// comes as a *LineError, and reading goes on; any other error ends it.
func Read(r io.Reader) iter.Seq2[Delivery, error] {
	return func(yield func(Delivery, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		for line := 1; ; line++ {
			text, ended, err := readLine(in)
			switch {
			case err != nil:
				yield(Delivery{}, fmt.Errorf("reading a recording: %w", err))
				return
			case !ended && len(text) == 0:
				return
			case len(bytes.TrimSpace(text)) == 0:
				continue
			}
			d, err := Parse(text)
			if err != nil {
				if !ended {
					err = ErrUnfinished
				}
				err = &LineError{line, err}
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// readLine reads a line up to MaxLine, and skips what is more.
func readLine(in *bufio.Reader) (text []byte, ended bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if len(text) <= MaxLine {
			text = append(text, part...)
		}
		switch {
		case err == nil:
			return text, true, nil
		case errors.Is(err, io.EOF):
			return text, false, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, false, err
		}
	}
}

// Parse reads one line.
func Parse(line []byte) (Delivery, error) {
	var d Delivery
	if len(line) > MaxLine {
		return d, fmt.Errorf("it is longer than %d bytes", MaxLine)
	}
	if err := json.Unmarshal(line, &d); err != nil {
		return Delivery{}, errors.New("it is no delivery in JSON") // the decoder's words quote the line
	}
	switch {
	case d.Version != Version:
		return Delivery{}, fmt.Errorf("it is of version %d, and this kindlytest reads %d", d.Version, Version)
	case d.Request.Method == "" || d.At.IsZero():
		return Delivery{}, errors.New("it is JSON, but no delivery that kindlytest listen wrote")
	case d.TookMS < 0 || d.Request.Size < 0:
		return Delivery{}, errors.New("it has a negative time or size")
	}
	return d, nil
}

// Header returns the first value of a header, however it is spelled.
func (r Request) Header(name string) (string, bool) { return find(r.Headers, name) }

// Header returns the first value of a header, however it is spelled.
func (a Answer) Header(name string) (string, bool) { return find(a.Headers, name) }

func find(headers []Header, name string) (string, bool) {
	for _, h := range headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value, true
		}
	}
	return "", false
}
