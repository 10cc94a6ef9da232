package causes

import (
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
)

// endpointsOfTokens are checks of the endpoint that compare a token with what was
// asked for: they can't where its chat is not what it should be.
var endpointsOfTokens = []string{"AUTH-BIND-CHAT", "AUTH-CONCURRENT", "AUTH-BODY-TEXT-PLAIN", "LIVE-AUTH-BURST"}

// besides are checks that fail of a token's mistake outside of the token. What an
// endpoint signs, its webhooks take: that is the same mistake, unless the webhook
// makes one of its own.
var besides = map[string][]string{
	"token-wrong-algorithm": {"HOOK-ALG-OTHER"},
	"token-milliseconds":    {"HOOK-IAT", "HOOK-EXP-*"},
}

// ofUnits are the diagnoses of how a token's times are written. Each claim that is
// written so is diagnosed by itself, and what they mean is judged all the same.
var ofUnits = []token.Diagnosis{token.Milliseconds, token.TimeAsText, token.TimeWithFraction, token.TimeIsNull}

// ofTimes are the diagnoses of a token's times, which are one matter: where iat
// is wrong, so is what is counted from it.
var ofTimes = []token.Diagnosis{token.DurationForInstant, token.LifetimeAsText,
	token.LifetimeInMilliseconds, token.ExpiryBeforeIssue, token.TimeZone, token.ClockAhead, token.ClockOrKept}

// ofTokens are the diagnoses of token, which knows what is wrong with one.
func ofTokens() []Cause {
	var out []Cause
	for _, d := range token.Diagnoses() {
		c := Cause{ID: d.ID, Title: strings.TrimSuffix(d.Title, ".") + ".", Fix: d.Fix, Owner: Token, Severity: reports.High, Explains: explainedBy(d), Besides: besides[d.ID],
			Consequence: "Kindly refuses the token, or reads it wrongly: your users are strangers in every chat."}
		if d.ID == token.Unsigned.ID || d.ID == token.HMACPublicKey.ID {
			c.Severity, c.Consequence = reports.Critical, "Anybody can make such a token. Whoever takes it takes anybody's word for who they are."
		}
		if d.ID == token.DomainsElsewhere.ID {
			c.Consequence = "Kindly forwards the token to no webhook: whoever is logged in is a stranger there."
		}
		out = append(out, c)
	}
	return out
}

// ofClaims are mistakes of tokens that are inferred.
var ofClaims = []Cause{
	{ID: "token-chat-not-object", Title: "The claim chat is not the object that Kindly reads.", Severity: reports.High, Owner: Token,
		Consequence: "Kindly finds no chat in the token: your users are strangers in every chat.",
		Fix:         `Write chat as an object: {"id": "…", "webhook_domains": ["…"]}.`,
		When:        []string{"TOK-CHAT"}, Explains: append([]string{"TOK-CHAT", "TOK-CHAT-*", "FWD-COVERED", "HOOK-CHAT-TYPE"}, endpointsOfTokens...)},
	{ID: "domains-malformed", Title: "An entry of webhook_domains is written as Kindly does not read it.", Severity: reports.High, Owner: Token,
		Consequence: "Kindly calls the webhook for which it is meant without the token: whoever is logged in is a stranger there.",
		Explains:    []string{"FWD-PATTERNS", "FWD-UNUSED"}},
	{ID: "domains-too-broad", Title: "An entry of webhook_domains stands for everything, or for all names of a suffix.", Severity: reports.High, Owner: Token,
		Consequence: "Kindly forwards the token to none of your webhooks for it, or to whoever has a name under that suffix.",
		Explains:    []string{"FWD-BROAD", "FWD-UNUSED"}},
	{ID: "token-born-expired", Title: "Tokens have expired when they are made.", Severity: reports.High, Owner: Token,
		Consequence: "Kindly refuses every token: your users are strangers in every chat.",
		Fix:         "Set exp to the present time in seconds plus some minutes.",
		When:        []string{"TOK-EXP-FUTURE"}, Explains: []string{"TOK-EXP-FUTURE", "AUTH-FRESH", "PAGE-CALLBACK-RENEW"}},
}

// explainedBy lists what fails of a diagnosis beside the rules that made it.
func explainedBy(d token.Diagnosis) []string {
	switch {
	case slices.Contains(ofUnits, d):
		return nil
	case slices.Contains(ofTimes, d):
		return []string{"TOK-IAT", "TOK-IAT-*", "TOK-EXP", "TOK-EXP-*", "TOK-NBF", "PAGE-CALLBACK-RENEW", "AUTH-FRESH"}
	case d == token.ForAnotherService: // nothing in it is meant for Kindly
		return append([]string{"TOK-COMPACT", "TOK-JSON", "TOK-ALG", "TOK-SIGNATURE", "TOK-CLAIM-NAMES", "TOK-CHAT", "TOK-CHAT-*", "TOK-EXP", "TOK-EXP-*", "TOK-IAT-*", "TOK-SUB", "TOK-SUB-*", "TOK-NAME*", "TOK-EMAIL*", "TOK-SIZE", "FWD-COVERED", "FWD-PATTERNS", "FWD-DELIVERED", "AUTH-FRESH", "AUTH-POST-TOKEN", "PAGE-CALLBACK-FRESH", "PAGE-CALLBACK-RENEW"}, endpointsOfTokens...)
	case d == token.ChatIDChanged:
		return append([]string{"TOK-CHAT", "TOK-CHAT-ID", "AUTH-CHATID-HOSTILE"}, endpointsOfTokens...)
	case d == token.ChatIDMisnamed:
		return append([]string{"TOK-CHAT-ID", "TOK-CLAIM-NAMES", "AUTH-CHATID-HOSTILE", "PAGE-CALLBACK-FRESH"}, endpointsOfTokens...)
	case d == token.ChatIDNotRead:
		return []string{"TOK-CHAT", "TOK-CHAT-ID", "AUTH-POST-TOKEN", "PAGE-CALLBACK-FRESH"}
	case d == token.ChatElsewhere:
		return []string{"TOK-CHAT", "TOK-CHAT-ID", "TOK-CLAIM-NAMES"}
	case d == token.DomainsElsewhere:
		return []string{"TOK-CLAIM-NAMES", "FWD-COVERED"}
	case d == token.ClaimsNested:
		return append([]string{"TOK-CHAT", "TOK-CHAT-*", "TOK-SUB", "TOK-SUB-*", "TOK-CLAIM-NAMES", "TOK-NAME*", "TOK-EMAIL*", "TOK-ISS*", "FWD-COVERED", "HOOK-CHAT-TYPE"}, endpointsOfTokens...)
	case d == token.NamesInCapitals:
		return append([]string{"TOK-CHAT", "TOK-CHAT-*", "TOK-CLAIM-NAMES", "FWD-COVERED", "HOOK-CHAT-TYPE"}, endpointsOfTokens...)
	case d == token.SubjectAsNumber:
		return []string{"TOK-SUB", "TOK-SUB-*"}
	case d == token.SubjectElsewhere:
		return []string{"TOK-SUB", "TOK-SUB-*", "TOK-CLAIM-NAMES"}
	}
	return []string{"TOK-COMPACT", "TOK-JSON", "TOK-ALG", "TOK-SIGNATURE"} // how it is written and signed
}
