package service

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// What answers slowly, as all does on a busy machine, is not called as often one by one as
// it was when it turned somebody away: a limit on how often is looked for by as many at a
// time as that takes, and is not taken for a death.
func TestALimitIsFoundThatOneAtATimeDoNotMeet(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		limit rate.Limit // of requests a second
		want  bool
	}{
		"it limits":  {40, true},
		"it was ill": {rate.Inf, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			allowed := rate.NewLimiter(row.limit, 5)
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if !allowed.Allow() {
					http.Error(w, "We are busy.", http.StatusServiceUnavailable)
					return
				}
				time.Sleep(40 * time.Millisecond)
			}))
			t.Cleanup(s.Close)
			client := wire.NewClient(wire.Options{Timeout: 5 * time.Second})
			defer client.Close()
			traffic := NewTraffic(t.Context(), Options{Client: client, Unbounded: client, Patience: PatienceFor(5 * time.Second),
				Now: time.Now, Seen: func(wire.Exchange) {}, Problem: func(string, string) {}})
			defer traffic.Close()
			plain := func() (wire.Request, error) { return wire.Request{Method: "GET", URL: s.URL + "/"}, nil }
			r, _ := plain()
			traffic.Watch(traffic.Do(t.Context(), "plain", r), plain)
			v := traffic.to(r)
			for range 50 { // what was answered before
				v.limit.serve(place(r))
			}
			busy := Evidence{Exchange: wire.Exchange{Request: r, Response: &wire.Response{Status: http.StatusServiceUnavailable,
				Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte("We are busy.\n")}}}
			v.lock()
			defer v.unlock()
			if got := v.sheds(t.Context(), client, busy); got != row.want {
				t.Errorf("it is said to turn requests away for a limit: %v", got)
			}
		})
	}
}
