package keyscan

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"html"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"
)

func pemOf(t testing.TB, label string, der []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func quoted(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestFindsAKeyInEverySpelling(t *testing.T) {
	key := rsaKey(t, 2048)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	pkcs8 := pemOf(t, "PRIVATE KEY", der, err)
	lines := strings.Split(strings.TrimSpace(pkcs8), "\n")
	var concatenated []string
	for _, l := range lines {
		concatenated = append(concatenated, quoted(t, l+"\n"))
	}
	body := strings.Join(lines[1:len(lines)-1], "")
	once := quoted(t, pkcs8)
	for name, text := range map[string]string{
		"as it is":                       pkcs8,
		"template literal":               "`" + pkcs8 + "`",
		"CRLF":                           quoted(t, strings.ReplaceAll(pkcs8, "\n", "\r\n")),
		"escaped":                        once,
		"escaped twice":                  quoted(t, once),
		"escaped three times":            quoted(t, quoted(t, once)),
		"JSON in JSON":                   quoted(t, quoted(t, map[string]string{"key": pkcs8})),
		"slashes escaped":                strings.ReplaceAll(once, "/", `\/`),
		"one line, with spaces":          strings.ReplaceAll(pkcs8, "\n", " "),
		"one line, nothing between":      strings.ReplaceAll(pkcs8, "\n", ""),
		"lines in an array":              quoted(t, lines),
		"lines in an indented array":     `[` + "\n  \"" + strings.Join(lines, "\",\n  \"") + "\"\n]",
		"lines joined by plus":           strings.Join(concatenated, "+\n"),
		"lines joined by plus, minified": strings.Join(concatenated, "+"),
		"HTML entities":                  strings.ReplaceAll(strings.ReplaceAll(pkcs8, "\n", "&#10;"), "+", "&#43;"),
		"an HTML attribute":              html.EscapeString(once),
		"in a URL":                       url.QueryEscape(pkcs8),
		"\\u000a":                        strings.ReplaceAll(pkcs8, "\n", `\u000a`),
		"base64 of the PEM":              base64.StdEncoding.EncodeToString([]byte(pkcs8)),
		"base64url of the PEM":           base64.RawURLEncoding.EncodeToString([]byte(pkcs8)),
		"base64 of JSON, at 1":           base64.StdEncoding.EncodeToString([]byte(`{"k":` + once + "}")),
		"base64 of JSON, at 2":           base64.StdEncoding.EncodeToString([]byte(`{"ke":` + once + "}")),
		"base64 of JSON, at 3":           base64.StdEncoding.EncodeToString([]byte(`{"key":` + once + "}")),
		"the body alone":                 `"` + body + `"`,
		"the body alone, base64url":      `"` + base64.RawURLEncoding.EncodeToString(der) + `"`,
		"an .env file":                   "SECRET=1\nPRIVATE_KEY=\"" + strings.ReplaceAll(pkcs8, "\n", `\n`) + "\"\n",
	} {
		for where, whole := range map[string]string{"alone": text, "in a bundle": "!function(){var e={currency:\"EUR\",KEY:" + text + "},n=1;}();"} {
			if !Holds([]byte(whole)) {
				t.Errorf("%s, %s: not found", name, where)
			}
		}
	}
}

func TestFindsEveryKindOfKey(t *testing.T) {
	r := rsaKey(t, 2048)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	ecRaw, err := ec.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	ecPublic, err := ec.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	jwkRSA := map[string]string{"kty": "RSA", "n": b64(r.N.Bytes()), "e": b64(big.NewInt(int64(r.E)).Bytes()), "d": b64(r.D.Bytes())}
	sec1, err1 := x509.MarshalECPrivateKey(ec)
	p8, err2 := x509.MarshalPKCS8PrivateKey(ec)
	p8ed, err3 := x509.MarshalPKCS8PrivateKey(ed)
	for name, text := range map[string]string{
		"PKCS #1":          pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(r), nil),
		"PKCS #1, 1024":    pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey(t, 1024)), nil),
		"SEC 1":            pemOf(t, "EC PRIVATE KEY", sec1, err1),
		"EC in PKCS #8":    pemOf(t, "PRIVATE KEY", p8, err2),
		"Ed25519":          pemOf(t, "PRIVATE KEY", p8ed, err3),
		"JWK, RSA":         quoted(t, jwkRSA),
		"JWK in JSON":      quoted(t, quoted(t, jwkRSA)),
		"JWK in HTML":      html.EscapeString(quoted(t, jwkRSA)),
		"JWK, unquoted":    fmt.Sprintf("{kty:'RSA',n:'%s',e:'%s',d:'%s'}", jwkRSA["n"], jwkRSA["e"], jwkRSA["d"]),
		"JWK, EC":          quoted(t, map[string]string{"kty": "EC", "crv": "P-256", "x": b64(ecPublic[1:33]), "y": b64(ecPublic[33:]), "d": b64(ecRaw)}),
		"JWK, Ed25519":     quoted(t, map[string]string{"kty": "OKP", "crv": "Ed25519", "x": b64(ed[32:]), "d": b64(ed.Seed())}),
		"JWK among others": `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},` + quoted(t, jwkRSA) + `]}`,
	} {
		if !Holds([]byte(text)) {
			t.Errorf("%s: not found", name)
		}
	}
}

func TestAccusesNothingElse(t *testing.T) {
	key := rsaKey(t, 2048)
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	b64 := base64.RawURLEncoding.EncodeToString
	for name, text := range map[string]string{
		"nothing":                "",
		"a public key":           pemOf(t, "PUBLIC KEY", public, err),
		"a public JWK":           quoted(t, map[string]string{"kty": "RSA", "n": b64(key.N.Bytes()), "e": "AQAB"}),
		"a JWK and another's d":  quoted(t, map[string]string{"kty": "RSA", "n": b64(key.N.Bytes()), "e": "AQAB", "d": b64(public)}),
		"a library":              `if(!/-----BEGIN (RSA )?PRIVATE KEY-----/.test(k))throw Error("no -----BEGIN PRIVATE KEY----- MII");`,
		"a placeholder":          "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC...\n-----END PRIVATE KEY-----",
		"a placeholder of stars": "-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("*", 64) + "\n-----END PRIVATE KEY-----",
		"noise":                  base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"), 1000)),
	} {
		if Holds([]byte(text)) {
			t.Errorf("%s: taken for a private key", name)
		}
	}
}

// A bundle of 10 MB must not hold up a run, whatever it is made of.
func TestIsQuickOnBigBundles(t *testing.T) {
	noise := make([]byte, 7<<20)
	rand.Read(noise)
	for name, text := range map[string]string{
		"code":   strings.Repeat(`function a(e,t){return e.MII&&t.d?{kty:e,"PRIVATE KEY":t}:null}`, 10<<20/64),
		"base64": base64.StdEncoding.EncodeToString(noise),
		"starts": strings.Repeat("MII", 10<<20/3),
		"labels": strings.Repeat("UFJJVkFURSBLRV", 10<<20/14),
	} {
		began := time.Now()
		if Holds([]byte(text)) {
			t.Errorf("%s: taken for a private key", name)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("%s: took %s", name, took)
		} else {
			t.Logf("%s: %s", name, took)
		}
	}
}

func FuzzHolds(f *testing.F) {
	f.Add([]byte(`{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}`))
	f.Add([]byte("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC"))
	f.Fuzz(func(_ *testing.T, text []byte) { Holds(text) })
}
