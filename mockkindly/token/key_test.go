package token

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

func pemText(label string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func spkiDER(public any) []byte {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(err)
	}
	return der
}

func utf16Text(s string, order binary.AppendByteOrder) string {
	out := order.AppendUint16(nil, 0xfeff)
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return string(out)
}

// oneLine puts the base64 of a PEM text on one line.
func oneLine(text string) string {
	block, _ := pem.Decode([]byte(text))
	return "-----BEGIN " + block.Type + "-----\n" + base64.StdEncoding.EncodeToString(block.Bytes) + "\n-----END " + block.Type + "-----\n"
}

func TestParsePublicKeyReadsWhatIsMetInTheWild(t *testing.T) {
	public := keys().key.Public
	spki := pemText(labelSPKI, spkiDER(public), nil)
	pkcs1DER := x509.MarshalPKCS1PublicKey(public)
	pkcs1 := pemText(labelPKCS1Public, pkcs1DER, nil)
	for _, c := range []struct{ name, text, format, note string }{
		{"SPKI", spki, "SPKI PEM", ""},
		{"PKCS#1", pkcs1, "PKCS#1 PEM", ""},
		{"SPKI under a PKCS#1 label", pemText(labelPKCS1Public, spkiDER(public), nil), "SPKI PEM", "SPKI body"},
		{"PKCS#1 under an SPKI label", pemText(labelSPKI, pkcs1DER, nil), "PKCS#1 PEM", "PKCS#1 body"},
		{"no last line end", strings.TrimSpace(spki), "SPKI PEM", ""},
		{"CRLF", strings.ReplaceAll(spki, "\n", "\r\n"), "SPKI PEM", "CRLF"},
		{"CR", strings.ReplaceAll(spki, "\n", "\r"), "SPKI PEM", "CR line ends"},
		{`\n`, strings.ReplaceAll(spki, "\n", `\n`), "SPKI PEM", `written as \n`},
		{`\r\n`, strings.ReplaceAll(spki, "\n", `\r\n`), "SPKI PEM", `written as \r\n`},
		{"spaces for line ends", strings.ReplaceAll(strings.TrimSpace(spki), "\n", " "), "SPKI PEM", "share a line"},
		{"no line ends at all", strings.ReplaceAll(spki, "\n", ""), "SPKI PEM", "share a line"},
		{"base64 on one line", oneLine(spki), "SPKI PEM", "one long line"},
		{"indented", "  " + strings.ReplaceAll(spki, "\n", "\n  "), "SPKI PEM", "indented"},
		{"a byte order mark", "\ufeff" + spki, "SPKI PEM", "byte order mark"},
		{"UTF-16 LE", utf16Text(spki, binary.LittleEndian), "SPKI PEM", "UTF-16"},
		{"UTF-16 BE", utf16Text(spki, binary.BigEndian), "SPKI PEM", "UTF-16"},
		{"quotes", `"` + spki + `"`, "SPKI PEM", "quotes"},
		{"base64 of it all", base64.StdEncoding.EncodeToString([]byte(spki)), "SPKI PEM", "base64 around"},
		{"base64 of it all, folded", strings.Join(strings.SplitAfter(base64.StdEncoding.EncodeToString([]byte(spki)), "J"), "\n"), "SPKI PEM", "base64 around"},
		{"a JSON string", mustJSON(spki), "SPKI PEM", `written as \n; quotes`},
		{`\\n`, strings.ReplaceAll(spki, "\n", `\\n`), "SPKI PEM", `written as \\n`},
		{"UTF-16 without its mark", utf16Text(spki, binary.LittleEndian)[2:], "SPKI PEM", "UTF-16"},
		{"text around it", "our key:\n" + spki + "the end\n", "SPKI PEM", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			key, err := ParsePublicKey("public.pem", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if !key.Public.Equal(public) || key.Name != "public.pem" || key.Format != c.format || key.Fingerprint != keys().key.Fingerprint {
				t.Errorf("read %+v", key)
			}
			if got := strings.Join(key.Notes, "; "); (got == "") != (c.note == "") || !strings.Contains(got, c.note) {
				t.Errorf("notes %q, want %q", got, c.note)
			}
		})
	}
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func certificate(t *testing.T) []byte {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotAfter: time.Unix(1e10, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, keys().key.Public, keys().private)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestParsePublicKeyExplainsTheRest(t *testing.T) {
	k := keys()
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ed, _, _ := ed25519.GenerateKey(rand.Reader)
	spki := pemText(labelSPKI, spkiDER(k.key.Public), nil)
	pkcs1 := x509.MarshalPKCS1PrivateKey(k.private)
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(k.private)
	ecDER, ecErr := x509.MarshalECPrivateKey(ec)
	bare := base64.StdEncoding.EncodeToString
	swap := "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"
	for _, c := range []struct{ name, text, problem, hint string }{
		{"nothing", " \n", "empty", "-pubout"},
		{"a private key, PKCS#1", pemText(labelPKCS1Private, pkcs1, nil), "it is a private key", "upload only the public half"},
		{"a private key, PKCS#8", pemText(labelPKCS8, pkcs8, nil), "it is a private key", "-pubout"},
		{"a private key beside the public one", spki + pemText(labelPKCS8, pkcs8, nil), "it is a private key", "-pubout"},
		{"a private key under a public label", pemText(labelSPKI, pkcs8, nil), "a private key, under the label", "-pubout"},
		{"an encrypted private key, old", swap, "encrypted", "-pubout"},
		{"an encrypted private key", pemText("ENCRYPTED PRIVATE KEY", pkcs8, nil), "encrypted", "-pubout"},
		{"an OpenSSH private key", pemText("OPENSSH PRIVATE KEY", []byte("openssh-key-v1"), nil), "OpenSSH", "genrsa"},
		{"an EC private key", pemText("EC PRIVATE KEY", ecDER, ecErr), "not an RSA one", "RSA only"},
		{"a certificate", pemText("CERTIFICATE", certificate(t), nil), "certificate", "x509 -in"},
		{"a certificate under another label", pemText(labelSPKI, certificate(t), nil), "certificate", "x509 -in"},
		{"a certificate request", pemText("CERTIFICATE REQUEST", []byte("x"), nil), "request", "req -in"},
		{"an EC key", pemText(labelSPKI, spkiDER(&ec.PublicKey), nil), "elliptic curve", "RSA only"},
		{"an Ed25519 key", pemText(labelSPKI, spkiDER(ed), nil), "Ed25519", "RSA only"},
		{"an SSH key", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ ada@laptop", "SSH public key", "ssh-keygen"},
		{"an SSH key, Ed25519", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ada@laptop", "not an RSA one", "genrsa"},
		{"an SSH key, RFC 4716", "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----", "RFC 4716", "ssh-keygen -i"},
		{"a key of PuTTY", "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n", "PuTTY", "ssh-keygen -e -m PKCS8"},
		{"a JWK", `{"kty":"RSA","n":"x","e":"AQAB"}`, "a JWK (JSON)", "pem"},
		{"a private JWK", `{"kty":"RSA","n":"x","e":"AQAB","d":"x"}`, "private JWK", "pem"},
		{"a JWK set", `{"keys":[]}`, "JWK set", "pem"},
		{"a service account", `{"private_key":"-----"}`, "service account", "-pubout"},
		{"other JSON", `{"a":1}`, "JSON", "-pubout"},
		{"a web page", "<!DOCTYPE html><title>Log in</title>", "HTML", "-pubout"},
		{"DER", string(spkiDER(k.key.Public)), "DER", "-inform DER"},
		{"Keycloak's base64", bare(spkiDER(k.key.Public)), "a public key, without BEGIN and END lines", "base64 -d < FILE | openssl rsa -pubin -inform DER -out public.pem"},
		{"base64 of PKCS#1", bare(x509.MarshalPKCS1PublicKey(k.key.Public)), "a public key, without", "-RSAPublicKey_in"},
		{"base64 of a private key", bare(pkcs8), "it is a private key, without", "upload only the public half"},
		{"base64 of a certificate", bare(certificate(t)), "it is a certificate, without", "base64 -d < FILE | openssl x509 -inform DER"},
		{"base64 of an EC key", bare(spkiDER(&ec.PublicKey)), "elliptic curve", "RSA only"},
		{"AWS KMS's answer", `{"KeyId":"x","PublicKey":"` + bare(spkiDER(k.key.Public)) + `","KeySpec":"RSA_2048"}`, "JSON, and of its member PublicKey: it is a public key", "jq -r .PublicKey FILE | base64 -d | openssl rsa -pubin"},
		{"Keycloak's answer", `{"realm":"x","public_key":"` + bare(spkiDER(k.key.Public)) + `"}`, "public_key: it is a public key", "jq -r .public_key FILE"},
		{"a private key called public in JSON", `{"public_key":"` + bare(pkcs8) + `"}`, "it is a private key", "upload only the public half"},
		{"typographic dashes", strings.ReplaceAll(spki, "-----", "—————"), "dashes", "hyphens"},
		{"a file name", "./keys/public.pem", "name of a file", "content"},
		{"prose", "see the wiki", "no PEM", "-pubout"},
		{"cut off", spki[:200], "END line", "-pubout"},
		{"a damaged BEGIN line", "-----BEGIN PUBLIC KEY\nAAAA", "BEGIN line is damaged", "-pubout"},
		{"damaged base64", strings.Replace(spki, "A", "*", 1), "base64", "-pubout"},
		{"base64 of something else", pemText(labelSPKI, []byte("hello"), nil), "no public key", "-pubout"},
		{"an unknown label", pemText("DH PARAMETERS", []byte("hello"), nil), "DH PARAMETERS", "-pubout"},
		{"two keys", spki + spki, "2 public keys", "keep the one"},
		{"too much", strings.Repeat("x", 1<<20), "too many", "-pubout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			key, err := ParsePublicKey("k.pem", []byte(c.text))
			checkKeyError(t, err, c.problem, c.hint)
			if key != nil {
				t.Error("a key beside the error")
			}
		})
	}
}

func checkKeyError(t *testing.T, err error, problem, hint string) {
	t.Helper()
	var ke *KeyError
	if !errors.As(err, &ke) {
		t.Fatalf("error %v, want a KeyError", err)
	}
	if ke.Name != "k.pem" || !strings.Contains(ke.Problem, problem) || !strings.Contains(ke.Hint, hint) {
		t.Errorf("says %q, hint %q; want %q and %q", ke.Problem, ke.Hint, problem, hint)
	}
	if text := err.Error(); !strings.HasPrefix(text, "k.pem: ") || len(text) > 300 {
		t.Errorf("reads %q", text)
	}
}

func TestParsePrivateKey(t *testing.T) {
	k := keys()
	pkcs1 := x509.MarshalPKCS1PrivateKey(k.private)
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(k.private)
	spki := pemText(labelSPKI, spkiDER(k.key.Public), nil)
	for _, c := range []struct{ name, text, format, note string }{
		{"PKCS#1", pemText(labelPKCS1Private, pkcs1, nil), "PKCS#1 PEM", ""},
		{"PKCS#8", pemText(labelPKCS8, pkcs8, nil), "PKCS#8 PEM", ""},
		{"PKCS#8 under a PKCS#1 label", pemText(labelPKCS1Private, pkcs8, nil), "PKCS#8 PEM", "PKCS#8 body"},
		{"PKCS#1 under a PKCS#8 label", pemText(labelPKCS8, pkcs1, nil), "PKCS#1 PEM", "PKCS#1 body"},
		{"after the public key", spki + pemText(labelPKCS8, pkcs8, nil), "PKCS#8 PEM", ""},
		{`with \n`, strings.ReplaceAll(pemText(labelPKCS8, pkcs8, nil), "\n", `\n`), "PKCS#8 PEM", `\n`},
	} {
		t.Run(c.name, func(t *testing.T) {
			key, err := ParsePrivateKey("private.pem", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if !key.Private.Equal(k.private) || key.Key.Format != c.format || key.Fingerprint != k.key.Fingerprint {
				t.Errorf("read %v", key)
			}
			if got := strings.Join(key.Notes, "; "); (got == "") != (c.note == "") || !strings.Contains(got, c.note) {
				t.Errorf("notes %q, want %q", got, c.note)
			}
		})
	}
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ecDER, ecErr := x509.MarshalECPrivateKey(ec)
	ec8, ec8Err := x509.MarshalPKCS8PrivateKey(ec)
	for _, c := range []struct{ name, text, problem, hint string }{
		{"nothing", "", "empty", "genrsa"},
		{"a public key", spki, "a public key", "private"},
		{"a certificate", pemText("CERTIFICATE", certificate(t), nil), "certificate", "private"},
		{"an encrypted key", pemText("ENCRYPTED PRIVATE KEY", []byte("sealed"), nil), "encrypted", "password"},
		{"an EC key", pemText("EC PRIVATE KEY", ecDER, ecErr), "not an RSA one", "RSA only"},
		{"an EC key in PKCS#8", pemText(labelPKCS8, ec8, ec8Err), "elliptic curve", "RSA only"},
		{"an OpenSSH key", pemText("OPENSSH PRIVATE KEY", []byte("x"), nil), "OpenSSH", "ssh-keygen"},
		{"a damaged key", pemText(labelPKCS8, pkcs8[:len(pkcs8)-9], nil), "damaged", "genrsa"},
		{"far too large", pemText(labelPKCS8, make([]byte, 20<<10), nil), "damaged", "genrsa"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParsePrivateKey("k.pem", []byte(c.text))
			checkKeyError(t, err, c.problem, c.hint)
		})
	}
}

func TestPrivateKeysAreNeverPrinted(t *testing.T) {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(keys().private)
	key, err := ParsePrivateKey("p", []byte(pemText(labelPKCS8, pkcs8, err)))
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "pointer", key, "value", *key)
	jsonText, _ := json.Marshal(key)
	d := keys().private.D
	for _, text := range []string{
		fmt.Sprint(key), fmt.Sprintf("%v %+v %#v %s %q %x %d", key, *key, *key, *key, *key, *key, *key), log.String(), string(jsonText),
	} {
		if strings.Contains(text, d.String()) || strings.Contains(strings.ToLower(text), d.Text(16)) {
			t.Errorf("the private half is in %.60s…", text)
		}
	}
}

// TestKeysMadeWithTheDocumentedCommands needs openssl on the PATH.
func TestKeysMadeWithTheDocumentedCommands(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("SKIPPED: there is no openssl on the PATH; the forms made by Go are tested without it")
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	openssl := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	openssl("genrsa", "-out", file("private.pem"), "2048")
	openssl("rsa", "-in", file("private.pem"), "-outform", "PEM", "-pubout", "-out", file("public.pem"))
	openssl("rsa", "-in", file("private.pem"), "-RSAPublicKey_out", "-out", file("pkcs1.pem"))
	openssl("rsa", "-in", file("private.pem"), "-aes128", "-passout", "pass:x", "-out", file("encrypted.pem"))
	openssl("ecparam", "-name", "prime256v1", "-genkey", "-out", file("ec.pem"))
	read := func(name string) []byte {
		b, err := os.ReadFile(file(name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	private, err := ParsePrivateKey("private.pem", read("private.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"public.pem", "pkcs1.pem"} {
		key, err := ParsePublicKey(name, read(name))
		if err != nil || !key.Public.Equal(&private.Private.PublicKey) || len(key.Notes) > 0 {
			t.Errorf("%s: %+v, %v", name, key, err)
		}
	}
	for name, want := range map[string]string{"private.pem": "private key", "encrypted.pem": "encrypted private key", "ec.pem": "not an RSA one"} {
		if _, err := ParsePublicKey(name, read(name)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	e := expect()
	e.Keys = []*Key{&private.Key}
	if result := Check(signedBy(private.Private, mintJSON(nil)), e); !result.Accepted() {
		t.Errorf("a token by the openssl key: %+v", result.Violations)
	}
}

func FuzzParsePublicKey(f *testing.F) {
	spki := pemText(labelSPKI, spkiDER(keys().key.Public), nil)
	f.Add([]byte(spki))
	f.Add([]byte(strings.ReplaceAll(spki, "\n", `\n`)))
	f.Add([]byte(utf16Text(spki, binary.BigEndian)))
	f.Add([]byte(`{"keys":[]}`))
	f.Add([]byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----"))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := ParsePublicKey("k", text)
		var ke *KeyError
		switch {
		case err == nil && (key.Public == nil || len(key.Fingerprint) != 64 || key.Format == ""):
			t.Errorf("incomplete: %+v", key)
		case err != nil && (!errors.As(err, &ke) || ke.Problem == "" || ke.Hint == "" || key != nil):
			t.Errorf("error %#v", err)
		}
		if key != nil { // whatever was read can be judged with
			e := expect()
			e.Keys = []*Key{key}
			Check(mint(nil), e)
		}
	})
}
