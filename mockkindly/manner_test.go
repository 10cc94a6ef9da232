package mockkindly

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// TestFailedDeliveriesComeAgainAsSeen counts attempts, and looks at the journal.
func TestFailedDeliveriesComeAgainAsSeen(t *testing.T) {
	twice := []time.Duration{time.Millisecond, time.Millisecond}
	for _, row := range []struct {
		name     string
		manner   *webhook.Manner
		statuses []int // that the webhook answers, the last one for ever; 0 is silence
		attempts int
		status   int // of what Say returns
	}{
		{"nothing was seen", nil, []int{503, 200}, 1, 503},
		{"never again", &webhook.Manner{}, []int{503, 200}, 1, 503},
		{"until it is taken", &webhook.Manner{RetryAfter: twice}, []int{503, 200}, 2, 200},
		{"no more than was seen", &webhook.Manner{RetryAfter: twice}, []int{503}, 3, 503},
		{"a refusal is an answer", &webhook.Manner{RetryAfter: twice}, []int{401, 200}, 1, 401},
		{"too many requests", &webhook.Manner{RetryAfter: twice}, []int{429, 200}, 2, 200},
		{"silence", &webhook.Manner{RetryAfter: twice, Timeout: 50 * time.Millisecond}, []int{0, 200}, 2, 200},
		{"a redirect is followed", &webhook.Manner{FollowRedirects: true}, []int{307, 200}, 2, 200},
		{"a redirect is not followed", &webhook.Manner{}, []int{307, 200}, 1, 307},
	} {
		t.Run(row.name, func(t *testing.T) {
			var mu sync.Mutex
			var bodies []string
			hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				mu.Lock()
				bodies = append(bodies, string(body))
				status := row.statuses[min(len(bodies), len(row.statuses))-1]
				mu.Unlock()
				if status == 0 {
					<-r.Context().Done()
					return
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
				fmt.Fprint(w, `{}`)
			}))
			defer hook.Close()
			k := newMock(t, Options{Manner: row.manner}, Webhook{Name: "a", URL: hook.URL})
			deliveries, err := k.Say(context.Background(), newChat(t, k).ID, Message{Text: "hi"})
			if err != nil || len(deliveries) != 1 || deliveries[0].Exchange.Status() != row.status {
				t.Fatalf("%v, %v", deliveries, err)
			}
			if len(bodies) != row.attempts || len(slices.Compact(bodies)) != 1 {
				t.Errorf("%d attempts, with %d bodies", len(bodies), len(slices.Compact(bodies)))
			}
			first := uint64(0)
			for _, e := range k.Journal().Events(0) {
				if e.Delivery == nil {
					continue
				}
				if first == 0 {
					first = e.Seq
				} else if e.Delivery.ResendOf != first {
					t.Errorf("event %d repeats %d, not %d", e.Seq, e.Delivery.ResendOf, first)
				}
			}
		})
	}
}

// TestClosingEndsTheWaitForARetry would last an hour otherwise.
func TestClosingEndsTheWaitForARetry(t *testing.T) {
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer hook.Close()
	k := newMock(t, Options{Manner: &webhook.Manner{RetryAfter: []time.Duration{time.Hour}}}, Webhook{Name: "a", URL: hook.URL})
	said := make(chan error, 1)
	chat := newChat(t, k)
	go func() {
		_, err := k.Say(context.Background(), chat.ID, Message{Text: "hi"})
		said <- err
	}()
	if _, err := k.Journal().Wait(context.Background(), func(e Event) bool { return e.Delivery != nil }); err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	<-said
}
