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
	return strings.TrimSpace(cmp.Or(ofKindly[r.ID], ofKindly[r.Area()]) + " " + known)
}

// ofKindly is what is known of Kindly in the place of a check, or else of an
// area.
var ofKindly = map[string]string{
	"PAGE": "Its client calls getAuthToken with the id of a chat that exists, on every connect (seen in its mobile SDKs; the web client's rules are unpublished).",
	"AUTH": "It never calls this endpoint: your page does, and hands the token on.",
	"TOK":  "It verifies the token with the key that you uploaded. Its mobile SDKs drop a token that the server refuses, and go on without until the next connect.",
	"FWD":  "It sends the token only to domains that chat.webhook_domains lists, never to all of a bot's webhooks.",
	"HOOK": "It forwards the token as it is, as Authorization: Bearer. Whether to believe it is for the webhook to find out.",
	"SIG":  "Kindly-HMAC is base64(HMAC-SHA256(raw body, secret)), with the secret's own bytes. It covers the body only.",
	"RESP": "It reads a JSON object with status 200. What it does with any other status is unpublished.",
	"LIVE": "Its time-out and its retries are unpublished; the bursts and bodies here are kindlytest's choice.",

	"PAGE-CALLBACK-NAME":   "Its documentation says kindlySettings once, in prose; every sample says kindlyOptions.",
	"PAGE-CALLBACK-TIME":   "How long its client waits is unpublished.",
	"PAGE-CALLBACK-RENEW":  "Its mobile SDKs ask again when the token has about 30 s left; the rules of the web client are unpublished.",
	"PAGE-CALLBACK-KEPT":   "Its documentation defines the callback once. Whether its web client looks for it again is unpublished.",
	"PAGE-LOGGED-OUT":      "An empty or missing token means: go on unauthenticated.",
	"PAGE-ERRORS":          "Its mobile SDKs log a callback that throws, and go on unauthenticated.",
	"PAGE-CSP":             "The client loads from chat.kindlycdn.com. Which hosts it talks to is not fully published.",
	"AUTH-POST-TOKEN":      "It calls the page's callback and nothing else: how that gets the token is up to you.",
	"AUTH-FORM":            "The documented callback reads the field token of the answer.",
	"AUTH-BODY-TEXT-PLAIN": "Its browser sample sets no Content-Type, so browsers send text/plain.",
	"AUTH-FRESH":           "Its mobile SDKs ask for a new one about 30 s before exp.",
	"HOOK-ANONYMOUS":       "It calls the webhook without Authorization where the chat is not authenticated, or the domain is not listed.",
	"HOOK-SCHEME":          "It sends Authorization: Bearer, and nothing else.",
	"HOOK-LIFETIME":        "exp is at most 15 minutes after iat.",
	"HOOK-ALG-OTHER":       "It takes RS256 only, so that no such token comes from there.",
	"HOOK-UNVERIFIED":      "Only verified addresses are stored.",
	"HOOK-ESCAPES":         "Replies may hold simple HTML.",
	"HOOK-TOKEN-ECHO":      "Its debug console shows each answer with headers.",
	"RESP-JSON":            "It wants a JSON object; {} is accepted.",
	"RESP-ADDITIVE":        "Additive changes ship unannounced.",
	"RESP-SPARSE":          "web_host, web_path and web_url are there for web clients only.",
	"RESP-REPEAT":          "The signature covers the body only: no time stamp, no protection from replay. Whether it retries is unpublished.",
	"TOK-ALG":              "It takes RS256, signed and not encrypted.",
	"TOK-KEY-PUBLISHED":    "The demo key belongs to a published example; integrations are copied from there.",
	"TOK-EXP-MAX":          "exp is at most 15 minutes after iat.",
	"TOK-ISS":              "iss stands in its table of claims; both of its server samples leave it out.",
	"TOK-NAME":             "The name is shown in Chat and Inbox.",
	"TOK-EMAIL":            "The address is shown; only a verified one is stored.",
	"TOK-EMAIL-STORED":     "Only verified addresses are stored.",
	"TOK-PHONE":            "The number is shown; only a verified one is stored.",
	"TOK-PHONE-STORED":     "Only verified numbers are stored.",
	"TOK-PICTURE":          "It must be publicly reachable.",
	"TOK-CLAIM-NAMES":      "Any other claim is allowed beside those that it reads.",
	"FWD-HTTPS":            "It documents that localhost can't be on the list; whether it forwards to http is unpublished.",
	"FWD-BROAD":            "Whether it takes such an entry is undocumented.",
	"FWD-REDIRECT":         "Whether it follows redirects is unpublished; kindlytest's mock does not.",
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
