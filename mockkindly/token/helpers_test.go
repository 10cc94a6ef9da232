package token

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"sync"
	"time"
)

const chatID = "7d8f2a31-0b1c-4c55-9d3e-5a1f6f0c2b77"

var now = time.Date(2030, 1, 2, 3, 4, 5, 600e6, time.UTC)

type testKeys struct {
	private, otherPrivate, small *rsa.PrivateKey
	key, other                   *Key
}

// keys are made once: making RSA keys is slow.
var keys = sync.OnceValue(func() testKeys {
	make := func(bits int) *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		return k
	}
	k := testKeys{private: make(2048), otherPrivate: make(2048), small: make(1024)}
	k.key = NewKey("public.pem", &k.private.PublicKey)
	k.other = NewKey("other.pem", &k.otherPrivate.PublicKey)
	return k
})

func expect() Expect {
	return Expect{Keys: []*Key{keys().key}, ChatID: chatID, Now: now}
}

// object holds claims, or changes to the sound token; remove takes a claim out.
type object = map[string]any

type removed struct{}

var remove removed

// lit is JSON text, for numbers and members that a map cannot hold.
func lit(s string) json.RawMessage { return json.RawMessage(s) }

func soundClaims() object {
	return object{
		"iat": now.Unix(), "exp": now.Unix() + 300, "iss": "https://shop.example", "sub": "u-4711",
		"name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true,
		"phone_number": "+4722334455", "phone_number_verified": true,
		"picture": "https://shop.example/a/4711.png",
		"chat":    object{"id": chatID, "webhook_domains": []string{"hooks.shop.example"}},
	}
}

// mintJSON returns the payload of the sound token with changes.
func mintJSON(change object) string {
	c := soundClaims()
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == any(remove) })
	b, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func mint(change object) Raw { return signed(`{"alg":"RS256","typ":"JWT"}`, mintJSON(change)) }

func signedBy(k *rsa.PrivateKey, payload string) Raw {
	return signWith(k, `{"alg":"RS256","typ":"JWT"}`, payload)
}

func signed(header, payload string) Raw { return signWith(keys().private, header, payload) }

func signWith(k *rsa.PrivateKey, header, payload string) Raw {
	return signText(k, b64(header)+"."+b64(payload))
}

// signText signs a signing input as it is.
func signText(k *rsa.PrivateKey, text string) Raw {
	digest := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(nil, k, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return Raw(text + "." + b64(string(sig)))
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func violatedIDs(r Result) []string {
	var ids []string
	for _, v := range r.Violations {
		ids = append(ids, v.Rule.ID)
	}
	return ids
}
