package wire_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A stream of events has no end: it is read until it pauses after an event.
func TestAStreamOfEventsIsRead(t *testing.T) {
	tell := func(pieces ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
			for _, p := range pieces {
				fmt.Fprint(w, p)
				w.(http.Flusher).Flush()
			}
			for r.Context().Err() == nil { // it keeps the connection alive
				fmt.Fprint(w, ": ping\n\n")
				w.(http.Flusher).Flush()
				time.Sleep(50 * time.Millisecond)
			}
		}
	}
	for name, row := range map[string]struct {
		handler http.HandlerFunc
		want    string // begins with
		fails   bool
	}{
		"an event":             {tell(": hello\n\n", "event: token\ndata: a.b.c\n\n"), ": hello\n\nevent: token\ndata: a.b.c\n\n", false},
		"in pieces":            {tell("da", "ta: a", ".b\n", "\n"), "data: a.b\n\n", false},
		"several":              {tell("data: 1\n\n", "data: 2\n\n"), "data: 1\n\ndata: 2\n\n", false},
		"line ends of Windows": {tell("data: 1\r\n\r\n"), "data: 1\r\n\r\n", false},
		"none":                 {tell(": hello\n\n"), "", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(row.handler)
			defer s.Close()
			c := wire.NewClient(wire.Options{Timeout: time.Second})
			defer c.Close()
			got := c.Do(t.Context(), wire.Request{Method: "GET", URL: s.URL})
			if (got.Err != nil) != row.fails {
				t.Fatalf("got %v", got.Err)
			}
			if body := string(got.Body()); !row.fails && (len(body) < len(row.want) || body[:len(row.want)] != row.want) {
				t.Errorf("got %q", body)
			}
		})
	}
}
