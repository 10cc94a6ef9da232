package mockkindly

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
)

func TestEventsNameTheChecksThatTheyWouldFail(t *testing.T) {
	answer := func(status int, change func(*Delivery)) Event {
		d := &Delivery{Exchange: wire.Exchange{Response: &wire.Response{Status: status, Header: http.Header{"Content-Type": {"application/json"}}}}}
		if change != nil {
			change(d)
		}
		return Event{Kind: WebhookDelivered, Delivery: d}
	}
	client := func(change func(*ClientReport)) Event {
		c := &ClientReport{BotKey: "bot", ScriptID: "kindly-chat", Options: "kindlyOptions", Callback: "function"}
		change(c)
		return Event{Kind: ClientStarted, Client: c}
	}
	call := func(c CallbackReport) Event {
		c.Phase = "settled"
		return Event{Kind: CallbackSettled, Callback: &c}
	}
	for name, tt := range map[string]struct {
		event Event
		want  []string
	}{
		"a sound page":                     {client(func(*ClientReport) {}), nil},
		"no bot key":                       {client(func(c *ClientReport) { c.BotKey = "" }), []string{"PAGE-WIDGET"}},
		"another bot's key":                {client(func(c *ClientReport) { c.WantedKey = "other" }), []string{"PAGE-WIDGET"}},
		"another id":                       {client(func(c *ClientReport) { c.ScriptID = "chat" }), []string{"PAGE-WIDGET"}},
		"no callback":                      {client(func(c *ClientReport) { c.Options, c.Callback = "none", "undefined" }), []string{"PAGE-CALLBACK-DEFINED"}},
		"the other name":                   {client(func(c *ClientReport) { c.Options = "kindlySettings" }), []string{"PAGE-CALLBACK-NAME"}},
		"a token":                          {call(CallbackReport{Outcome: "token", Length: 700}), nil},
		"nobody is logged in":              {call(CallbackReport{Outcome: "empty", Type: "null"}), nil},
		"nothing is returned":              {call(CallbackReport{Outcome: "empty", Type: "undefined"}), []string{"PAGE-CALLBACK-TOKEN"}},
		"an object":                        {call(CallbackReport{Outcome: "not-a-string", Type: "object"}), []string{"PAGE-CALLBACK-TOKEN"}},
		"an error":                         {call(CallbackReport{Outcome: "rejected"}), []string{"PAGE-CALLBACK-TOKEN"}},
		"no function":                      {call(CallbackReport{Outcome: "undefined"}), []string{"PAGE-CALLBACK-DEFINED"}},
		"a slow one":                       {call(CallbackReport{Outcome: "token", Elapsed: 6 * time.Second}), []string{"PAGE-CALLBACK-TIME"}},
		"a token that is new":              {Event{Kind: TokenAccepted, Token: &TokenReport{Reason: Expired, Accepted: true}}, nil},
		"a token that is not":              {Event{Kind: TokenAccepted, Token: &TokenReport{Reason: Expired, Accepted: true, Repeated: true}}, []string{"PAGE-CALLBACK-RENEW"}},
		"an answer":                        {answer(200, nil), nil},
		"an error of the webhook":          {answer(500, nil), []string{"RESP-STATUS"}},
		"a redirect":                       {answer(307, nil), []string{"FWD-REDIRECT"}},
		"a valid token is refused":         {answer(401, func(d *Delivery) { d.WithToken = true }), []string{"HOOK-VALID"}},
		"an expired one is, on purpose":    {answer(401, func(d *Delivery) { d.WithToken, d.ResendOf, d.TokenState = true, 7, TokenExpired }), nil},
		"one signed otherwise, on purpose": {answer(401, func(d *Delivery) { d.Rotated = true }), nil},
		"no JSON":                          {answer(200, func(d *Delivery) { d.AnswerErr = errors.New("no JSON") }), []string{"RESP-JSON"}},
		"JSON that is called otherwise":    {answer(200, func(d *Delivery) { d.Exchange.Response.Header = http.Header{"Content-Type": {"text/html"}} }), []string{"RESP-JSON"}},
		"an answer that is late":           {answer(200, func(d *Delivery) { d.Exchange.Duration = 6 * time.Second }), []string{"RESP-TIME"}},
		"no answer, late": {answer(0, func(d *Delivery) {
			d.Exchange = wire.Exchange{Err: errors.New("timed out"), Duration: 10 * time.Second}
		}), []string{"RESP-TIME"}},
		"nobody there":                        {answer(0, func(d *Delivery) { d.Exchange = wire.Exchange{Err: errors.New("connection refused")} }), []string{"RESP-STATUS"}},
		"what happens without anything wrong": {Event{Kind: MessageReceived, Message: &Message{Text: "hello"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(tt.event)
			if err != nil {
				t.Fatal(err)
			}
			var got struct{ Breaks []string }
			if err := json.Unmarshal(text, &got); err != nil || !slices.Equal(got.Breaks, tt.want) {
				t.Errorf("%v: it breaks %q, want %q", err, got.Breaks, tt.want)
			}
		})
	}
}
