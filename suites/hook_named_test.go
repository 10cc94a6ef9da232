package suites_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// Who names somebody is told from one who names a stranger by the answers to both, where
// nothing else tells: those with a token may be like those without, and the answer may say
// what was said to it.
func TestWebhooksThatAreToldNames(t *testing.T) {
	t.Parallel()
	type request struct {
		UserID  string         `json:"user_id"`
		Message string         `json:"message"`
		Context map[string]any `json:"context"`
	}
	greets := func(r request) string { // as whoever reads an address does
		_, who, found := strings.Cut(r.Message, "I am ")
		if !found {
			return "Please log in first."
		}
		who, _, _ = strings.Cut(who, "@")
		words := strings.FieldsFunc(who, func(r rune) bool { return r == '.' || r == ' ' })
		for i, w := range words {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
		return "Hi " + strings.Join(words, " ") + "! Please log in first."
	}
	ofUser := func(r request) string {
		if r.UserID == "user-ada" {
			return "Your order is on its way."
		}
		return "Please log in first."
	}
	var mu sync.Mutex
	others := map[string]int{}
	nth := func(r request) int { // of those who are named, and are not Ada
		mu.Lock()
		defer mu.Unlock()
		if _, known := others[r.UserID]; !known {
			others[r.UserID] = len(others)
		}
		return others[r.UserID]
	}
	isAda := func(r request) bool { return strings.Contains(strings.ToLower(r.UserID), "ada") }
	isNew := func(r request) bool { return len(r.UserID) == 36 }
	byBucket := func(r request) string { // Ada is in one, and whoever is named first in the other
		if isAda(r) || !isNew(r) && nth(r)%2 == 1 {
			return "Your order can be tracked here soon."
		}
		return "Please log in first."
	}
	toEach := func(r request) string { // as a hash of the user chooses
		switch greetings := []string{"Nice to see you.", "What can we do?", "Hello there, friend!", "Good day. Questions?"}; {
		case isAda(r):
			return "Your order can be tracked here soon."
		case isNew(r):
			return "Please log in first."
		default:
			return greetings[nth(r)%len(greetings)]
		}
	}
	for name, row := range map[string]struct {
		reply   func(request) string
		members bool // it answers whoever brings a token likewise
		want    map[string]reports.Outcome
	}{
		"it knows them, and no token": {ofUser, true, map[string]reports.Outcome{"HOOK-USER-ID": reports.Failed, "HOOK-DISTINGUISHES": reports.Warned}},
		"it knows nobody":             {greets, true, map[string]reports.Outcome{"HOOK-USER-ID": reports.Passed, "HOOK-DISTINGUISHES": reports.Warned}},
		"it has two answers":          {byBucket, true, map[string]reports.Outcome{"HOOK-USER-ID": reports.Passed}},
		"it has one for each":         {toEach, true, map[string]reports.Outcome{"HOOK-USER-ID": reports.Passed}},
		"it greets them":              {greets, false, map[string]reports.Outcome{"HOOK-USER-ID": reports.Passed, "HOOK-DISTINGUISHES": reports.Passed}},
		"it knows an address that holds the name": {func(r request) string {
			if r.Context["email"] == "ada.lovelace@shop.example" {
				return "Hello Ada Lovelace, your order is on its way."
			}
			return "Please log in first."
		}, false, map[string]reports.Outcome{"HOOK-USER-ID": reports.Failed}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := plain()
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
				r.Body = io.NopCloser(bytes.NewReader(body))
				var sent request
				if json.Unmarshal(body, &sent) != nil || r.Header.Get("Authorization") != "" && !row.members {
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				json.NewEncoder(w).Encode(map[string]string{"reply": row.reply(sent)})
				return true
			}
			shop := withEndpoint(t, plainEndpoint{more: map[string]any{"name": "Ada Lovelace", "email": "ada.lovelace@shop.example"}}, h)
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK-USER-ID", "HOOK-DISTINGUISHES"}})
			for id, want := range row.want {
				if c := find(t, run, id); c.Outcome != want || id == "HOOK-USER-ID" && want == reports.Failed && c.Cause != "webhook-believes-names" {
					t.Errorf("%s is %s for %q, want %s", id, c.Outcome, c.Cause, want)
					describe(t, c)
				}
			}
		})
	}
}
