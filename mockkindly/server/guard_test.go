package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly"
)

func TestWhoMayUseTheMocksOwnSide(t *testing.T) {
	pages := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) })
	k := newMockFor(t, Options{Hosts: []string{"127.0.0.1", "localhost", "::1", "dev.example"}, Pages: pages}, mockkindly.Options{})
	for _, tt := range []struct {
		name, host, origin string
		want               int
	}{
		{"the address", "127.0.0.1:8484", "", 200},
		{"its name", "localhost:8484", "", 200},
		{"IPv6", "[::1]:8484", "", 200},
		{"IPv6 without a port", "[::1]", "", 200},
		{"a name that was allowed", "dev.example", "", 200},
		{"by letter case", "LocalHost:1", "", 200},
		{"a page that points its name here", "evil.example:8484", "", 421},
		{"with its own origin", "evil.example:8484", "http://evil.example:8484", 421},
		{"a name that begins alike", "localhost.evil.example", "", 421},
		{"no name", "", "", 421},
		{"a foreign page", "127.0.0.1:8484", "https://evil.example", 403},
		{"another port of this machine", "127.0.0.1:8484", "http://127.0.0.1:3000", 403},
	} {
		for _, path := range []string{"/mock/v1/health", "/mock/v1/chats", "/openapi.yaml", "/api/v1/send"} {
			t.Run(tt.name+" "+path, func(t *testing.T) {
				method, body := "GET", ""
				if path == "/api/v1/send" {
					method, body = "POST", `{"user_id":"u","message":"m"}`
				}
				w := doAt(k, tt.host, method, path, body, "Origin", tt.origin)
				if w.Code != tt.want || w.Header().Get("Access-Control-Allow-Origin") != "" {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			})
		}
		t.Run(tt.name+" and the pages, which hold no data", func(t *testing.T) {
			want := tt.want
			if want == 403 {
				want = 200
			}
			if w := doAt(k, tt.host, "GET", "/inbox", "", "Origin", tt.origin); w.Code != want {
				t.Errorf("%d", w.Code)
			}
		})
	}
	if w := doAt(k, "localhost", "POST", "/inbox", "", "", ""); w.Code != 405 {
		t.Errorf("POST to a page: %d", w.Code)
	}
	if w := doAt(k, "evil.example", "POST", "/mock/v1/chats", `{"bot_key":"bot"}`, "Origin", "https://evil.example"); w.Code != 201 {
		t.Errorf("the widget's side is closed: %d", w.Code)
	}
}

func TestAdminToken(t *testing.T) {
	k := newMockFor(t, Options{AdminToken: "let me in", Pages: http.NotFoundHandler()}, mockkindly.Options{})
	for _, rt := range (&server{}).table() {
		path := strings.NewReplacer("{id}", unknownID, "{seq}", "1", "{key}", "bot", "{run}", "1").Replace(rt.path)
		for _, tt := range []struct{ authorization, name string }{
			{"", "none"}, {"Bearer let me i", "another"}, {"Bearer ", "an empty one"}, {"Basic bGV0IG1lIGlu", "another scheme"},
		} {
			w := doAt(k, "anything.example", rt.method, path, "", "Authorization", tt.authorization)
			if open := rt.side == widgetSide; open == (w.Code == 401) {
				t.Errorf("%s %s with token %s: %d", rt.method, rt.path, tt.name, w.Code)
			}
		}
		if rt.side == adminSide {
			if w := doAt(k, "anything.example", rt.method, path, "", "Authorization", "bearer let me in"); w.Code == 401 {
				t.Errorf("%s %s with the token: %d", rt.method, rt.path, w.Code)
			}
		}
	}
}

func TestPrivateNetworkPreflight(t *testing.T) {
	w := do(newMock(t, mockkindly.Options{}), "OPTIONS", "/mock/v1/chats", "", "Origin", "https://shop.example", "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Private-Network", "true")
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Private-Network") != "true" || strings.Contains(w.Header().Get("Access-Control-Allow-Methods"), "GET") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
