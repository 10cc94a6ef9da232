package advice

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// Kindly says what Kindly does where a requirement is broken, and how that is
// known.
func Kindly(r rule.Rule) string { return kindly(r, basis(r)) }

// KindlySeen is Kindly where a team has seen for itself what the requirement rests on.
func KindlySeen(r rule.Rule, by string, seen []string) string {
	return kindly(r, strings.ToUpper(by[:1])+by[1:]+": "+strings.Join(seen, "; ")+".")
}

func kindly(r rule.Rule, known string) string {
	return strings.TrimSpace(cmp.Or(r.Kindly, ofKindly[r.Area()]) + " " + known)
}

// ofKindly is what is known of Kindly in an area, where a requirement says nothing of its own.
var ofKindly = map[string]string{
	"PAGE": "Its client calls getAuthToken with the id of a chat that exists, on every connect (seen in its mobile SDKs; the web client's rules are unpublished).",
	"AUTH": "It never calls this endpoint: your page does, and hands the token on.",
	"TOK":  "It verifies the token with the key that you uploaded. Its mobile SDKs drop a token that the server refuses, and go on without until the next connect.",
	"FWD":  "It sends the token only to domains that chat.webhook_domains lists, never to all of a bot's webhooks.",
	"HOOK": "It forwards the token as it is, as Authorization: Bearer. Whether to believe it is for the webhook to find out.",
	"SIG":  "Kindly-HMAC is base64(HMAC-SHA256(raw body, secret)), with the secret's own bytes. It covers the body only.",
	"RESP": "It reads a JSON object with status 200. What it does with any other status is unpublished.",
	"LIVE": "Its time-out and its retries are unpublished; the bursts and bodies here are kindlytest's choice.",
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
