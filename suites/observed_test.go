package suites_test

import (
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// odd is a Kindly that does everything otherwise.
const odd = `{"version":1,"tool":"a test","deliveries":214,"first":"2026-03-03T10:00:00Z","last":"2026-03-03T11:00:00Z","habits":{
"timeout_ms":3000,"retry_after_ms":[300,900],"follows_redirects":true,"user_agents":{"Kindly-Hooks/2.4":214},"protocols":{"HTTP/1.1":214},
"content_types":{"application/json; charset=utf-8":214},"bodies":214,
"members":{"organization_id":{"seen":214,"types":{"integer":214},"values":{"77":214}},"bot_id":{"seen":214,"types":{"string":214},"values":{"\"b-12\"":214}},
"chat_id":{"seen":214,"types":{"string":214},"formats":{"uuid":214}},"user_id":{"seen":214,"types":{"string":214},"formats":{"digits":214}},"message":{"seen":214,"types":{"string":214}},
"chat_labels":{"seen":214,"types":{"null":214}},"context":{"seen":214,"types":{"object":214}},"exchange":{"seen":214,"types":{"object":214}},
"exchange.exchange_id":{"seen":214,"types":{"string":214},"formats":{"uuid":214}},"exchange.confidence":{"seen":214,"types":{"number":214}},
"source":{"seen":214,"types":{"string":214},"values":{"\"web\"":214}},"sent_at":{"seen":200,"types":{"string":200},"formats":{"date-time":200}},"locale":{"seen":214,"types":{"object":214}},"locale.country":{"seen":214,"types":{"string":214}}},
"headers":{"content-type":{"seen":214},"kindly-hmac":{"seen":214},"kindly-hmac-algorithm":{"seen":214},"authorization":{"seen":214},"user-agent":{"seen":214},"transfer-encoding":{"seen":214},
"accept":{"seen":214,"values":{"application/json":214}},"x-kindly-delivery":{"seen":214,"formats":{"uuid":214}}},
"client":{"visits":4,"first":"2026-03-03T10:00:00Z","last":"2026-03-03T11:00:00Z","seconds":30,"calls":2,"first_call_ms":300,"arguments":["uuid","object{chat_id,why}"],
"renew_before_ms":2000,"threw":1,"after_throw_ms":[400],"empty":1,"after_empty_ms":[700],"slowest_ms":4000,"after_slow_ms":[2500],"events":["kindly:load","kindly:ready"],"methods":["identify"],
"hosts":[{"kind":"script","origin":"https://chat.kindlycdn.com","requests":1},{"kind":"script","origin":"https://edge.kindly-static.example","requests":1},{"kind":"style","origin":"https://edge.kindly-static.example","requests":1},{"kind":"font","origin":"https://edge.kindly-static.example","requests":1},
{"kind":"image","origin":"https://edge.kindly-static.example","requests":1},{"kind":"frame","origin":"https://edge.kindly-static.example","requests":1},{"kind":"media","origin":"https://edge.kindly-static.example","requests":1},{"kind":"connect","origin":"https://api.kindly-static.example","requests":1},{"kind":"connect","origin":"wss://live.push.example","requests":1}]}},
"rows":[{"id":"request.timeout","contract":"10.0 s","fidelity":"assumed","verdict":"differs","observed":"Kindly hung up after 3.0 s","deliveries":3,"first":"2026-03-03T10:00:00Z","last":"2026-03-03T11:00:00Z"},
{"id":"client.hosts","contract":"chat.kindlycdn.com and bot.kindly.ai","fidelity":"assumed","verdict":"differs","observed":"script https://edge.kindly-static.example","deliveries":4,"first":"2026-03-03T10:00:00Z","last":"2026-03-03T11:00:00Z"}]}`

// TestASoundCustomerIsSoundForAnyKindly runs everything as a Kindly that does it otherwise.
func TestASoundCustomerIsSoundForAnyKindly(t *testing.T) {
	t.Parallel()
	seen, err := observed.Parse([]byte(odd))
	if err != nil {
		t.Fatal(err)
	}
	shop := start(t, fixtures.Options{})
	o := options(t, shop)
	o.Observed = seen
	run := suites.RunQuietly(t.Context(), shop, o)
	noneIs(t, run, reports.Failed, reports.Warned, reports.Errored)
	told := map[string]string{}
	for _, c := range run.Checks {
		told[c.ID] = c.KnownFrom()
	}
	for id, want := range map[string]string{
		"RESP-TIME": "observed by you, 3 deliveries, 3 March 2026", "PAGE-CSP": "observed by you, 4 visits, 3 March 2026", "RESP-METHOD": "assumed", "TOK-ALG": "documented",
	} {
		if told[id] != want {
			t.Errorf("%s is known from %q; want %q", id, told[id], want)
		}
	}
	contradicted := 0
	for _, n := range run.Notes {
		if strings.HasPrefix(n.Text, "Kindly does otherwise: ") {
			contradicted++
		}
	}
	if contradicted != 2 {
		t.Errorf("%d contradictions are told: %v", contradicted, run.Notes)
	}
}
