package target_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/target"
)

// A gate without origins stands before all that is called, the pages of the
// logins too; what a gateway before a webhook wants goes to that webhook alone.
func TestGatesStandBeforeAllThatIsCalled(t *testing.T) {
	to := target.Target{
		PageURL:  "https://Shop.example/a?b",
		Login:    &browser.Login{Steps: []browser.Step{{Goto: "https://id.example:8443/login"}, {Click: "a"}}},
		Endpoint: &target.EndpointConfig{URL: "https://api.example:443/token"},
		Webhooks: []target.Webhook{
			{URL: "https://public.example/kindly", ConnectTo: "http://localhost:3000/kindly", Header: http.Header{"X-Api-Key": {"k"}}},
			{URL: "https://hooks.example/kindly"},
		},
		Gates: []target.Gate{{User: "u", Password: "p"}, {Origins: []string{"https://api.example"}, Header: map[string]string{"X-Bypass": "b"}}},
	}
	gates := to.Wire(wire.Options{}).Gates
	want := []string{"http://localhost:3000", "https://api.example", "https://hooks.example", "https://id.example:8443", "https://shop.example"}
	if diff := cmp.Diff(want, gates[0].Origins); diff != "" {
		t.Error(diff)
	}
	for url, want := range map[string]http.Header{
		"http://localhost:3000/kindly":  {"Authorization": {"Basic dTpw"}, "X-Api-Key": {"k"}},
		"http://localhost:3000/other":   {"Authorization": {"Basic dTpw"}},
		"https://api.example/token":     {"Authorization": {"Basic dTpw"}, "X-Bypass": {"b"}},
		"https://elsewhere.example/":    {},
		"https://shop.example.evil.no/": {},
	} {
		if diff := cmp.Diff(want, gates.Headers(url)); diff != "" {
			t.Errorf("%s: %s", url, diff)
		}
	}
}
