package forge

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/wire"
)

func TestTheOneThingThatIsWrong(t *testing.T) {
	now := testNow.Unix()
	for _, row := range []struct {
		check, token string
		segment      int
		want         string // in the decoded segment
	}{
		{"HOOK-ALG-NONE", "alg nOnE, empty signature", 0, `"alg":"nOnE"`},
		{"HOOK-ALG-MALFORMED", "alg a list", 0, `"alg":["RS256"]`},
		{"HOOK-ALG-MALFORMED", "RS256 under ALG, old signature", 0, `"ALG":"RS256"`},
		{"HOOK-KID-INJECTION", "kid empty", 0, `"kid":""`},
		{"HOOK-KID-INJECTION", "kid a list", 0, `"kid":["a","b"]`},
		{"HOOK-REMOTE-KEY", "jku", 0, `"jku":"http://127.0.0.1:9/keys/jwks.json"`},
		{"HOOK-REMOTE-KEY", "x5u", 0, `"x5u":"http://127.0.0.1:9/keys/cert.pem"`},
		{"HOOK-CRIT", "an unknown extension", 0, `"crit":["https://kindlytest.example/critical"]`},
		{"HOOK-EXPIRED", "for an hour", 1, `"exp":` + number(now-3600)},
		{"HOOK-EXPIRED", "for 290 seconds", 1, `"exp":` + number(now-290)},
		{"HOOK-EXP-MISSING", "a string", 1, `"exp":"` + number(now+300) + `"`},
		{"HOOK-EXP-HUGE", "1e300", 1, `"exp":1e300`},
		{"HOOK-EXP-HUGE", "2^63", 1, `"exp":9223372036854775808`},
		{"HOOK-NBF", "in 10 minutes", 1, `"nbf":` + number(now+600)},
		{"HOOK-IAT", "in milliseconds", 1, `"iat":` + number(now*1000)},
		{"HOOK-CHAT-TYPE", "chat id a list", 1, `"chat":{"id":["` + testChat + `"]}`},
		{"HOOK-NO-CHAT", "chat.id empty", 1, `"chat":{"id":""}`},
		{"HOOK-SUB-TYPE", "sub null", 1, `"sub":null`},
		{"HOOK-DUPLICATE-CLAIMS", "exp: expired, then valid", 1, `"exp":` + number(now-3600) + `,"exp":` + number(now+300)},
		{"HOOK-DUPLICATE-CLAIMS", "exp expired, EXP valid", 1, `"EXP":` + number(now+300)},
		{"HOOK-UNVERIFIED", `the string "true"`, 1, `"email_verified":"true"`},
		{"HOOK-ESCAPES", "an image", 1, `"name":"<img src=x onerror=ktname`},
		{"HOOK-GARBAGE", "header: null", 0, "null"},
		{"HOOK-GARBAGE", "payload: 10,000 lists deep", 1, strings.Repeat("[", 10_000)},
	} {
		t.Run(row.check+" "+row.token, func(t *testing.T) {
			if got := part(t, find(t, row.check, row.token), row.segment); !strings.Contains(got, row.want) {
				t.Errorf("%.300s\nlacks %.100s", got, row.want)
			}
		})
	}
}

func TestMissingClaimsAreMissing(t *testing.T) {
	for _, row := range []struct{ check, token, claim string }{
		{"HOOK-EXP-MISSING", "missing", "exp"}, {"HOOK-IAT", "missing", "iat"},
		{"HOOK-SUB-TYPE", "sub missing", "sub"}, {"HOOK-NO-CHAT", "no chat", "chat"},
	} {
		if v, ok := fields(t, part(t, find(t, row.check, row.token), 1))[row.claim]; ok {
			t.Errorf("%s: %s is %v", row.check, row.claim, v)
		}
	}
}

func TestGradesAndWants(t *testing.T) {
	for _, row := range []struct {
		check, token string
		grade        Grade
		want         Want
		omit         bool
	}{
		{"HOOK-EXPIRED", "for an hour", Full, Refused, false},
		{"HOOK-EXPIRED", "for 290 seconds", Warning, Refused, false},
		{"HOOK-EXPIRED", "for 60 seconds", Note, Refused, false},
		{"HOOK-BEARER-CASE", "bearer", Note, Accepted, false},
		{"HOOK-UNVERIFIED", "1", Full, Silent, false},
		{"HOOK-UNVERIFIED", "false, to compare", Full, Baseline, false},
		{"HOOK-ESCAPES", "a script", Full, Escaped, false},
		{"HOOK-DUPLICATE-CLAIMS", "exp expired, EXP valid", Full, Anything, false},
		{"HOOK-NO-CHAT", "no chat, nor chat_id", Full, Refused, true},
	} {
		f := find(t, row.check, row.token)
		if f.Grade != row.grade || f.Want != row.want || f.OmitChatID != row.omit {
			t.Errorf("%s, %s: %q %q %v, want %q %q %v", row.check, row.token,
				f.Grade, f.Want, f.OmitChatID, row.grade, row.want, row.omit)
		}
	}
}

func TestKeyConfusionUsesEveryForm(t *testing.T) {
	m := material(t)
	m.PublicPEM = []byte(strings.ReplaceAll(string(m.PublicPEM), "\n", "\r\n"))
	tokens := map[string]Forged{}
	for _, a := range For("HOOK-KEY-CONFUSION") {
		for _, f := range build(t, a, m) {
			tokens[f.Name] = f
		}
	}
	der, err := x509.MarshalPKIXPublicKey(m.Public)
	if err != nil {
		t.Fatal(err)
	}
	spki := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	for name, secret := range map[string][]byte{
		"HS256 keyed with the PEM as uploaded":                      m.PublicPEM,
		"HS384 keyed with the PEM without its last line end":        []byte(strings.TrimRight(string(m.PublicPEM), "\r\n")),
		"HS512 keyed with the PEM with LF line ends":                spki,
		"HS256 keyed with the SPKI DER":                             der,
		"HS512 keyed with the PKCS#1 DER":                           x509.MarshalPKCS1PublicKey(m.Public),
		"HS256 keyed with the modulus":                              m.Public.N.Bytes(),
		"HS256 keyed with nothing":                                  nil,
		"HS384 keyed with the JWK's n":                              []byte(b64(m.Public.N.Bytes())),
		"HS256 keyed with the PKCS#1 PEM without its last line end": pkcs1PEM(m.Public),
		"HS512 keyed with the SPKI PEM without its last line end":   []byte(strings.TrimRight(string(spki), "\n")),
		"HS256 keyed with the PEM's base64 on one line":             []byte(base64.StdEncoding.EncodeToString(der)),
		"HS384 keyed with the JWK":                                  []byte(jwk(m.Public, "").String()),
	} {
		f, ok := tokens[name]
		if !ok {
			t.Errorf("no token %q", name)
			continue
		}
		parts := strings.Split(f.Token.Reveal(), ".")
		hash := map[string]crypto.Hash{"2": crypto.SHA256, "3": crypto.SHA384, "5": crypto.SHA512}[name[2:3]]
		input := draft{header: mustObject(t, part(t, f, 0)), claims: mustObject(t, part(t, f, 1))}
		if parts[2] != mac(hash, secret, input) {
			t.Errorf("%s is keyed with something else", name)
		}
	}
}

func pkcs1PEM(key *rsa.PublicKey) []byte {
	block := &pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(key)}
	return []byte(strings.TrimRight(string(pem.EncodeToMemory(block)), "\n"))
}

func mustObject(t *testing.T, data string) object {
	t.Helper()
	o, err := parseObject([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestDocumentsHoldTheAttackersKey(t *testing.T) {
	documents, err := attacker.Documents(testNow)
	if err != nil {
		t.Fatal(err)
	}
	key, err := attacker.key()
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Keys []struct{ Kty, N, E, Kid string }
	}
	if err := json.Unmarshal(documents[0].Body, &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("%s: %v", documents[0].Body, err)
	}
	n, err := base64.RawURLEncoding.DecodeString(set.Keys[0].N)
	if err != nil || new(big.Int).SetBytes(n).Cmp(key.N) != 0 || set.Keys[0].E != "AQAB" {
		t.Errorf("the JWK set holds another key: %s, %v", documents[0].Body, err)
	}
	block, _ := pem.Decode(documents[1].Body)
	if block == nil {
		t.Fatalf("no PEM: %s", documents[1].Body)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil || !key.PublicKey.Equal(cert.PublicKey) {
		t.Errorf("the certificate holds another key: %v", err)
	}
	x5c, _ := fields(t, part(t, find(t, "HOOK-EMBEDDED-KEY", "x5c"), 0))["x5c"].([]any)
	if len(x5c) != 1 {
		t.Fatalf("x5c is %v", x5c)
	}
	der, err := base64.StdEncoding.DecodeString(x5c[0].(string))
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil || !key.PublicKey.Equal(cert.PublicKey) {
		t.Errorf("x5c holds another key: %v", err)
	}
}

const webhookHMAC = "Kindly-HMAC" // not as net/http spells it

func TestApply(t *testing.T) {
	valid := wire.Request{Method: "POST", URL: "https://hooks.example/kindly?a=1", ConnectTo: "http://localhost:3000/kindly",
		Header: http.Header{"authorization": {"Bearer old"}, "Cookie": {"s=1"}, webhookHMAC: {"x"}}, Body: []byte("{}")}
	for _, row := range []struct {
		name                                   string
		by                                     Carriage
		authorization, cookie, url, connection string
	}{
		{"as Kindly does", Carriage{}, "Bearer T", "s=1", valid.URL, valid.ConnectTo},
		{"under Basic", Carriage{InScheme, "Basic"}, "Basic T", "s=1", valid.URL, valid.ConnectTo},
		{"bare", Carriage{Place: InBare}, "T", "s=1", valid.URL, valid.ConnectTo},
		{"in the query", Carriage{InQuery, "token"}, "", "s=1", valid.URL + "&token=T", valid.ConnectTo + "?token=T"},
		{"in a cookie", Carriage{InCookie, "jwt"}, "", "s=1; jwt=T", valid.URL, valid.ConnectTo},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := Forged{Token: "T", Carriage: row.by}.Apply(valid)
			if err != nil {
				t.Fatal(err)
			}
			var authorization string
			for key, values := range got.Header {
				if strings.EqualFold(key, "Authorization") {
					authorization += strings.Join(values, "+")
				}
			}
			if authorization != row.authorization || got.Header.Get("Cookie") != row.cookie ||
				got.URL != row.url || got.ConnectTo != row.connection {
				t.Errorf("got %q, cookie %q, %s, %s", authorization, got.Header.Get("Cookie"), got.URL, got.ConnectTo)
			}
			if len(valid.Header) != 3 || valid.Header.Get("Cookie") != "s=1" {
				t.Errorf("the valid request was changed: %v", valid.Header)
			}
			if _, ok := map[string][]string(got.Header)[webhookHMAC]; !ok {
				t.Errorf("another header is lost: %v", got.Header)
			}
		})
	}
}

// What the customer's own tokens have for a sub, webhooks must take.
func TestANumberForASubIsNoAttackWhereTheTokensHaveOne(t *testing.T) {
	for _, numeric := range []bool{false, true} {
		m := material(t)
		m.NumericSub = numeric
		var names []string
		for _, f := range build(t, For("HOOK-SUB-TYPE")[0], m) {
			names = append(names, f.Name)
		}
		if slices.Contains(names, "sub a number") == numeric || !slices.Contains(names, "sub missing") {
			t.Errorf("numbers %t: it sends %q", numeric, names)
		}
	}
}

func TestWhatAUserMayBeKnownByIsKept(t *testing.T) {
	m := material(t)
	m.Token = sign(t, `{"alg":"RS256"}`, strings.Replace(pageClaims, `"name":`, `"preferred_username":"ada1815","given_name":"Ada","name":`, 1))
	for _, f := range build(t, For("HOOK-ALG-NONE")[0], m) {
		claims := fields(t, part(t, f, 1))
		if claims["email"] != "ada@example.org" || claims["preferred_username"] != "ada1815" {
			t.Errorf("%s: it is for %v, %v", f.Name, claims["email"], claims["preferred_username"])
		}
		if len(f.Canaries) != 1 || claims["name"] != f.Canaries[0] || claims["given_name"] != f.Canaries[0] {
			t.Errorf("%s: %q does not name %v, %v", f.Name, f.Canaries, claims["name"], claims["given_name"])
		}
	}
}
