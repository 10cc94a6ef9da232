package token

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestSecretsAreFoundAndNotShown(t *testing.T) {
	word := strings.Repeat("a1B2", 12) // made here, so that no scanner finds a "leaked" key in this file
	for name, c := range map[string]struct {
		change object
		want   string
	}{
		"password":            {object{"password": "hunter2-" + word}, "a password"},
		"dbPassword":          {object{"dbPassword": word}, `"dbPassword" holds a password`},
		"nested secret":       {object{"app": object{"client_secret": word}}, `"app.client_secret" holds a secret`},
		"in a list":           {object{"keys": []any{object{"api_key": word}}}, "an API key"},
		"API-Key":             {object{"API-Key": word}, "an API key"},
		"session":             {object{"session": word}, "a session id"},
		"sessionId":           {object{"sessionId": word}, "a session id"},
		"refresh_token":       {object{"refresh_token": word}, "a token"},
		"token":               {object{"token": word}, "a token"},
		"a JWT anywhere":      {object{"upstream": mint(nil).Secret()}, "another token"},
		"a private key":       {object{"note": "-----BEGIN RSA " + "PRIVATE KEY-----\n" + word}, "a private key"},
		"a private JWK":       {object{"jwk": object{"kty": "RSA", "n": "x", "d": word}}, "a private key (JWK)"},
		"GitHub":              {object{"note": "ghp_" + word}, "a GitHub token"},
		"Stripe":              {object{"note": "sk_" + "live_" + word}, "a Stripe key"},
		"AWS":                 {object{"note": "AKIA" + strings.ToUpper(word[:16])}, "an AWS key"},
		"Slack":               {object{"note": "xoxb-" + word}, "a Slack token"},
		"Google":              {object{"note": "AIza" + word}, "a Google key"},
		"an Authorization":    {object{"note": "Bearer " + word}, "an Authorization header"},
		"Basic":               {object{"note": "Basic " + base64.StdEncoding.EncodeToString([]byte("ada:"+word))}, "an Authorization header"},
		"a bcrypt hash":       {object{"note": "$2b$12$" + word + "abcdef"}, "a password's hash"},
		"a URL's password":    {object{"db": "postgres://app:" + word + "@db.example/x"}, "a URL with a password"},
		"as an item of list":  {object{"notes": []string{"ghp_" + word}}, "a GitHub token"},
		"a secret as a claim": {object{"email": "ghp_" + word}, ""}, // TOK-EMAIL must not show it either
	} {
		t.Run(name, func(t *testing.T) {
			result := Check(mint(c.change), expect())
			v, ok := result.Violation("TOK-SECRETS")
			if !ok || !strings.Contains(v.Actual, c.want) {
				t.Errorf("says %q, want something with %q", v.Actual, c.want)
			}
			for _, v := range result.Violations {
				if strings.Contains(v.Actual+v.Expected+v.Fix, word[:12]) {
					t.Errorf("%s shows the value: %q", v.Rule.ID, v.Actual)
				}
			}
		})
	}
}

func TestOrdinaryClaimsAreNoSecrets(t *testing.T) {
	for name, change := range map[string]object{
		"words":          {"secretary": "Bob", "passport_country": "NO", "tokens_left": 3, "cookie_consent": "all"},
		"states":         {"password": "set", "has_secret": true, "session": "afternoon", "authorization": object{"roles": []string{"x"}}},
		"ids":            {"order": "0b1cb0a63d1e4c41a6a67e2f6a1d9e55", "sid": "0b1cb0a63d1e4c41a6a67e2f6a1d9e55", "jti": strings.Repeat("a1B2", 12)},
		"prose":          {"note": "Bearer of good news, who sings", "bio": "AKIA is a plant in the garden of mine"},
		"plans, regions": {"plan": "Basic membership", "tier": "Basic subscription", "region": "ASIA-PACIFIC-SOUTHEAST", "series": "AKIA0000000000000000000"},
		"hashes":         {"at_hash": "MTIzNDU2Nzg5MGFiY2RlZg", "nonce": strings.Repeat("xY9", 9)},
		"links":          {"reset_password": "https://shop.example/reset", "site": "https://shop.example/@ada:x"},
		"a public JWK":   {"cnf": object{"jwk": object{"kty": "RSA", "n": "x", "e": "AQAB"}}},
		"starts like it": {"a": "ghp_short", "b": "eyJ.not.jwt", "c": "sk_live_", "d": "SG.1", "e": "eyJhbGciOi but this is prose. Really. Yes."},
	} {
		t.Run(name, func(t *testing.T) {
			if v, violated := Check(mint(change), expect()).Violation("TOK-SECRETS"); violated {
				t.Errorf("says %q", v.Actual)
			}
		})
	}
}
