package wire_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// Who ends a service must not be sent to it twice, nor be told that nobody was there: also
// where it came on a connection that had been used before.
func TestWhatIsCutOffIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPost} {
		var asked atomic.Int32
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/deadly" {
				asked.Add(1)
				panic(http.ErrAbortHandler)
			}
		}))
		defer server.Close()
		client := wire.NewClient(wire.Options{Timeout: 5 * time.Second})
		for _, row := range []struct {
			path string
			want wire.Kind
		}{{"/", wire.KindNone}, {"/deadly", wire.KindReset}} {
			if ex := client.Do(t.Context(), wire.Request{Method: method, URL: server.URL + row.path}); ex.Kind() != row.want {
				t.Errorf("%s %s: %v (%s), want %s", method, row.path, ex.Err, ex.Kind(), row.want)
			}
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("%s was sent %d times", method, n)
		}
	}
}
