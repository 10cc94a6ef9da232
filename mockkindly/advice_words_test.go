package mockkindly

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// What is said of a status is about that status: that business failures are answered
// with 200 helps nobody whose signature is refused.
func TestAStatusIsToldByWhatItMeans(t *testing.T) {
	for status, want := range map[int]string{
		401: "signature", 403: "signature", 404: "route", 405: "route", 400: "fields that you don't know", 422: "fields that you don't know",
		502: "gateway", 504: "gateway", 500: "log", 204: "", 418: "",
	} {
		d := &Delivery{Exchange: wire.Exchange{Response: &wire.Response{Status: status, Header: http.Header{}}}}
		found := d.Breaches()
		if len(found) != 1 || found[0].ID != "RESP-STATUS" || !strings.Contains(found[0].Fix, want) || (want == "") != (found[0].Fix == "") {
			t.Errorf("%d: %+v, want %q", status, found, want)
		}
	}
}

func TestAnErrorOfACallbackIsToldByWhatItSays(t *testing.T) {
	for text, want := range map[string]string{
		`Unexpected token '<', "<!DOCTYPE "... is not valid JSON`: "Network panel",
		"Unexpected end of JSON input":                            "Network panel",
		"Failed to fetch":                                         "CORS",
		"Cannot read properties of undefined (reading 'session')": "Wait for it",
		"not logged in":                                           "return null",
	} {
		if fix := (CallbackReport{Outcome: "rejected", Error: text}).Fix(); !strings.Contains(fix, want) {
			t.Errorf("%s: %q, want %q", text, fix, want)
		}
	}
}
