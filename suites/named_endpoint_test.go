package suites_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// An endpoint that looks at the type signs not anything: it takes no name for one.
func TestAnEmptyChatIDIsNoNameOfAChat(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		takes func(id any) (string, bool)
		cause string
	}{
		"any text":  {func(id any) (string, bool) { text, ok := id.(string); return text, ok }, "endpoint-signs-without-chat"},
		"any value": {func(id any) (string, bool) { return fmt.Sprint(id), id != nil }, "endpoint-signs-anything"},
	} {
		t.Run(name, func(t *testing.T) {
			shop := endpointAt(serve(t, func(w http.ResponseWriter, r *http.Request) {
				var body map[string]any
				json.NewDecoder(r.Body).Decode(&body)
				id, ok := row.takes(body["chatId"])
				if !ok {
					http.Error(w, `{"error":"chatId"}`, http.StatusBadRequest)
					return
				}
				now := time.Now().Unix()
				w.Header().Set("Content-Type", "application/json")
				json.NewEncoder(w).Encode(map[string]string{"token": sign(t, map[string]any{"iat": now, "exp": now + 300, "sub": "7", "chat": map[string]any{"id": id}})})
			}))
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-CHATID-TYPE", "AUTH-CHATID-MISSING"}})
			namesAlone(t, run, row.cause)
		})
	}
}

// That an answer is kept does not account for a token that strangers get by
// themselves: the endpoint asks for no session at all.
func TestAKeptAnswerHidesNoOpenEndpoint(t *testing.T) {
	t.Parallel()
	var once sync.Once
	var kept string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		now := time.Now().Unix()
		answer := sign(t, map[string]any{"iat": now, "exp": now + 300, "iss": "shop", "sub": "guest", "chat": map[string]any{"id": chatIDOf(r)}})
		if r.Header.Get("X-User") != "" {
			once.Do(func() { kept = answer })
			answer = kept
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]string{"token": answer})
	})
	shop := target.Target{PublicKeys: []*token.Key{publicOf(t)}, Endpoint: &target.EndpointConfig{URL: url, ChatIDField: "chatId",
		Header: http.Header{"X-User": {"u-42"}}, RequestForm: target.RequestForm{SecondHeader: http.Header{"X-User": {"u-43"}}}}}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-BIND-*", "AUTH-NO-SESSION"}})
	if found := findings(run); !slices.Equal(found, []string{"endpoint-answer-kept", "endpoint-knows-nobody"}) && !slices.Equal(found, []string{"endpoint-knows-nobody", "endpoint-answer-kept"}) {
		t.Errorf("it names %q, want both", found)
	}
}

// One mistake of a list is told once, by whatever check it is seen, and two are two.
func TestAMalformedEntryIsToldOnce(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, entry string
		want        []string
	}{
		{"a URL", "https://hook1.shop.example/kindly", []string{"domains-malformed"}},
		{"with a port", "hook1.shop.example:443", []string{"domains-malformed"}},
		{"everything", "*", []string{"domains-too-broad"}},
		{"everything, and a domain without its subdomains", "* shop.example", []string{"domains-too-broad", "FWD-COVERED"}},
		{"a URL of somebody else's", "https://other.example/", []string{"domains-malformed", "FWD-COVERED"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				now := time.Now().Unix()
				w.Header().Set("Content-Type", "application/json")
				json.NewEncoder(w).Encode(map[string]string{"token": sign(t, map[string]any{"iat": now, "exp": now + 300, "iss": "shop", "sub": "7",
					"chat": map[string]any{"id": chatIDOf(r), "webhook_domains": strings.Fields(row.entry)}})})
			})
			shop := targetOf(t, plain())
			shop.PublicKeys, shop.Endpoint = []*token.Key{publicOf(t)}, &target.EndpointConfig{URL: url, ChatIDField: "chatId"}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"FWD-PATTERNS", "FWD-COVERED", "FWD-BROAD"}})
			if found := findings(run); !slices.Equal(found, row.want) {
				t.Errorf("it names %q, want %q", found, row.want)
			}
		})
	}
}

// What can't be read has no list of domains, and no empty one.
func TestDomainsOfWhatIsNoTokenAreNotJudged(t *testing.T) {
	t.Parallel()
	for name, given := range map[string]string{
		"a session id": "9f86d081884c7d659a2feaa0c55ad015", "a login page": "<!DOCTYPE html><title>Log in</title>",
		"an encrypted token": "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXY.dGV4dA.dGFn",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				json.NewEncoder(w).Encode(map[string]string{"token": given})
			})
			shop := targetOf(t, plain())
			shop.PublicKeys, shop.Endpoint = []*token.Key{publicOf(t)}, &target.EndpointConfig{URL: url, ChatIDField: "chatId"}
			ids := []string{"FWD-PATTERNS", "FWD-BROAD", "FWD-SHARED-TENANT", "FWD-COVERED", "FWD-UNUSED"}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: ids})
			for _, id := range ids {
				if c := find(t, run, id); c.Outcome != reports.Skipped || !strings.Contains(c.Reason, "(see TOK-COMPACT)") {
					t.Errorf("%s %s: %s", id, c.Outcome, c.Reason)
				}
			}
		})
	}
}

// Where two users can't be told apart, it is said why: all are one to begin with, or
// one answer is given to all. Neither is a mix-up of requests.
func TestUsersWhoAreAllAlikeHaveOneReason(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		auth  func(sign func(sub, chatID string) string) func(user, chatID string) string
		cause string
		says  string
	}{
		"the id is missing, and was made text": {func(sign func(string, string) string) func(string, string) string {
			return func(_, chatID string) string { return sign("undefined", chatID) }
		}, "token-sub-same", "the text of a missing value"},
		"the sub is a constant, or the second login is the first user's": {func(sign func(string, string) string) func(string, string) string {
			return func(_, chatID string) string { return sign("u-42", chatID) }
		}, "two-logins-one-user", "one asks after the other"},
		"a cache keeps the first answer": {func(sign func(string, string) string) func(string, string) string {
			var once sync.Once
			var kept string
			return func(user, chatID string) string {
				once.Do(func() { kept = sign(user, chatID) })
				return kept
			}
		}, "endpoint-answer-kept", "the very same token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := row.auth(func(sub, chatID string) string {
				now := time.Now().Unix()
				return sign(t, map[string]any{"iat": now, "exp": now + 300, "iss": "shop", "sub": sub, "chat": map[string]any{"id": chatID}})
			})
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				json.NewEncoder(w).Encode(map[string]string{"token": answer(r.Header.Get("X-User"), chatIDOf(r))})
			})
			shop := target.Target{PublicKeys: []*token.Key{publicOf(t)}, Endpoint: &target.EndpointConfig{URL: url, ChatIDField: "chatId",
				Header: http.Header{"X-User": {"u-42"}}, RequestForm: target.RequestForm{SecondHeader: http.Header{"X-User": {"u-43"}}}}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-BIND-*", "AUTH-CONCURRENT", "AUTH-FRESH", "TOK-SUB*"}})
			namesAlone(t, run, row.cause, row.says)
		})
	}
}
