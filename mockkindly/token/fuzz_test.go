package token

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

func FuzzCheck(f *testing.F) {
	sound := mint(nil).Secret()
	for _, s := range []string{sound, sound + "\n", "", "..", "a.b.c.d.e", "Bearer " + sound, b64(`{"alg":"none"}`) + "." + b64(`{"exp":1e300}`) + "."} {
		f.Add(s)
	}
	for _, c := range allMistaken() {
		f.Add(c.raw.Secret())
	}
	rules := len(Rules())
	f.Fuzz(func(t *testing.T, s string) {
		result := Check(Raw(s), expect())
		if result.Token == nil || len(result.Violations)+len(result.Unjudged) > rules {
			t.Fatalf("%q: %+v", s, result)
		}
		if result.Accepted() && !libraryAccepts(s) {
			t.Fatalf("%q is accepted, but not by golang-jwt", s)
		}
		for _, v := range result.Violations {
			if v.Actual == "" || v.Expected == "" || v.Fix == "" || v.Level == "" || len(v.Actual) > 2000 {
				t.Fatalf("%q: incomplete or endless: %+v", s, v)
			}
		}
	})
}

// FuzzKeys: nothing panics, and whatever is read is a key that can be used.
func FuzzKeys(f *testing.F) {
	spki := pemText(labelSPKI, spkiDER(keys().key.Public), nil)
	for _, s := range []string{spki, oneLine(spki), mustJSON(spki), base64.StdEncoding.EncodeToString([]byte(spki)), strings.ReplaceAll(spki, "\n", `\\n`),
		"-\x00-\x00", "PuTTY-User-Key-File-3: ssh-rsa", `{"kty":"RSA"}`, "-----BEGIN PUBLIC KEY-----"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := ParsePublicKey("k.pem", text)
		if (key == nil) == (err == nil) || key != nil && (key.Public == nil || key.Fingerprint == "") {
			t.Fatalf("%q: %v, %v", text, key, err)
		}
		if private, err := ParsePrivateKey("k.pem", text); (private == nil) == (err == nil) {
			t.Fatalf("%q: %v, %v", text, private, err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(mint(nil).Secret())
	f.Add("..")
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := Decode(Raw(s))
		if (tok == nil) == (err == nil) {
			t.Fatalf("%q: %v, %v", s, tok, err)
		}
		if tok != nil && (tok.Claims.Kind() != Object || tok.Expires().Year() > 9999) {
			t.Fatalf("%q: %v", s, tok)
		}
	})
}

// libraryAccepts asks an implementation that shares no code with ours.
func libraryAccepts(s string) bool {
	_, err := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding()).
		Parse(s, func(*jwt.Token) (any, error) { return keys().key.Public, nil })
	return err == nil
}

// TestLibraryAcceptsWhatIsAccepted: the other direction does not hold, and
// must not (see the package comment).
func TestLibraryAcceptsWhatIsAccepted(t *testing.T) {
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(soundClaims())).SignedString(keys().private)
	if err != nil {
		t.Fatal(err)
	}
	if result := Check(Raw(signed), expect()); !result.Accepted() || len(result.Violations) > 0 {
		t.Errorf("a token by golang-jwt: %+v", result.Violations)
	}
	lineEnd := signed[:len(signed)-9] + "\n" + signed[len(signed)-9:]
	if !libraryAccepts(lineEnd) {
		t.Error("golang-jwt no longer accepts line ends: the package comment is out of date")
	}
	if Check(Raw(lineEnd), expect()).Accepted() || libraryAccepts(strings.ToUpper(signed)) {
		t.Error("a broken token is accepted")
	}
}
