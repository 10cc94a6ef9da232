package mockkindly

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

func TestALineSaysWhatIsWrong(t *testing.T) {
	const page = "https://shop.example.com/orders?session=0123456789abcdef#x"
	answered := wire.Exchange{Duration: 12 * time.Millisecond, Response: &wire.Response{Status: 200}}
	refused := token.Result{Violations: []token.Violation{
		{Rule: rule.Rule{ID: "TOK-NAME"}, Level: rule.Should, Actual: "no name", Fix: "Give one."},
		{Rule: rule.Rule{ID: "TOK-EXP-MAX", Refused: "documented"}, Level: rule.Must, Actual: "exp is 1800 s after iat", Fix: "Set exp to at most 900 s after iat."},
	}}
	secrets := &redact.Redactor{}
	secrets.Learn("sesame-open-sesame")
	for name, row := range map[string]struct {
		event Event
		want  Line
	}{
		"a page without a bot":           {Event{Client: &ClientReport{Options: "kindlyOptions", Callback: "function", PageURL: page}}, Line{Wrong: true, Reason: "the script element has no data-bot-key, so that there is no chat: shop.example.com/orders"}},
		"a page without options":         {Event{Client: &ClientReport{BotKey: "b", Options: "none", PageURL: page}}, Line{Wrong: true, Reason: "window.kindlyOptions is not defined: shop.example.com/orders"}},
		"a page without a callback":      {Event{Client: &ClientReport{BotKey: "b", Options: "kindlyOptions", PageURL: page}}, Line{Wrong: true, Reason: "window.kindlyOptions has no getAuthToken: shop.example.com/orders"}},
		"a page":                         {Event{Client: &ClientReport{BotKey: "b", Options: "kindlyOptions", Callback: "function", PageURL: page}}, Line{Reason: "shop.example.com/orders"}},
		"a callback":                     {Event{Callback: &CallbackReport{Phase: "called", Reason: "INITIAL_CONNECT"}}, Line{Reason: "INITIAL_CONNECT"}},
		"a callback's token":             {Event{Callback: &CallbackReport{Phase: "settled", Outcome: "token", Elapsed: time.Second, Reason: "EXPIRED"}}, Line{Status: "token", Took: time.Second, Reason: "EXPIRED"}},
		"a callback that is not there":   {Event{Callback: &CallbackReport{Phase: "settled", Outcome: "undefined"}}, Line{Status: "undefined", Wrong: true, Reason: "Define window.kindlyOptions.getAuthToken before Kindly's script runs."}},
		"a token that is refused":        {Event{Token: &TokenReport{Result: refused}}, Line{Status: "refused", Wrong: true, Reason: "TOK-EXP-MAX: exp is 1800 s after iat. Set exp to at most 900 s after iat."}},
		"a token that is taken":          {Event{Token: &TokenReport{Accepted: true, Reason: "INITIAL_CONNECT"}}, Line{Status: "accepted", Reason: "INITIAL_CONNECT"}},
		"a token that is taken unsound":  {Event{Token: &TokenReport{Accepted: true, Result: token.Result{Violations: refused.Violations[:1]}}}, Line{Status: "accepted", Wrong: true, Reason: "TOK-NAME: no name. Give one."}},
		"a token that can't be judged":   {Event{Token: &TokenReport{Result: token.Result{Unjudged: []token.Unjudged{{Rule: rule.Rule{ID: "TOK-SIGNATURE"}, Reason: "no public key"}}}}}, Line{Status: "refused", Wrong: true, Reason: "TOK-SIGNATURE: no public key"}},
		"a token refused on purpose":     {Event{Token: &TokenReport{OnPurpose: true}}, Line{Status: "refused", Wrong: true, Reason: "on purpose, by the fault refuse_tokens"}},
		"a message with a secret":        {Event{redact: secrets, Message: &Message{Text: "say\nsesame-open-sesame"}}, Line{Reason: "say [removed]"}},
		"a message that is a button":     {Event{Message: &Message{Slug: "greeting"}}, Line{Reason: "greeting"}},
		"a delivery with the token":      {Event{Delivery: &Delivery{Webhook: "orders", Exchange: answered, WithToken: true}}, Line{Status: "200", Took: 12 * time.Millisecond, Reason: "orders: with the token"}},
		"a delivery without it":          {Event{Delivery: &Delivery{Webhook: "orders", Exchange: answered, Reason: "The chat is not authenticated."}}, Line{Status: "200", Took: 12 * time.Millisecond, Reason: "orders: without the token: The chat is not authenticated."}},
		"a delivery that is not read":    {Event{Delivery: &Delivery{Webhook: "orders", Exchange: answered, AnswerErr: errors.New("it is not JSON")}}, Line{Status: "200", Took: 12 * time.Millisecond, Wrong: true, Reason: "orders: it is not JSON"}},
		"a delivery with another status": {Event{Delivery: &Delivery{Webhook: "orders", Exchange: wire.Exchange{Response: &wire.Response{Status: 401}}}}, Line{Status: "401", Wrong: true, Reason: "orders: Kindly shows no reply but that of a 200"}},
		"a delivery without an answer":   {Event{Delivery: &Delivery{Webhook: "orders", Exchange: wire.Exchange{Err: errors.New("broken pipe")}}}, Line{Status: "failed", Wrong: true, Reason: "orders: no answer: broken pipe"}},
		"a delivery that took too long":  {Event{Delivery: &Delivery{Webhook: "orders", Exchange: wire.Exchange{Duration: 3 * time.Second, Err: context.DeadlineExceeded}}}, Line{Status: "timed out", Took: 3 * time.Second, Wrong: true, Reason: "orders: no answer within the time that Kindly waits"}},
		"a chat":                         {Event{Chat: "2c1f"}, Line{Reason: "2c1f"}},
	} {
		if got := row.event.Line(); got != row.want {
			t.Errorf("%s: %+v, want %+v", name, got, row.want)
		}
	}
	// A secret that is cut off where nobody looks further shows no part of itself.
	hidden := strings.Repeat("sesame-open-sesame ", 100) + strings.Repeat("x", maxLooked-100*19-9) + "sesame-open-sesame"
	if got := (Event{redact: secrets, Message: &Message{Text: hidden}}).shown(hidden); strings.Contains(got, "sesame") {
		t.Errorf("%q", got)
	}
	if got := (Event{Message: &Message{Text: strings.Repeat("é", 10_000)}}).Line(); len(got.Reason) > maxLine+len("…") {
		t.Errorf("%d bytes", len(got.Reason))
	}
}
