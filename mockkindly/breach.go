package mockkindly

import (
	"net/http"
	"time"

	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

// A Breach is a requirement that an event shows not to hold, as kindlytest run
// would find.
type Breach struct {
	ID  string // of the check: "PAGE-CALLBACK-TOKEN"
	Fix string // what helps here; "" for what always does
}

// slow is how long a callback and a webhook may take, as PAGE-CALLBACK-TIME and
// RESP-TIME have it.
const slow = 5 * time.Second

const fixFind = " Run the webhook's checks: they try the known mistakes, and name yours."

// fixOfStatus says what helps where a webhook answers with a status; "" for what always
// does. Which mistake it is, a run of the checks finds out.
func fixOfStatus(status int) string {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return "It turns Kindly away: it does not accept the signature, or something before it wants a login or a CSRF token. Only a webhook for members alone may refuse a stranger so." + fixFind
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return "Nothing takes a POST at that address: compare its path with the webhook's route, and see what a proxy cuts off."
	case status == http.StatusBadRequest, status == http.StatusUnsupportedMediaType, status == http.StatusUnprocessableEntity:
		return "It does not take the request, and its answer says why. Read the body as JSON, by the names that Kindly uses, and take no notice of fields that you don't know." + fixFind
	case status == http.StatusBadGateway, status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		return "A gateway answers in the webhook's place: see that the app behind it runs, and answers in time."
	case status >= http.StatusInternalServerError:
		return "The webhook fails with an error: its own log says of what." + fixFind
	}
	return ""
}

// Breaches are those of an event, beside the violations of its token and the
// problems of its answer, which stand there with their own words.
func (e Event) Breaches() []Breach {
	switch {
	case e.Client != nil:
		return e.Client.Breaches()
	case e.Callback != nil:
		return e.Callback.Breaches()
	case e.Token != nil && e.Token.Repeated && e.Token.Reason == Expired:
		return []Breach{{ID: "PAGE-CALLBACK-RENEW"}}
	case e.Delivery != nil:
		return e.Delivery.Breaches()
	}
	return nil
}

// Breaches are what a page did wrong before the client could do anything.
func (c ClientReport) Breaches() []Breach {
	var found []Breach
	switch {
	case c.BotKey == "":
		found = append(found, Breach{"PAGE-WIDGET", "Give the script element its data-bot-key: without it there is no chat."})
	case c.WantedKey != "":
		found = append(found, Breach{"PAGE-WIDGET", "Give the script element the key of the bot that is configured (bot.key): it has another one's."})
	case c.ScriptID != "kindly-chat":
		found = append(found, Breach{"PAGE-WIDGET", `Give the script element the id kindly-chat: the client looks for it.`})
	}
	switch {
	case c.Callback != "function":
		found = append(found, Breach{ID: "PAGE-CALLBACK-DEFINED"})
	case c.Options == "kindlySettings":
		found = append(found, Breach{ID: "PAGE-CALLBACK-NAME"})
	}
	return found
}

// Breaches are what was wrong about a call that has settled. That there is no token
// for whoever is not logged in is right.
func (c CallbackReport) Breaches() []Breach {
	var found []Breach
	switch {
	case c.Outcome == "undefined":
		found = append(found, Breach{"PAGE-CALLBACK-DEFINED", c.Fix()})
	case c.Outcome == "empty" && c.Type != "undefined":
	case c.Fix() != "":
		found = append(found, Breach{"PAGE-CALLBACK-TOKEN", c.Fix()})
	}
	if c.Elapsed > slow {
		found = append(found, Breach{ID: "PAGE-CALLBACK-TIME"})
	}
	return found
}

// Breaches are what was wrong about the answer as a whole. What was spoilt on
// purpose is rightly refused.
func (d *Delivery) Breaches() []Breach {
	if d.Rotated || d.ResendOf != 0 && d.TokenState != TokenSame && d.TokenState != "" {
		return nil
	}
	var found []Breach
	switch status := d.Exchange.Status(); {
	case d.Exchange.Kind() == wire.KindCanceled:
		return nil
	case d.Exchange.Response == nil && d.Exchange.Duration > slow: // that is told below
	case d.Exchange.Response == nil:
		found = append(found, Breach{"RESP-STATUS", "Look whether the webhook runs, and listens at this address: there was no answer."})
	case status >= 300 && status < 400:
		found = append(found, Breach{ID: "FWD-REDIRECT"})
	case d.WithToken && (status == 401 || status == 403):
		found = append(found, Breach{"HOOK-VALID", "It turns away a request with a valid token: for the token, for the signature, or something before it takes Authorization for its own." + fixFind})
	case status != 200:
		found = append(found, Breach{"RESP-STATUS", fixOfStatus(status)})
	case d.AnswerErr != nil:
		found = append(found, Breach{ID: "RESP-JSON"})
	case !webhook.SaysJSON(d.Exchange.Response.Header):
		found = append(found, Breach{"RESP-JSON", "Send Content-Type: application/json with it."})
	}
	if d.Exchange.Duration > slow {
		found = append(found, Breach{ID: "RESP-TIME"})
	}
	return found
}
