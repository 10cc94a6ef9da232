package suites_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A webhook may know its users by their e-mail or their user name, and turn strangers away:
// what it believes has to name somebody whom it knows. Where nobody is known, a made-up
// e-mail shows whom it believes.
func TestForgedTokensNameSomebodyWhomTheWebhookKnows(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		claim  string
		signed bool // it looks at the signature, and at nothing else
		target func(*testing.T, plainHook) target.Target
		only   []string
	}{
		"by the e-mail": {claim: "email", signed: true, target: func(t *testing.T, h plainHook) target.Target { return targetOf(t, h) },
			only: []string{"HOOK-EXPIRED", "HOOK-LIFETIME", "HOOK-NBF"}},
		"by the user name": {claim: "preferred_username", target: func(t *testing.T, h plainHook) target.Target {
			return withEndpoint(t, plainEndpoint{more: map[string]any{"preferred_username": "ada1815"}}, h)
		}, only: []string{"HOOK-ALG-NONE", "HOOK-KID-INJECTION", "HOOK-ECDSA-ZERO"}},
		"nobody": {target: func(t *testing.T, h plainHook) target.Target {
			h.name = "email"
			return target.Target{Webhooks: targetOf(t, h).Webhooks}
		}, only: []string{"HOOK-ALG-NONE", "HOOK-WRONG-KEY"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := plain()
			h.believe = func(_, claims map[string]any, signed bool, _ string) bool {
				known := map[string]string{"email": "kindlytest@example.com", "preferred_username": "ada1815"}[row.claim]
				return (signed || !row.signed) && (row.claim == "" || claims[row.claim] == known)
			}
			run := suites.RunQuietly(t.Context(), row.target(t, h), suites.Options{Only: row.only})
			for _, id := range row.only {
				if c := find(t, run, id); c.Outcome != reports.Failed && c.Outcome != reports.Warned {
					t.Errorf("%s is %s: %s", id, c.Outcome, c.Reason)
					describe(t, c)
				}
			}
		})
	}
}

// The public key is half of the private one. Where neither was given, what it is needed for
// was not tried.
func TestHMACKeyedWithThePublicKeyIsTriedWhereAnyHalfIsGiven(t *testing.T) {
	t.Parallel()
	der, err := x509.MarshalPKIXPublicKey(&ourKey().Private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	takes := plain()
	takes.verify = func(input string, signature []byte) bool {
		mac, sum := hmac.New(sha256.New, der), sha256.Sum256([]byte(input))
		mac.Write([]byte(input))
		return hmac.Equal(mac.Sum(nil), signature) || rsa.VerifyPKCS1v15(takes.key, crypto.SHA256, sum[:], signature) == nil
	}
	takes.believe = func(_, claims map[string]any, signed bool, chat string) bool {
		return soundly(map[string]any{"alg": "RS256"}, claims, signed, chat)
	}
	only := suites.Options{Only: []string{"HOOK-KEY-CONFUSION"}}
	if c := find(t, suites.RunQuietly(t.Context(), targetOf(t, takes), only), "HOOK-KEY-CONFUSION"); c.Outcome != reports.Failed {
		t.Errorf("with the private key it is %s: %s", c.Outcome, c.Reason)
		describe(t, c)
	}
	shop := withEndpoint(t, plainEndpoint{}, plain())
	shop.PrivateKey, shop.PublicKeys = nil, nil
	if c := find(t, suites.RunQuietly(t.Context(), shop, only), "HOOK-KEY-CONFUSION"); c.Outcome != reports.Passed || !c.Weak || !strings.Contains(c.Reason, "the public key is needed") || !strings.HasPrefix(c.Actual, "6 ") {
		t.Errorf("without a key it is %s, weak: %v, %s: %s", c.Outcome, c.Weak, c.Actual, c.Reason)
	}
}
