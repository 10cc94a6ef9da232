package webhook

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/kindlytest/kindlytest/internal/wire"
)

func TestMannerShapesTheBody(t *testing.T) {
	give := func(v any) func(string, any) any { return func(string, any) any { return v } }
	for _, row := range []struct {
		name    string
		members []MannerMember
		want    string // the body's, of a sparse payload
	}{
		{"as documented", nil, `{"organization_id":1,"bot_id":1,"chat_id":"c","user_id":"c","message":"<hi>","exchange":{"exchange_id":"e","language_code":"en"},"_links":{"chat":"l"},"source":"web"}`},
		{"a new member follows those of the contract", []MannerMember{{Path: "app", Make: give(true)}}, `{"organization_id":1,"bot_id":1,"chat_id":"c","user_id":"c","message":"<hi>","exchange":{"exchange_id":"e","language_code":"en"},"_links":{"chat":"l"},"source":"web","app":true}`},
		{"one within an object", []MannerMember{{Path: "exchange.score", Make: give(json.Number("0.5"))}}, `{"organization_id":1,"bot_id":1,"chat_id":"c","user_id":"c","message":"<hi>","exchange":{"exchange_id":"e","language_code":"en","score":0.5},"_links":{"chat":"l"},"source":"web"}`},
		{"one within a new object", []MannerMember{{Path: "a", Make: give(map[string]any{})}, {Path: "a.b", Make: give(nil)}}, `{"organization_id":1,"bot_id":1,"chat_id":"c","user_id":"c","message":"<hi>","exchange":{"exchange_id":"e","language_code":"en"},"_links":{"chat":"l"},"source":"web","a":{"b":null}}`},
		{"left out", []MannerMember{{Path: "organization_id"}, {Path: "_links"}, {Path: "exchange.language_code"}}, `{"bot_id":1,"chat_id":"c","user_id":"c","message":"<hi>","exchange":{"exchange_id":"e"},"source":"web"}`},
		{"what is not there is not added", []MannerMember{{Path: "context", OnlyThere: true, Make: give("x")}}, `{"organization_id":1,"bot_id":1,"chat_id":"c","user_id":"c","message":"<hi>","exchange":{"exchange_id":"e","language_code":"en"},"_links":{"chat":"l"},"source":"web"}`},
	} {
		p := New("c", "<hi>").Sparse()
		p.Exchange.ID, p.Links.Chat = "e", "l"
		r, err := NewRequest(RequestOptions{URL: "https://hooks.example.com/", Secret: "s", Payload: p, Manner: &Manner{Members: row.members}})
		if err != nil || string(r.Body) != row.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", row.name, err, r.Body, row.want)
		}
		if mac, _ := Signature(r.Header); !Verify("s", r.Body, mac) {
			t.Errorf("%s: the signature is not of the body that is sent", row.name)
		}
	}
}

func TestMannerFollowsRedirects(t *testing.T) {
	follows := &Manner{FollowRedirects: true}
	for _, row := range []struct {
		name                string
		manner              *Manner
		status, hop         int
		to, connect         string
		method, url, bearer string // "" for no request
	}{
		{"nobody was seen to follow", &Manner{}, 307, 0, "/b", "", "", "", ""},
		{"nothing was seen", nil, 307, 0, "/b", "", "", "", ""},
		{"307", follows, 307, 0, "/b", "", "POST", "https://hooks.example.com/b", "Bearer t"},
		{"308, relative", follows, 308, 0, "b", "", "POST", "https://hooks.example.com/a/b", "Bearer t"},
		{"302", follows, 302, 0, "/b", "", "GET", "https://hooks.example.com/b", "Bearer t"},
		{"another host gets no token", follows, 307, 0, "https://other.example/b", "", "POST", "https://other.example/b", ""},
		{"its public name is where it is called", follows, 307, 0, "https://hooks.example.com/b", "http://127.0.0.1:9/a/", "POST", "http://127.0.0.1:9/b", "Bearer t"},
		{"for ever", follows, 307, 10, "/b", "", "", "", ""},
		{"no redirect", follows, 200, 0, "/b", "", "", "", ""},
		{"not to a file", follows, 307, 0, "file:///etc/passwd", "", "", "", ""},
		{"nowhere", follows, 307, 0, "", "", "", "", ""},
	} {
		r := wire.Request{Method: "POST", URL: "https://hooks.example.com/a/", ConnectTo: row.connect, Header: http.Header{"Authorization": {"Bearer t"}}, Body: []byte("{}")}
		next, ok := row.manner.Next(wire.Exchange{Request: r, Response: &wire.Response{Status: row.status, Header: http.Header{"Location": {row.to}}}}, row.hop)
		if ok != (row.url != "") || ok && (next.URL != row.url || next.Method != row.method || next.Header.Get("Authorization") != row.bearer || next.ConnectTo != "") {
			t.Errorf("%s: %t, %s %s, %q", row.name, ok, next.Method, next.URL, next.Header.Get("Authorization"))
		}
	}
}
