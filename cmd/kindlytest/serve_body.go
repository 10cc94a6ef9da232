package main

import (
	"io"
	"net/http"
	"time"
)

// Requests are small, and come from this machine mostly.
const (
	bodyTime  = 10 * time.Second // that the body of one may take
	maxBodies = 256              // that are on their way at a time
)

// inTime keeps slow bodies from taking all connections: each has so much time, and
// so many may be on their way. One more is answered 503, and its connection closed.
func inTime(next http.Handler, each time.Duration, atOnce int) http.Handler {
	slots := make(chan struct{}, atOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		control := http.NewResponseController(w)
		select {
		case slots <- struct{}{}:
		default:
			_ = control.SetReadDeadline(time.Now()) // the server would read the rest
			w.Header().Set("Connection", "close")
			http.Error(w, "too many requests are still on their way", http.StatusServiceUnavailable)
			return
		}
		_ = control.SetReadDeadline(time.Now().Add(each)) // a test's recorder has none
		body := &timedBody{ReadCloser: r.Body, done: func() { <-slots }, rest: func() { _ = control.SetReadDeadline(time.Time{}) }}
		defer body.end(false)
		r.Body = body
		next.ServeHTTP(w, r)
	})
}

// A timedBody gives its slot back when it has been read, or will not be.
type timedBody struct {
	io.ReadCloser
	done, rest func()
	ended      bool
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end(err == io.EOF)
	}
	return n, err
}

// end is called by the handler's goroutine only. The time counts until the whole
// body is there; an answer may take longer.
func (b *timedBody) end(whole bool) {
	if b.ended {
		return
	}
	b.ended = true
	if whole {
		b.rest()
	}
	b.done()
}
