package server

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
)

// rulesChecks offer the checks that a test is about.
type rulesChecks struct{ *fakeChecks }

func (rulesChecks) Offer() ChecksOffer {
	var rules []ChecksRule
	for _, id := range []string{"PAGE-WIDGET", "PAGE-CALLBACK-TOKEN", "TOK-CHAT-ID", "RESP-JSON"} {
		rules = append(rules, ChecksRule{ID: id, Broken: id + " does not hold.", Help: "Mend " + id + "."})
	}
	return ChecksOffer{Areas: []ChecksArea{{ID: "ALL", Checks: rules}}}
}

func TestTheClientIsToldWhatRunWouldSay(t *testing.T) {
	hook := newHook(t, replying("no JSON"))
	k := newMockFor(t, Options{Checks: rulesChecks{newChecks()}}, mockkindly.Options{Public: "http://127.0.0.1:8484",
		Bots: []mockkindly.Bot{mockkindly.MustBot("bot", publicPEM(), mockkindly.Webhook{URL: hook.URL})}})
	chat := "/mock/v1/chats/" + newChat(t, k).ID
	foreign := sign(claims(unknownID, time.Now()))
	for _, tt := range []struct {
		name, path, body string
		status           int
		id, fix          string // "" if nothing is said
	}{
		{"a sound page", "/mock/v1/client", `{"bot_key":"bot","script_id":"kindly-chat","callback":"function"}`, 204, "", ""},
		{"a page without a bot key", "/mock/v1/client", `{"bot_key":"","script_id":"kindly-chat","callback":"function"}`, 200, "PAGE-WIDGET", "data-bot-key"},
		{"a callback that gives an object", chat + "/callbacks", `{"phase":"settled","reason":"EXPIRED","outcome":"not-a-string"}`, 200, "PAGE-CALLBACK-TOKEN", "Return the token alone"},
		{"another chat's token", chat + "/token", `{"token":"` + foreign.Secret() + `"}`, 422, "TOK-CHAT-ID", ""},
		{"a webhook that answers no JSON", chat + "/messages", `{"text":"hello"}`, 200, "RESP-JSON", "Mend RESP-JSON."},
	} {
		w := do(k, "POST", tt.path, tt.body)
		if w.Code != tt.status {
			t.Fatalf("%s: %d %s", tt.name, w.Code, w.Body)
		}
		if tt.id == "" {
			continue
		}
		var got struct{ Advice []advice }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Advice) == 0 {
			t.Fatalf("%s: %v, %s", tt.name, err, w.Body)
		}
		a := got.Advice[0]
		if a.ID != tt.id || a.Text != tt.id+" does not hold." || !strings.Contains(a.Fix, tt.fix) || a.More != "http://127.0.0.1:8484/checks#/check/"+tt.id {
			t.Errorf("%s: it is told %+v", tt.name, a)
		}
	}
}

// Whoever checks a page must find in its console what the page has written there.
func TestAMockWithoutChecksAdvisesNobody(t *testing.T) {
	k := newMockFor(t, Options{}, mockkindly.Options{})
	for _, path := range []string{"/kindly-chat.js", "/kindly-chat-pure.js"} {
		if w := do(k, "GET", path, ""); strings.Contains(w.Body.String(), "console.") {
			t.Errorf("%s writes into the console", path)
		}
	}
	if w := do(k, "POST", "/mock/v1/client", `{"bot_key":""}`); w.Code != 204 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
