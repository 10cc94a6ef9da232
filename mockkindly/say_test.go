package mockkindly

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

func TestWhetherTheTokenGoesAlong(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC).Unix())
	clock := func() time.Time { return time.Unix(now.Load(), 0) }
	h := newHook(t, replying(`{}`))
	for _, tt := range []struct {
		name       string
		url        string
		connectTo  string
		anonymous  bool
		domains    []string
		later      time.Duration
		want       bool
		wantReason string
	}{
		{name: "listed", url: "https://hooks.example.com/kindly", connectTo: h.URL, domains: []string{"hooks.example.com"}, want: true},
		{name: "covered by a wildcard", url: "https://hooks.example.com/", connectTo: h.URL, domains: []string{"*.example.com"}, want: true},
		{name: "not listed", url: "https://hooks.example.com/", connectTo: h.URL, domains: []string{"other.example.com"}},
		{name: "empty list", url: "https://hooks.example.com/", connectTo: h.URL},
		{name: "not authenticated", url: "https://hooks.example.com/", connectTo: h.URL, anonymous: true, wantReason: "not authenticated"},
		{name: "one second before its end", url: "https://hooks.example.com/", connectTo: h.URL, domains: []string{"hooks.example.com"}, later: 299 * time.Second, want: true},
		{name: "expired", url: "https://hooks.example.com/", connectTo: h.URL, domains: []string{"hooks.example.com"}, later: 300 * time.Second, wantReason: "expired at 2026-05-04T12:05:00Z"},
		{name: "loopback without a public name", url: h.URL, domains: []string{"127.0.0.1", "localhost"}, wantReason: "=" + h.URL},
		{name: "the local address does not decide", url: "https://hooks.example.com/", connectTo: h.URL, domains: []string{"127.0.0.1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now.Store(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC).Unix())
			k := newMock(t, Options{Now: clock}, Webhook{Name: "hook", URL: tt.url, ConnectTo: tt.connectTo})
			chat := newChat(t, k)
			raw := sign(claims(chat.ID, clock(), tt.domains...))
			if !tt.anonymous {
				// Some lists hold entries that Kindly ignores: no reason to refuse the token.
				if res, err := k.Authenticate(chat.ID, raw, InitialConnect); err != nil || !res.Accepted() {
					t.Fatalf("%v, %+v", err, res.Violations)
				}
			}
			now.Add(int64(tt.later / time.Second))
			d := say(t, k, chat.ID)
			got, sent := h.Last(t).Header["Authorization"]
			if d.WithToken != tt.want || sent != tt.want || sent && got[0] != "Bearer "+raw.Secret() {
				t.Errorf("WithToken %v, sent %v, want %v: %s", d.WithToken, sent, tt.want, d.Reason)
			}
			if d.Reason == "" || !strings.Contains(d.Reason, tt.wantReason) {
				t.Errorf("the reason %q does not say %q", d.Reason, tt.wantReason)
			}
			if d.Exchange.Status() != 200 {
				t.Errorf("%v", d.Exchange.Err)
			}
		})
	}
}

func TestRequestIsSignedAndDocumented(t *testing.T) {
	const secret = "examplekey"
	h := newHook(t, replying(`{}`))
	k := newMock(t, Options{Public: "http://localhost:8484/"}, Webhook{URL: "https://hooks.example.com/", ConnectTo: h.URL, Secret: secret})
	chat := newChat(t, k)
	if _, err := k.Say(t.Context(), chat.ID, Message{Text: "hei æøå", Context: map[string]any{"order": "42"}}); err != nil {
		t.Fatal(err)
	}
	got := h.Last(t)
	if !webhook.Verify(secret, got.Body, got.Header.Get(webhook.HeaderHMAC)) {
		t.Error("the signature does not hold")
	}
	var body map[string]any
	if err := json.Unmarshal(got.Body, &body); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]any{
		"message": "hei æøå", "chat_id": chat.ID, "user_id": chat.UserID, "source": "web", "bot_id": 1.0, "organization_id": 1.0,
		"web_host": "shop.example.com", "web_path": "/", "web_url": "https://shop.example.com/",
		"context": map[string]any{"order": "42"},
		"_links":  map[string]any{"chat": "http://localhost:8484/mock/v1/chats/" + chat.ID},
	} {
		if !reflect.DeepEqual(body[field], want) {
			t.Errorf("%s is %v, want %v", field, body[field], want)
		}
	}
	if ex, _ := body["exchange"].(map[string]any); ex["exchange_id"] == "" || ex["language_code"] == nil {
		t.Errorf("exchange is %v", body["exchange"])
	}
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name        string
		answer      http.HandlerFunc
		wantBubbles []string
		wantProblem bool // Problems or AnswerErr
	}{
		{"reply in bubbles", replying(`{"reply":"one\n\ntwo\nlines\n\n\n"}`), []string{"one", "two\nlines"}, false},
		{"nothing", replying(`{"reply":""}`), nil, false},
		{"wrong type", replying(`{"reply":5}`), nil, true},
		{"no JSON", replying(`oops`), nil, true},
		{"null", replying(`null`), nil, true},
		{"larger than 1 MiB", replying(`{"reply":"` + strings.Repeat("x", 1<<20) + `"}`), nil, true},
		{"another status is not read", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(401)
			_, _ = w.Write([]byte(`{"reply":"a"}`))
		}, nil, false},
		{"a redirect is not followed", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
		}, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHook(t, tt.answer)
			k := newMock(t, Options{}, Webhook{URL: h.URL})
			d := say(t, k, newChat(t, k).ID)
			if !reflect.DeepEqual(d.Bubbles, tt.wantBubbles) {
				t.Errorf("bubbles are %.200q, want %q", d.Bubbles, tt.wantBubbles)
			}
			if got := d.AnswerErr != nil || len(d.Problems) > 0; got != tt.wantProblem && tt.name != "nothing" {
				t.Errorf("AnswerErr %v, problems %+v", d.AnswerErr, d.Problems)
			}
			if len(h.Requests) != 1 {
				t.Errorf("the webhook was called %d times", len(h.Requests))
			}
		})
	}
}

func TestNewContextIsUpserted(t *testing.T) {
	first := newHook(t, replying(`{"new_context":{"a":"first","b":1}}`))
	second := newHook(t, replying(`{"new_context":{"a":"second"}}`))
	k := newMock(t, Options{}, Webhook{URL: first.URL}, Webhook{URL: second.URL})
	chat := newChat(t, k)
	if _, err := k.Say(t.Context(), chat.ID, Message{Text: "hi", Context: map[string]any{"page": true, "b": 0}}); err != nil {
		t.Fatal(err)
	}
	got, _ := k.Chat(chat.ID)
	want := map[string]any{"page": true, "a": "second", "b": 1.0}
	if text, _ := json.Marshal(got.Context); !jsonEqual(t, text, want) {
		t.Errorf("context is %s", text)
	}
	if len(chat.Context) != 0 {
		t.Error("the earlier snapshot changed")
	}
}

func jsonEqual(t *testing.T, text []byte, want any) bool {
	t.Helper()
	var got any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(got, want)
}

func TestNewContextIsBounded(t *testing.T) {
	h := newHook(t, replying(`{"new_context":{"a":"`+strings.Repeat("x", maxContext)+`"}}`))
	k := newMock(t, Options{}, Webhook{URL: h.URL})
	chat := newChat(t, k)
	d := say(t, k, chat.ID)
	got, _ := k.Chat(chat.ID)
	if d.ContextError == nil || len(got.Context) != 0 {
		t.Errorf("ContextError %v, %d entries", d.ContextError, len(got.Context))
	}
}

func TestUnansweredWebhookIsNoError(t *testing.T) {
	dead := newHook(t, replying(`{}`))
	dead.Close()
	alive := newHook(t, replying(`{"reply":"here"}`))
	k := newMock(t, Options{}, Webhook{Name: "dead", URL: dead.URL}, Webhook{Name: "alive", URL: alive.URL})
	ds, err := k.Say(t.Context(), newChat(t, k).ID, Message{Text: "hi"})
	if err != nil || len(ds) != 2 {
		t.Fatal(ds, err)
	}
	if ds[0].Exchange.Kind() != wire.KindUnreachable || ds[1].Exchange.Status() != 200 {
		t.Errorf("%v, %v", ds[0], ds[1])
	}
	kinds := map[Kind]string{}
	for _, e := range k.Journal().Events(0) {
		if e.Delivery != nil {
			kinds[e.Kind] = e.Delivery.Webhook
		}
	}
	if kinds[WebhookFailed] != "dead" || kinds[WebhookDelivered] != "alive" {
		t.Errorf("journalled: %v", kinds)
	}
}

func TestWebhooksAreCalledInParallelButBounded(t *testing.T) {
	var running, most, served atomic.Int64
	full := make(chan struct{}) // closed when three run at once
	h := newHook(t, func(_ http.ResponseWriter, r *http.Request) {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if served.Add(1) == 3 {
			close(full)
		}
		select {
		case <-full:
		case <-r.Context().Done():
		}
	})
	var hooks []Webhook
	for name := range strings.SplitSeq("abcdefgh", "") {
		hooks = append(hooks, Webhook{Name: name, URL: h.URL})
	}
	k := newMock(t, Options{Parallel: 3}, hooks...)
	ds, err := k.Say(t.Context(), newChat(t, k).ID, Message{Text: "hi"})
	if err != nil || len(ds) != 8 || ds[7].Webhook != "h" {
		t.Fatal(ds, err)
	}
	if got := most.Load(); got != 3 {
		t.Errorf("%d at once, want 3", got)
	}
}

func TestSayEndsEarly(t *testing.T) {
	release := make(chan struct{})
	called := make(chan struct{}, 1)
	h := newHook(t, func(_ http.ResponseWriter, r *http.Request) {
		called <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	for _, tt := range []struct {
		name string
		end  func(k *Kindly, cancel context.CancelFunc)
	}{
		{"with its context", func(_ *Kindly, cancel context.CancelFunc) { cancel() }},
		{"at Close", func(k *Kindly, _ context.CancelFunc) { _ = k.Close() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newMock(t, Options{}, Webhook{URL: h.URL})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			id := newChat(t, k).ID
			go func() { <-called; tt.end(k, cancel) }()
			ds, err := k.Say(ctx, id, Message{Text: "hi"})
			if err != nil || len(ds) != 1 || ds[0].Exchange.Kind() != wire.KindCanceled {
				t.Errorf("%v, %v", ds, err)
			}
		})
	}
	k := newMock(t, Options{})
	id := newChat(t, k).ID
	_ = k.Close()
	if _, err := k.Say(t.Context(), id, Message{Text: "hi"}); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestPrintedWebhook(t *testing.T) {
	w := Webhook{Name: "orders", URL: "https://hooks.example.com/kindly", ConnectTo: "http://localhost:3000/kindly", Secret: "hush-hush"}
	if got, want := w.String(), "orders=https://hooks.example.com/kindly=http://localhost:3000/kindly"; got != want {
		t.Errorf("got %s", got)
	}
}
