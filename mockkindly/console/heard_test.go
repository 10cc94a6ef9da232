package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/console"
	"github.com/kindlytest/kindlytest/mockkindly/server"
)

// TestTheConsoleShowsWhatTheRealKindlySent is for deliveries of kindlytest listen.
func TestTheConsoleShowsWhatTheRealKindlySent(t *testing.T) {
	k, err := mockkindly.New(mockkindly.Options{Bots: []mockkindly.Bot{{Key: "listen", Webhooks: []mockkindly.Webhook{{Name: "app", URL: "http://127.0.0.1:9/kindly"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(server.New(k, server.Options{Pages: console.Handler(), WatchOnly: true}))
	t.Cleanup(func() { k.Close(); listening.CloseClientConnections(); listening.Close() })
	heard := mockkindly.Overheard{
		Bot: "listen", Webhook: "app",
		Exchange: wire.Exchange{At: time.Now(), Duration: 3 * time.Second,
			Request: wire.Request{Method: "POST", URL: "https://tunnel.example/kindly", ConnectTo: "http://127.0.0.1:9/kindly", Header: http.Header{"kindly-hmac": {"abc"}},
				Body: []byte(`{"chat_id":"c","bot_id":"7","platform":"ios","message":"<b>hi</b>"}`)},
			Response: &wire.Response{Status: 200, Header: http.Header{}, Body: []byte(`{"reply":"hello"}`)}},
		Heard: mockkindly.Heard{Protocol: "HTTP/2.0", GivenUp: true,
			Signature: mockkindly.Signature{Verdict: "hmac-hex", Text: "The signature is wrong, and fits the signature in hex.", Fix: "Look at both."}},
	}
	early := visit(t, listening.URL+"/inbox")
	if shown := early.shows(".begin", "Let your tunnel lead to"); strings.Contains(shown, "<script") {
		t.Errorf("it shows the tag of a script that is not there: %s", shown)
	}
	early.screenshots("heard-nothing")
	e, err := k.Overhear(heard)
	if err != nil {
		t.Fatal(err)
	}
	p := visit(t, fmt.Sprintf("%s/#/event/%d", listening.URL, e.Seq))
	p.shows("#detail", "From Kindly, by HTTP/2.0", "Signature: hmac-hex.", "fits the signature in hex", "Look at both.", "hung up", "string, documented as integer",
		"platform", "new: string", "missing: documented as string", "Kindly sent no token.", "hello", "https://tunnel.example/kindly", "Passed on to", "kindly-hmac")
	p.shows("#list", "signature hmac-hex", "<b>hi</b>")
	p.screenshots("heard")

	// What only a mock that plays Kindly can do is not offered.
	p.shows(".state", "Live")
	if !p.becomes(`document.querySelector("#top .faults").hidden && document.querySelector('#top a[href="/checks"]').hidden`) {
		t.Error("faults and checks are offered")
	}
	res, err := http.Get(listening.URL + "/mock/v1/faults")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("GET /mock/v1/faults: %d", res.StatusCode)
	}
}
