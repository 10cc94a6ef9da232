package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/mocktest"
	"github.com/kindlytest/kindlytest/mockkindly"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// The customer of these tests.
var (
	publicPEM = mocktest.PublicPEM
	claims    = mocktest.Claims
	sign      = mocktest.Sign
	newHook   = mocktest.NewHook
	replying  = mocktest.Replying
)

func signature(raw token.Raw) string {
	s := raw.Secret()
	return s[strings.LastIndexByte(s, '.')+1:]
}

// A mock is a mock Kindly and its handler.
type mock struct {
	*mockkindly.Kindly
	http.Handler
}

// newMock returns a mock with the bot "bot" and these webhooks.
func newMock(t testing.TB, o mockkindly.Options, hooks ...mockkindly.Webhook) mock {
	t.Helper()
	return newMockFor(t, Options{Checks: newChecks()}, o, hooks...)
}

// newMockFor is newMock with options of the server.
func newMockFor(t testing.TB, so Options, o mockkindly.Options, hooks ...mockkindly.Webhook) mock {
	t.Helper()
	if o.Bots == nil {
		o.Bots = []mockkindly.Bot{mockkindly.MustBot("bot", publicPEM(), hooks...)}
	}
	k, err := mockkindly.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return mock{k, New(k, so)}
}

func newChat(t testing.TB, k mock) mockkindly.Chat {
	t.Helper()
	chat, err := k.CreateChat("bot", mockkindly.Web{Host: "shop.example.com", Path: "/", URL: "https://shop.example.com/"})
	if err != nil {
		t.Fatal(err)
	}
	return chat
}

// authenticated returns a new chat with an accepted token.
func authenticated(t testing.TB, k mock, domains ...string) (mockkindly.Chat, token.Raw) {
	t.Helper()
	chat := newChat(t, k)
	raw := sign(claims(chat.ID, time.Now(), domains...))
	res, err := k.Authenticate(chat.ID, raw, mockkindly.InitialConnect)
	if err != nil || !res.Accepted() {
		t.Fatalf("a sound token is refused: %v, violations %+v, unjudged %+v", err, res.Violations, res.Unjudged)
	}
	chat, _ = k.Chat(chat.ID)
	return chat, raw
}

// say sends one message and returns the only delivery.
func say(t testing.TB, k mock, chatID string) mockkindly.Delivery {
	t.Helper()
	ds, err := k.Say(context.Background(), chatID, mockkindly.Message{Text: "where is my order?"})
	if err != nil || len(ds) != 1 {
		t.Fatalf("Say gave %d deliveries, %v", len(ds), err)
	}
	return ds[0]
}

// do sends a request to the handler, without a network.
func do(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if strings.HasPrefix(path, "/api/v1/") {
		r.Header.Set("Authorization", "Bearer any key")
	}
	if strings.HasPrefix(path, "/mock/v1/stream") || path == "/mock/v1/checks/stream" { // it would never end
		ctx, cancel := context.WithTimeout(r.Context(), 20*time.Millisecond)
		defer cancel()
		r = r.WithContext(ctx)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// doAt is do for a host. Empty headers are left out.
func doAt(h http.Handler, host, method, path, body, name, value string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = host
	if strings.HasPrefix(path, "/api/v1/") && name != "Authorization" {
		r.Header.Set("Authorization", "Bearer any key")
	}
	if value != "" {
		r.Header.Set(name, value)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Millisecond) // a stream would never end
	defer cancel()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(ctx))
	return w
}

func answering(reply string) webhook.Answer { return webhook.Answer{Reply: reply} }
