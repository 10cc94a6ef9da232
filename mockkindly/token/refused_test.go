package token

import (
	"crypto/rsa"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// refuses is how we know that Kindly refuses a token that breaks a rule. A token
// that breaks any other is taken.
var refuses = map[string]rule.Fidelity{
	"TOK-COMPACT": rule.Documented, "TOK-ALG": rule.Documented, "TOK-SIGNATURE": rule.Documented, "TOK-JSON": rule.Documented,
	"TOK-IAT": rule.Documented, "TOK-EXP": rule.Documented, "TOK-EXP-MAX": rule.Documented, "TOK-EXP-FUTURE": rule.Documented,
	"TOK-SUB": rule.Documented, "TOK-CHAT": rule.Documented, "TOK-CHAT-ID": rule.Documented,
	"TOK-IAT-SKEW": rule.Assumed, "TOK-NBF": rule.Assumed,
}

func TestEachRuleSaysWhetherKindlyRefuses(t *testing.T) {
	for _, r := range Rules() {
		if r.Refused != refuses[r.ID] {
			t.Errorf("%s: refused %q, want %q", r.ID, r.Refused, refuses[r.ID])
		}
	}
}

func TestUnsafeTokensAreTaken(t *testing.T) {
	demo, small := expect(), expect()
	demo.Published = map[string]string{keys().key.Fingerprint: "in a sample"}
	small.Keys = []*Key{NewKey("small.pem", &keys().small.PublicKey)}
	for _, c := range []struct {
		name   string
		raw    Raw
		expect Expect
		broken string
	}{
		{"signed with a key that everybody has", mint(nil), demo, "TOK-KEY-PUBLISHED"},
		{"signed with a short key", bySmall(keys().small), small, "TOK-KEY-SIZE"},
		{"a password among the claims", mint(object{"password": "hunter2hunter2"}), expect(), "TOK-SECRETS"},
		{"an email that is no address", mint(object{"email": "ada"}), expect(), "TOK-EMAIL"},
		{"email_verified as text", mint(object{"email_verified": "true"}), expect(), "TOK-EMAIL-VERIFIED"},
		{"a phone_number that is a number", mint(object{"phone_number": 4722334455}), expect(), "TOK-PHONE"},
		{"webhook_domains as text", mint(inChat(object{"webhook_domains": "a.example"})), expect(), "TOK-CHAT-DOMAINS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			result := Check(c.raw, c.expect)
			v, broken := result.Violation(c.broken)
			if !broken || v.Level != rule.Must || v.Refused() {
				t.Errorf("%s: %+v", c.broken, v)
			}
			if !result.Accepted() || len(result.Refused()) != 0 {
				t.Errorf("refused for %+v, unjudged %+v", result.Refused(), result.Unjudged)
			}
		})
	}
}

func bySmall(k *rsa.PrivateKey) Raw { return signedBy(k, mintJSON(nil)) }

// TestDoubtsRefuseNothing: somebody's id may well be "null".
func TestDoubtsRefuseNothing(t *testing.T) {
	if result := Check(mint(object{"sub": "undefined"}), expect()); !result.Accepted() || len(result.Violations) != 1 {
		t.Errorf("%+v", result)
	}
}
