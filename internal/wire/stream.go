package wire

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"time"
)

// streamQuiet is how long nothing may follow an event until the stream is taken for
// read: it stays open for as long as the client likes.
const streamQuiet = 300 * time.Millisecond

// readBody reads an answer to its end; of a stream of events, which has none, what
// comes until it pauses after an event with data.
func readBody(res *http.Response, limit int64) ([]byte, error) {
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind != "text/event-stream" {
		return io.ReadAll(io.LimitReader(res.Body, limit))
	}
	var quiet *time.Timer
	var body []byte
	for buf := make([]byte, 4<<10); int64(len(body)) < limit; {
		n, err := res.Body.Read(buf[:min(int64(len(buf)), limit-int64(len(body)))])
		fresh := bytes.Contains(append([]byte("\n"), buf[:n]...), []byte("\ndata:"))
		body = append(body, buf[:n]...)
		switch {
		case err == io.EOF, err != nil && quiet != nil && hasEvent(body):
			return body, nil
		case err != nil:
			return nil, err
		case fresh && quiet != nil:
			quiet.Reset(streamQuiet)
		case quiet == nil && hasEvent(body):
			quiet = time.AfterFunc(streamQuiet, func() { res.Body.Close() })
			defer quiet.Stop()
		}
	}
	return body, nil
}

// hasEvent says whether a stream holds a whole event with data.
func hasEvent(stream []byte) bool {
	text := append([]byte("\n"), bytes.ReplaceAll(stream, []byte("\r"), nil)...)
	_, after, found := bytes.Cut(text, []byte("\ndata:"))
	return found && bytes.Contains(after, []byte("\n\n"))
}
