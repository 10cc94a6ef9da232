package mockkindly_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
)

// TestOverhearTellsWhatKindlyDid puts one delivery into the journal, and sends it again.
func TestOverhearTellsWhatKindlyDid(t *testing.T) {
	var again http.Header
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		again = r.Header
		_, _ = w.Write([]byte(`{"reply":"again"}`))
	}))
	defer app.Close()
	k, err := mockkindly.New(mockkindly.Options{Bots: []mockkindly.Bot{{Key: "listen", Webhooks: []mockkindly.Webhook{{Name: "app", URL: app.URL}}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	const signature = "c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4tdGhhdC1pcy1sb25n"
	body := `{"chat_id":"c-1","user_id":"u-1","message":"where is it?","context":{"order":42},"exchange":{"exchange_slug":"order"},"platform":"ios"}`
	o := mockkindly.Overheard{Bot: "listen", Webhook: "app",
		Exchange: wire.Exchange{At: time.Now(), Request: wire.Request{Method: "POST", URL: "https://hooks.example.com/kindly", Body: []byte(body),
			Header: http.Header{"authorization": {"Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1LTQ3MTEifQ." + signature}}},
			Response: &wire.Response{Status: 200, Body: []byte(`{"reply":"hello\n\nyou","new_context":{"seen":true},"text":"?"}`)}},
		Heard: mockkindly.Heard{Protocol: "HTTP/1.1", Signature: mockkindly.Signature{Verdict: "right", Text: "The signature is right."}},
	}
	e, err := k.Overhear(o)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range k.Journal().Events(0) {
		kinds = append(kinds, string(e.Kind))
	}
	if got := strings.Join(kinds, " "); got != "chat.created token.refused message.received webhook.delivered" {
		t.Errorf("the journal has %s", got)
	}
	d := e.Delivery
	if len(d.Bubbles) != 2 || d.Dialogue != "order" || !d.WithToken || e.Chat != "c-1" {
		t.Errorf("the delivery is %+v", d.Heard)
	}
	news := ""
	for _, diff := range d.Heard.Differences {
		news += diff.Path + " " + diff.Kind + "\n"
	}
	if !strings.Contains(news, "platform new\n") || !strings.Contains(news, "bot_id missing\n") {
		t.Errorf("the differences are %s", news)
	}
	if c, _ := k.Chat("c-1"); c.Context["seen"] != true || c.Context["order"] == nil || c.UserID != "u-1" {
		t.Errorf("the chat is %v", c.Context)
	}
	text, err := json.Marshal(e)
	if err != nil || strings.Contains(string(text), signature) || !strings.Contains(string(text), `"heard":{"protocol":"HTTP/1.1"`) {
		t.Errorf("%v %s", err, text)
	}
	var back mockkindly.Event
	if err := json.Unmarshal(text, &back); err != nil || back.Delivery.Heard == nil || back.Delivery.Heard.Signature.Verdict != "right" {
		t.Errorf("read back: %v", err)
	}
	// Where Kindly has sent a token, it may be sent again, though no name covers the address.
	sent, err := k.Resend(t.Context(), e.Seq, mockkindly.TokenSame)
	if err != nil || !sent.Delivery.WithToken || len(again.Values("Authorization")) != 1 || sent.Delivery.Heard != nil {
		t.Errorf("sent again: %v, %v", err, again)
	}
	if _, err := k.Resend(t.Context(), e.Seq, mockkindly.TokenNone); err != nil || again.Get("Authorization") != "" {
		t.Errorf("sent without: %v, %v", err, again)
	}
}

// TestOverhearTakesAnything is for bodies that no Kindly would send.
func TestOverhearTakesAnything(t *testing.T) {
	k, err := mockkindly.New(mockkindly.Options{Bots: []mockkindly.Bot{{Key: "listen"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for _, body := range []string{"", "hello", "[]", `{"chat_id":7}`, `{"chat_id":"` + strings.Repeat("a", 1000) + `"}`, `{"chat_id":"c","message":{},"context":[]}`} {
		e, err := k.Overhear(mockkindly.Overheard{Bot: "listen", Webhook: "gone", Exchange: wire.Exchange{Request: wire.Request{Method: "POST", Body: []byte(body)}, Response: &wire.Response{Status: 200}}})
		if err != nil || e.Delivery == nil {
			t.Errorf("%.40q: %v", body, err)
		}
	}
	if _, err := k.Overhear(mockkindly.Overheard{Bot: "nobody"}); err == nil {
		t.Error("an unknown bot is taken")
	}
}
