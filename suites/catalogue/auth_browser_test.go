package catalogue

import (
	"cmp"
	"net/http"
	"slices"
	"testing"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// Whoever allows all names below their domain is right: what looks like it must be another's.
func TestAForeignOriginIsAnothers(t *testing.T) {
	for page, alike := range map[string]string{
		"https://www.shop.example":      "https://evil-shop.example",
		"https://shop.example":          "https://evil-shop.example",
		"https://a.b.shop.example:8443": "https://evil-shop.example:8443",
		"https://mine.github.io":        "https://evil-mine.github.io",
		"http://localhost:3000":         "http://evil-localhost:3000",
		"http://127.0.0.1:3000":         "http://evil-127.0.0.1:3000",
	} {
		if got := foreignOrigins(&subject.Endpoint{PageOrigin: page}, nil); !slices.Contains(got, alike) {
			t.Errorf("%s: %q, want %s among them", page, got, alike)
		}
	}
	hooks := []target.Webhook{{URL: "https://hooks.shop.example/kindly"}, {URL: "http://127.0.0.1:8080/"}}
	got := foreignOrigins(&subject.Endpoint{PageOrigin: "https://www.shop.example"}, hooks)
	if !slices.Contains(got, "https://evilshop.example") || slices.Contains(got, "https://evil0.1") {
		t.Errorf("of webhooks: %q", got)
	}
}

// What browsers take is what the Fetch standard says, and not what the words look like.
func TestAPreflightIsJudgedAsBrowsersDo(t *testing.T) {
	for name, row := range map[string]struct {
		method, methods, allowed string
		sent                     []string
		want                     rule.Level // of the accusation; "" for none
	}{
		"all is listed":                       {"POST", "POST", "content-type, authorization", []string{"authorization", "content-type"}, ""},
		"the star, for what is no secret":     {"POST", "*", "*", []string{"content-type"}, ""},
		"the star is not for authorization":   {"POST", "POST", "*", []string{"authorization"}, rule.Should},
		"GET is allowed whatever is listed":   {"GET", "OPTIONS, POST", "authorization", []string{"authorization"}, ""},
		"POST is forgotten among others":      {"POST", "GET, PUT", "content-type", []string{"content-type"}, rule.Must},
		"a header is not among what it lists": {"POST", "POST", "content-type", []string{"x-csrf-token"}, rule.Must},
	} {
		t.Run(name, func(t *testing.T) {
			e := &subject.Endpoint{PageOrigin: "https://shop.example", Request: wire.Request{Method: row.method, Header: http.Header{"Authorization": {"Bearer a.b.c"}}}}
			ev := subject.Evidence{Exchange: wire.Exchange{Response: &wire.Response{Status: 204, Header: http.Header{
				"Access-Control-Allow-Origin": {"https://shop.example"}, "Access-Control-Allow-Methods": {row.methods}, "Access-Control-Allow-Headers": {row.allowed},
			}}}}
			v := judgePreflight(e, row.sent, ev)
			got := v.Level
			if v.Kind == subject.Broken {
				got = cmp.Or(v.Level, rule.Must)
			}
			if got != row.want {
				t.Errorf("%q: %s", got, v.Actual)
			}
		})
	}
}
