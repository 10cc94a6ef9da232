package suites_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// An endpoint of any form can be given by hand, with a second user's session.
func TestGivenEndpointOfEveryFormIsJudged(t *testing.T) {
	t.Parallel()
	form := func(f target.RequestForm) target.EndpointConfig { return target.EndpointConfig{RequestForm: f} }
	for name, tt := range map[string]struct {
		manner fixtures.Manner
		given  target.EndpointConfig
	}{
		"the usual one":  {fixtures.Default, form(target.RequestForm{})},
		"a query":        {fixtures.QueryForm, form(target.RequestForm{Query: map[string]string{"chat": target.ChatID}})},
		"a form":         {fixtures.FieldForm, form(target.RequestForm{Form: map[string]string{"chat_id": target.ChatID}})},
		"text":           {fixtures.TextForm, form(target.RequestForm{Body: target.ChatID})},
		"a path":         {fixtures.PathForm, target.EndpointConfig{Method: http.MethodPut, RequestForm: target.RequestForm{Path: "/kindly/token/chats/" + target.ChatID}}},
		"a header":       {fixtures.HeaderForm, target.EndpointConfig{Method: http.MethodPost, Header: http.Header{"X-Chat-Id": {target.ChatID}}}},
		"a nested token": {fixtures.NestedForm, form(target.RequestForm{Token: "data.kindly.jwt"})},
		"GraphQL": {fixtures.GraphQLForm, form(target.RequestForm{Token: "data.chatToken.token",
			Body: map[string]any{"query": "mutation …", "variables": map[string]any{"input": map[string]any{"chatId": target.ChatID}}}})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop, customer := startReference(t, fixtures.Options{Manner: tt.manner})
			given := tt.given
			given.URL = customer.EndpointURL
			header := given.Header.Clone()
			if header == nil {
				header = http.Header{}
			}
			given.Header = header.Clone()
			given.Header.Set("Cookie", sessionOf(t, customer, customer.Users[0]))
			given.SecondHeader = http.Header{"Cookie": {sessionOf(t, customer, customer.Users[1])}}
			shop.PageURL, shop.Login, shop.Second, shop.Webhooks, shop.Endpoint = "", nil, nil, nil, &given
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH", "LIVE-AUTH-*"}})
			noneIs(t, run, reports.Failed, reports.Warned, reports.Errored)
			for _, id := range []string{"AUTH-POST-TOKEN", "AUTH-NO-SESSION", "AUTH-BAD-SESSION", "AUTH-BIND-CHAT", "AUTH-BIND-SESSION", "AUTH-CHATID-MISSING", "AUTH-IDENTITY-BODY"} {
				if c := find(t, run, id); c.Outcome != reports.Passed && c.Outcome != reports.Informed {
					t.Errorf("%s is %s", id, c.Outcome)
					describe(t, c)
				}
			}
		})
	}
}

// What the file does not say of the endpoint is as the page was seen to ask: the
// method, further headers, where the chat id goes, and whose session it is.
func TestWhatIsNotGivenIsAsThePageAsks(t *testing.T) {
	t.Parallel()
	const callback = `async (id) => { const r = await fetch("/auth/chats/" + id + "?v=2", {method: "PUT", headers: {"X-Client": "web 7", "X-CSRF-Token": "of the page"}}); return r.ok ? (await r.json()).data.jwt : null; }`
	first, second := http.Header{"Authorization": {"Bearer ada-7f21"}}, http.Header{"Authorization": {"Bearer grace-90aa"}}
	for name, tt := range map[string]struct {
		path   string
		header http.Header
		form   target.RequestForm
	}{
		"nothing but the URL":   {path: "/auth/chats/none"},
		"where the chat id is":  {path: "/auth/chats/" + target.ChatID},
		"whose session":         {path: "/auth/chats/" + target.ChatID, header: first, form: target.RequestForm{SecondHeader: second}},
		"all but a header":      {path: "/auth", form: target.RequestForm{Path: "/auth/chats/" + target.ChatID, Query: map[string]string{"v": "2"}, Token: "data.jwt"}},
		"another place for all": {path: "/elsewhere", header: first, form: target.RequestForm{Body: map[string]any{"id": target.ChatID}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := withPage(t, callback, func(w http.ResponseWriter, r *http.Request) {
				subs := map[string]string{"Bearer ada-7f21": "7", "Bearer grace-90aa": "8"}
				sub := subs[r.Header.Get("Authorization")]
				cookie, _ := r.Cookie("sid")
				body, _ := io.ReadAll(r.Body)
				id, byPath := strings.CutPrefix(r.URL.Path, "/auth/chats/")
				switch {
				case sub != "" && (cookie != nil || r.Header.Get("X-CSRF-Token") != ""):
					http.Error(w, "two sessions", http.StatusBadRequest)
					return
				case sub == "" && loggedIn(r) && r.Header.Get("X-CSRF-Token") == "of the page":
					sub = "7"
				}
				if r.URL.Path == "/elsewhere" {
					id = member(body, "id")
				}
				switch {
				case byPath && (r.Method != http.MethodPut || r.URL.Query().Get("v") != "2"), !byPath && r.Method != http.MethodPost:
					http.Error(w, "PUT", http.StatusMethodNotAllowed)
				case r.Header.Get("X-Client") != "web 7":
					http.Error(w, "which client?", http.StatusBadRequest)
				case sub == "":
					http.Error(w, "log in", http.StatusUnauthorized)
				case !uuid(id):
					http.Error(w, "chat id", http.StatusBadRequest)
				default:
					w.Header().Set("Content-Type", "application/json")
					fmt.Fprintf(w, `{"data": {"jwt": %q}}`, mintFor(sub, id))
				}
			})
			given := target.EndpointConfig{URL: at + tt.path, Header: tt.header, RequestForm: tt.form}
			run := suites.RunQuietly(t.Context(), target.Target{PageURL: at + "/", Login: bySID, Endpoint: &given},
				suites.Options{Only: []string{"AUTH-POST-TOKEN", "AUTH-NO-SESSION", "AUTH-BIND-*", "AUTH-CHATID-MISSING"}, Browser: sharedBrowser(t)})
			wants := []string{"AUTH-POST-TOKEN", "AUTH-NO-SESSION", "AUTH-BIND-CHAT", "AUTH-CHATID-MISSING"}
			if tt.form.SecondHeader != nil {
				wants = append(wants, "AUTH-BIND-SESSION")
			}
			for _, id := range wants {
				if c := find(t, run, id); c.Outcome != reports.Passed {
					t.Errorf("%s is %s", id, c.Outcome)
					describe(t, c)
				}
			}
		})
	}
}
