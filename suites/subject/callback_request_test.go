package subject

import (
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
	image := asks("2", "https://shop.example/logo.png", 150, "")
	image.ResourceType = "Image"
	for name, tt := range map[string]struct {
		during []browser.Request
		want   []string
	}{
		"nothing":                       {nil, nil},
		"without the chat id":           {[]browser.Request{asks("3", "/me", 130, ""), image}, []string{"/me"}},
		"just before the client's word": {[]browser.Request{asks("3", "/me", 95, "")}, []string{"/me"}},
		"the one with the chat id alone": {[]browser.Request{asks("3", "/csrf", 130, ""), asks("4", "/auth", 140, `{"chatId":"`+testChat+`"}`)},
			[]string{"/auth"}},
		"in the query":  {[]browser.Request{asks("4", "/auth?c="+testChat, 140, "")}, []string{"/auth?c=" + testChat}},
		"with its hops": {[]browser.Request{asks("4", "/auth", 140, testChat), asks("4", "/login", 150, "")}, []string{"/auth", "/login"}},
	} {
		t.Run(name, func(t *testing.T) {
			record := append([]browser.Request{early}, tt.during...)
			if len(record) == 1 || record[1].Started.After(at(100)) {
				record = append([]browser.Request{early, kindly(100)}, tt.during...)
			} else {
				record = append(record, kindly(100))
			}
			v := &Visit{ChatID: testChat, Record: browser.Record{Requests: append(record, kindly(500), late)}}
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
