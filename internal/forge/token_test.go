package forge_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

const chatID = "6f1c9b52-3c55-4f5e-9e0b-0d7d1c7d3a11"

var (
	now      = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	customer = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
)

// pageToken is a token that Kindly takes without a remark.
func pageToken(key *rsa.PrivateKey) (forge.Secret, error) {
	claims := fmt.Sprintf(`{"iss":"https://shop.example","sub":"u-4711","name":"Ada Lovelace","email":"ada@example.org",`+
		`"email_verified":true,"iat":%d,"exp":%d,"chat":{"id":%q,"webhook_domains":["hooks.shop.example"]}}`, now.Unix(), now.Unix()+300, chatID)
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode([]byte(claims))
	sum := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	return forge.Secret(input + "." + encode(sig)), err
}

func pageMaterial(t testing.TB) (forge.Material, *token.Key) {
	t.Helper()
	key, err := customer()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := pageToken(key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	uploaded := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	public, err := token.ParsePublicKey("public.pem", uploaded)
	if err != nil {
		t.Fatal(err)
	}
	return forge.Material{
		Token: raw, Public: &key.PublicKey, PublicPEM: uploaded, Private: key, ChatID: chatID, Now: now,
		Rand: rand.Reader, Attacker: forge.NewAttacker(), Listener: func() string { return "http://127.0.0.1:9" },
	}, public
}

func violations(raw forge.Secret, public *token.Key) []string {
	result := token.Check(token.Raw(raw.Reveal()), token.Expect{Keys: []*token.Key{public}, ChatID: chatID, Now: now})
	var ids []string
	for _, v := range result.Violations {
		if v.Level == rule.Must || v.Level == rule.Should {
			ids = append(ids, v.Rule.ID)
		}
	}
	return ids
}

// These are sound tokens: what is wrong is elsewhere.
var sound = map[string]bool{
	"HOOK-SCHEME":      true, // how it travels
	"HOOK-BEARER-CASE": true, // nothing
	"HOOK-ESCAPES":     true, // what the webhook does with the name
}

// What the rules for tokens forbid and the attacks forge was written down
// twice, by different hands; here they meet.
func TestKindlyWouldObjectToEveryForgedToken(t *testing.T) {
	m, public := pageMaterial(t)
	if ids := violations(m.Token, public); ids != nil {
		t.Fatalf("the page's token violates %v", ids)
	}
	for _, a := range forge.Attacks() {
		tokens, err := a.Build(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range tokens {
			ids := violations(f.Token, public)
			t.Logf("%s, %s: %v", a.Check, f.Name, ids)
			objects := ids != nil
			compared := strings.HasSuffix(f.Name, ", to compare")
			if objects == (sound[a.Check]) && !compared {
				t.Errorf("%s, %s: violates %v; sound: %v", a.Check, f.Name, ids, sound[a.Check])
			}
			if !a.NeedsKey && !sound[a.Check] && !slices.ContainsFunc(ids, provesForgery) {
				t.Errorf("%s, %s: forged, yet only %v object", a.Check, f.Name, ids)
			}
		}
	}
}

// provesForgery says whether a rule can fail only on what Kindly's customer
// did not sign; claims alone can be odd in honest tokens too.
func provesForgery(id string) bool {
	return slices.Contains([]string{"TOK-SIGNATURE", "TOK-COMPACT", "TOK-ALG", "TOK-JSON", "TOK-SIZE"}, id)
}

func ExampleAttack_Build() {
	key, err := customer()
	if err != nil {
		fmt.Println(err)
		return
	}
	raw, err := pageToken(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	m := forge.Material{Token: raw, ChatID: chatID, Now: now, Rand: rand.Reader}
	for _, attack := range forge.For("HOOK-ALG-NONE") {
		tokens, err := attack.Build(m)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(attack.Why)
		for _, f := range tokens[:3] {
			fmt.Println("-", f.Name)
		}
	}
	_, err = forge.For("HOOK-EXPIRED")[0].Build(m)
	fmt.Println(err)
	// Output:
	// A webhook that believes the header's "none" needs no signature, so anybody can write a token.
	// - alg none, empty signature
	// - alg none, old signature
	// - alg none, last dot missing
	// forging for HOOK-EXPIRED: the private key is missing
}
