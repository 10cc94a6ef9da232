package service

import (
	"net/http"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// Two may ask the same plain question, and one of them is told what has become of the
// other's: it killed the service, and got no answer.
func TestWhatIsNotSentAgainFaresAsWhatWasSent(t *testing.T) {
	t.Parallel()
	p := &mortal{t: t, address: "127.0.0.1:0", cutsOff: true, dies: []time.Duration{0}}
	p.start()
	client := wire.NewClient(wire.Options{Timeout: 5 * time.Second})
	traffic := NewTraffic(t.Context(), Options{Client: client, Unbounded: client, Patience: PatienceFor(5 * time.Second), Now: time.Now,
		Kind: func(r wire.Request) string { return r.URL }, Seen: func(wire.Exchange) {}, Problem: func(text, _ string) { t.Error(text) }})
	defer traffic.Close()
	plain := p.request("/")
	traffic.Watch(traffic.Do(t.Context(), "plain", plain), func() (wire.Request, error) { return plain, nil })
	for _, who := range []string{"the first", "the second"} {
		ev := traffic.Do(t.Context(), "without a token", p.request("/deadly"))
		if ev.Killed == nil || ev.Exchange.Kind() != wire.KindReset || ev.Exchange.Request.Method != http.MethodGet {
			t.Errorf("%s gets %v (%s)", who, ev.Exchange.Err, ev.Exchange.Kind())
		}
	}
	if n := p.asked["/deadly"]; n > 1+allTries {
		t.Errorf("it was sent %d times", n)
	}
}
