package subject

import (
	"net/http"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
)

const testChat = "0b9f6f0e-1111-4222-8333-944444444444"

func TestCallbackRequestsAreWhatTheCallbackAskedFor(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(1_700_000_000, 0).Add(time.Duration(ms) * time.Millisecond) }
	kindly := func(ms int) browser.Request {
		return browser.Request{URL: "https://bot.kindly.ai/mock/v1/chats/" + testChat + "/callbacks", ResourceType: "Fetch", Kindly: true, Started: at(ms)}
	}
	asks := func(id, url string, ms int, body string) browser.Request {
		return browser.Request{ID: id, URL: url, Method: "POST", ResourceType: "Fetch", Body: []byte(body), Started: at(ms)}
	}
	early, late := asks("1", "https://shop.example/before", 0, ""), asks("9", "https://shop.example/after", 900, "")
	cross := func(id, url string) browser.Request {
		r := asks(id, url, 130, "")
		r.Status = 401
		return r
	}
	beacon := cross("5", "https://collector.example/c")
	beacon.Header = http.Header{"Sec-Fetch-Mode": {"no-cors"}}
	again := func(urls ...string) map[string]bool {
		out := map[string]bool{}
		for _, u := range urls {
			out["POST "+u] = true
		}
		return out
	}
	image := asks("2", "https://shop.example/logo.png", 150, "")
	image.ResourceType = "Image"
	for name, tt := range map[string]struct {
		during []browser.Request
		want   []string
		recurs map[string]bool
	}{
		"nothing":                       {nil, nil, nil},
		"without the chat id":           {[]browser.Request{asks("3", "/me", 130, ""), image}, []string{"/me"}, nil},
		"just before the client's word": {[]browser.Request{asks("3", "/me", 95, "")}, []string{"/me"}, nil},
		"the one with the chat id alone": {[]browser.Request{asks("3", "/csrf", 130, ""), asks("4", "/auth", 140, `{"chatId":"`+testChat+`"}`)},
			[]string{"/auth"}, nil},
		"in the query":  {[]browser.Request{asks("4", "/auth?c="+testChat, 140, "")}, []string{"/auth?c=" + testChat}, nil},
		"with its hops": {[]browser.Request{asks("4", "/auth", 140, testChat), asks("4", "/login", 150, "")}, []string{"/auth", "/login"}, nil},
		"one of another site, by a callback that asks once":    {[]browser.Request{cross("3", "https://api.example/auth")}, []string{"https://api.example/auth"}, again()},
		"what no script can read":                              {[]browser.Request{beacon, asks("6", "https://blocked.example/c", 130, "")}, nil, again()},
		"statistics come again, and the callback asks once":    {[]browser.Request{beacon, asks("3", "https://shop.example/token", 130, "")}, []string{beacon.URL, "https://shop.example/token"}, again(beacon.URL)},
		"one of another site comes again, and is all there is": {[]browser.Request{cross("3", "https://api.example/auth"), beacon}, []string{"https://api.example/auth"}, again("https://api.example/auth")},
	} {
		t.Run(name, func(t *testing.T) {
			record := append([]browser.Request{early}, tt.during...)
			if len(record) == 1 || record[1].Started.After(at(100)) {
				record = append([]browser.Request{early, kindly(100)}, tt.during...)
			} else {
				record = append(record, kindly(100))
			}
			v := &Visit{ChatID: testChat, recurs: tt.recurs, State: browser.State{URL: "https://shop.example/"}, Record: browser.Record{Requests: append(record, kindly(500), late)}}
			var got []string
			for _, r := range v.CallbackRequests() {
				got = append(got, r.URL)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			}
		})
	}
}
