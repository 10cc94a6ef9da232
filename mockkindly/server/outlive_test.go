package server

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
)

// Pages reload, and tabs are closed, while a webhook works.
func TestWebhooksAreAnsweredWhenTheCallerIsGone(t *testing.T) {
	release, began := make(chan struct{}), make(chan struct{}, 2*maxLeft)
	hook := newHook(t, func(_ http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	k := newMock(t, mockkindly.Options{Parallel: 2 * maxLeft}, mockkindly.Webhook{Name: "hook", URL: hook.URL})
	chat := newChat(t, k)
	var gone []context.CancelFunc
	post := func(path, body string) {
		ctx, cancel := context.WithCancel(t.Context())
		gone = append(gone, cancel)
		r := httptest.NewRequest("POST", path, strings.NewReader(body)).WithContext(ctx)
		r.Header.Set("Content-Type", "application/json")
		go k.ServeHTTP(httptest.NewRecorder(), r)
		<-began
	}
	next := func(kind mockkindly.Kind, after uint64) mockkindly.Event {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		e, err := k.Journal().WaitAfter(ctx, after, mockkindly.Query{After: after, Kinds: []mockkindly.Kind{kind}}.Matches)
		if err != nil {
			t.Fatal(kind, err)
		}
		return e
	}
	post("/mock/v1/chats/"+chat.ID+"/messages", `{"text":"hello"}`)
	gone[0]()
	release <- struct{}{}
	first := next(mockkindly.WebhookDelivered, 0)
	post(fmt.Sprintf("/mock/v1/deliveries/%d/resend", first.Seq), "{}")
	gone[1]()
	release <- struct{}{}
	last := next(mockkindly.WebhookDelivered, first.Seq)

	gone = nil
	for range maxLeft + 1 {
		post("/mock/v1/chats/"+chat.ID+"/messages", `{"text":"hello"}`)
	}
	for _, leave := range gone {
		leave()
	}
	next(mockkindly.WebhookFailed, last.Seq)
	close(release)
	for range maxLeft {
		last = next(mockkindly.WebhookDelivered, last.Seq)
	}
}
