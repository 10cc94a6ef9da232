package suites_test

import (
	"net/http"
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
