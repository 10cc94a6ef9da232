package forge

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A TokenMistake is one wrong expectation of a token.
type TokenMistake struct {
	ID, Name, Fix string
	Shift         time.Duration  // of the clock by which the token is made
	Claims        map[string]any // that it must have; nil: must not have
	ChatClaim     string         // in which it must have the chat id too; "": in none
	MaxClaim      int            // bytes of the longest claim that it may have; 0: any
	Alg           string         // by which it must be signed; "": RS256
	Secret        string         // by which it must be signed with HS256 instead of the private key
	Milliseconds  bool           // in which its times must be
	Capitals      bool           // in which its chat.id must be
}

// ClaimsFor are the claims that it must have in a chat.
func (m TokenMistake) ClaimsFor(chatID string) map[string]any {
	if m.ChatClaim == "" {
		return m.Claims
	}
	out := map[string]any{m.ChatClaim: chatID}
	maps.Copy(out, m.Claims)
	return out
}

// Chat is a chat id as it must be written.
func (m TokenMistake) Chat(id string) string {
	if m.Capitals {
		return strings.ToUpper(id)
	}
	return id
}

// Time is a point in time as it must be written.
func (m TokenMistake) Time(t time.Time) int64 {
	if m.Milliseconds {
		return t.UnixMilli()
	}
	return t.Unix()
}

// Otherwise says whether it is signed in another way than tokens for Kindly are:
// who expects that can't be judged as if nothing were wrong.
func (m TokenMistake) Otherwise() bool { return m.Alg != "" || m.Secret != "" }

// Known is what the mistakes about tokens are made of: what the webhook has to do
// with besides the token.
type Known struct {
	URL    string // the webhook's
	Secret string // for signatures; "" where there is none
	Issuer string // of sound tokens
}

// TokenMistakes are those that a webhook may make of a valid token.
func TokenMistakes(known Known) []TokenMistake {
	const clock = "Set the clock of the webhook's server (NTP), or allow a leeway of a minute."
	const zone = "Compare iat and exp with the time in UTC: the webhook takes local time for it."
	all := []TokenMistake{
		{ID: "token-too-large", Name: "a smaller token", Fix: "Keep only the claims that Kindly and your webhooks read: servers refuse long headers.", MaxClaim: 256},
		{ID: "webhook-clock", Name: "an iat that is 90 s ago: its clock is behind", Fix: clock, Shift: -90 * time.Second},
		{ID: "webhook-clock", Name: "an iat that is 5 minutes ago: its clock is behind", Fix: clock, Shift: -5 * time.Minute},
		{ID: "webhook-clock", Name: "an iat that is 15 minutes ago: its clock is behind", Fix: clock, Shift: -15 * time.Minute},
		{ID: "webhook-clock", Name: "an iat 5 minutes ahead: its clock is fast", Fix: clock, Shift: 5 * time.Minute},
		{ID: "webhook-clock", Name: "an iat 15 minutes ahead: its clock is fast", Fix: clock, Shift: 15 * time.Minute},
	}
	for _, hours := range []time.Duration{-1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6, -7, 7, -8, 8, -9, 9, -10, 10, -11, 11, -12, 12} {
		name := "an iat some whole hours ago: it takes local time for UTC"
		if hours > 0 {
			name = "an iat some whole hours ahead: it takes local time for UTC"
		}
		all = append(all, TokenMistake{ID: "webhook-time-zone", Name: name, Fix: zone, Shift: hours * time.Hour})
	}
	all = append(all, TokenMistake{ID: "webhook-wants-milliseconds", Name: "a token whose times are in milliseconds",
		Fix: "Compare iat and exp with seconds: Math.floor(Date.now() / 1000), System.currentTimeMillis() / 1000.", Milliseconds: true})
	all = append(all, TokenMistake{ID: "webhook-changes-chat", Name: "a token whose chat.id is in capitals",
		Fix: "Compare chat.id with the request's chat_id as they are, and let the endpoint sign the chat id as it came.", Capitals: true})
	for _, name := range []string{"chat_id", "chatId", "chatID"} {
		all = append(all, TokenMistake{ID: "webhook-misses-chat", Name: "a token with the chat id in the claim " + name,
			Fix: "Compare the claim chat.id with the request's chat_id: tokens for Kindly have it there, and need no " + name + ".", ChatClaim: name})
	}
	for _, alg := range []string{"RS512", "RS384", "PS256"} {
		all = append(all, TokenMistake{ID: "webhook-wants-algorithm", Name: "a token that is signed with " + alg,
			Fix: `Accept RS256, and nothing else: algorithms: ["RS256"]. Tokens for Kindly are signed so.`, Alg: alg})
	}
	if known.Secret != "" {
		all = append(all, TokenMistake{ID: "webhook-verifies-with-secret", Name: "a token that is signed with the webhook's secret",
			Fix: "Verify tokens with your public key, RS256 only. The secret is for Kindly-HMAC alone.", Secret: known.Secret})
	}
	const needless = "Kindly's tokens need no %s: take it out of what the webhook requires, or let the endpoint set it."
	for _, aud := range slices.Compact(append([]string{"kindly", "kindly.ai", "https://kindly.ai", "kindly-chat", "kindly-webhook", "webhook", "webhooks"}, placesOf(known.URL)...)) {
		all = append(all, TokenMistake{ID: "webhook-wants-audience", Name: "a token with aud " + quote(aud), Fix: fmt.Sprintf(needless, "aud"), Claims: map[string]any{"aud": aud}})
	}
	for _, own := range []struct {
		name   string
		claims map[string]any
	}{
		{`typ "access"`, map[string]any{"typ": "access"}}, {`typ "Bearer"`, map[string]any{"typ": "Bearer"}}, {`token_use "access"`, map[string]any{"token_use": "access"}},
		{`type "access", fresh and jti`, map[string]any{"type": "access", "fresh": false, "jti": "kindlytest"}}, {`token_type "access" and jti`, map[string]any{"token_type": "access", "jti": "kindlytest"}},
	} {
		all = append(all, TokenMistake{ID: "webhook-wants-audience", Name: "a token with " + own.name, Claims: own.claims,
			Fix: "That is in the tokens of your own login (Guardian, Keycloak, flask-jwt-extended, SimpleJWT), and Kindly's have none: verify those by a JWT library and your public key alone, or let the endpoint write the claim."})
	}
	all = append(all, TokenMistake{ID: "webhook-wants-audience", Name: "a token with jti", Fix: fmt.Sprintf(needless, "jti"), Claims: map[string]any{"jti": "kindlytest"}})
	all = append(all, TokenMistake{ID: "webhook-wants-audience", Name: "a token with nbf", Fix: fmt.Sprintf(needless, "nbf"), Claims: map[string]any{"nbf": 0}})
	all = append(all, TokenMistake{ID: "webhook-refuses-audience", Name: "a token without aud",
		Fix: "Tell the JWT library which aud is meant (PyJWT refuses a token with one that it was not told), or let the endpoint leave it out: Kindly needs none.", Claims: map[string]any{"aud": nil}})
	for _, iss := range issuersLike(known.Issuer) {
		all = append(all, TokenMistake{ID: "webhook-wants-issuer", Name: "a token whose iss is " + quote(iss),
			Fix: "Let the webhook expect the very iss that the endpoint writes, " + quote(known.Issuer) + ": a slash or a scheme more is another one.", Claims: map[string]any{"iss": iss}})
	}
	return all
}

// placesOf are a URL, its origin and its host, as they are written for an audience.
func placesOf(raw string) []string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{raw, u.Scheme + "://" + u.Host, u.Scheme + "://" + u.Host + "/", u.Host}
}

// issuersLike are an issuer as others may have noted it.
func issuersLike(iss string) []string {
	bare := strings.TrimSuffix(iss, "/")
	_, host, hasScheme := strings.Cut(bare, "://")
	if !hasScheme {
		host = bare
	}
	all := []string{bare, bare + "/", host, "https://" + host, "https://" + host + "/", "http://" + host, "kindly", "https://kindly.ai"}
	return slices.DeleteFunc(all, func(s string) bool { return host == "" && !strings.Contains(s, "kindly") || s == iss })
}
