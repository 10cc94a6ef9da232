package advice

import (
	"fmt"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// A note is what is to be said about one requirement.
type note struct {
	why    string // what happens to the user, or what an attacker gains; "" where the rule says it
	kindly string // what Kindly does in this place, where that is known; "" leaves it to the area
}

// areas hold the notes, and what is known of Kindly wherever a note is silent.
var areas = map[string]struct {
	notes  map[string]note
	kindly string
}{
	"PAGE": {pageNotes, "Its client calls getAuthToken with the id of a chat that exists, on every connect (seen in its mobile SDKs; the web client's rules are unpublished)."},
	"AUTH": {authNotes, "It never calls this endpoint: your page does, and hands the token on."},
	"TOK":  {tokenNotes, "It verifies the token with the key that you uploaded. Its mobile SDKs drop a token that the server refuses, and go on without until the next connect."},
	"FWD":  {forwardNotes, "It sends the token only to domains that chat.webhook_domains lists, never to all of a bot's webhooks."},
	"HOOK": {hookNotes, "It forwards the token as it is, as Authorization: Bearer. Whether to believe it is for the webhook to find out."},
	"SIG":  {signatureNotes, "Kindly-HMAC is base64(HMAC-SHA256(raw body, secret)), with the secret's own bytes. It covers the body only."},
	"RESP": {answerNotes, "It reads a JSON object with status 200. What it does with any other status is unpublished."},
	"LIVE": {liveNotes, "Its time-out and its retries are unpublished; the bursts and bodies here are kindlytest's choice."},
}

// Why says why a requirement matters; "" for an ID that is none. The rules of
// tokens say it themselves.
func Why(id string) string {
	for _, r := range token.Rules() {
		if r.ID == id {
			return r.Why
		}
	}
	return noteOf(id).why
}

// Kindly says what Kindly does where a requirement is broken, and how that is
// known.
func Kindly(r rule.Rule) string {
	text := noteOf(r.ID).kindly
	if text == "" {
		text = areas[r.Area()].kindly
	}
	return strings.TrimSpace(text + " " + basis(r))
}

func noteOf(id string) note {
	area, _, _ := strings.Cut(id, "-")
	return areas[area].notes[id]
}

// basis says how firmly a requirement stands.
func basis(r rule.Rule) string {
	switch {
	case r.Fidelity == rule.Observed:
		return "The requirement was observed in code that Kindly publishes, and may change."
	case r.Fidelity == rule.Assumed:
		return "Kindly says nothing about this: the requirement is an assumption of kindlytest."
	case strings.HasPrefix(r.Source, "https://docs.kindly.ai/"):
		return "The requirement follows from Kindly's documentation."
	}
	return fmt.Sprintf("The requirement is a standard's or an advisory's: %s", r.Source)
}

// IDs are the requirements that this package knows, in no order.
func IDs() []string {
	var ids []string
	for _, a := range areas {
		for id := range a.notes {
			ids = append(ids, id)
		}
	}
	for _, r := range token.Rules() {
		if _, noted := tokenNotes[r.ID]; !noted {
			ids = append(ids, r.ID)
		}
	}
	return ids
}
