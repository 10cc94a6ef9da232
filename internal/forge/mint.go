package forge

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A Minting makes a sound token with a private key of a test environment: of the
// claims of another token where there is one, and otherwise of nothing.
type Minting struct {
	Key     *rsa.PrivateKey
	Base    Secret // whose claims are taken; may be no token at all
	ChatID  string
	Domains []string // of chat.webhook_domains, where Base has none that could be used
	Now     time.Time
	// Claims replace those of Base; nil takes one out.
	Claims map[string]any
	// MaxClaim takes out claims of Base that are longer, in bytes of JSON; 0 leaves
	// all in.
	MaxClaim int
	// Alg is RS256 if it is empty; Secret signs with HS256 instead of the key.
	Alg, Secret string
	// As is how the chat id and the times are written.
	As TokenMistake
}

// mintedLife is how long a minted token lives.
const mintedLife = 5 * time.Minute

// Token returns the token. Whatever is wrong with the times and the chat of
// Base, and with the type of its sub, is right in it.
func (m Minting) Token() (Secret, error) {
	header, claims := m.base()
	for _, c := range claims {
		if m.MaxClaim > 0 && len(c.raw) > m.MaxClaim {
			claims = claims.without(c.name)
		}
	}
	for name, value := range m.Claims {
		if value == nil {
			claims = claims.without(name)
			continue
		}
		raw, err := json.Marshal(value)
		if err != nil {
			return "", fmt.Errorf("minting a token: %w", err)
		}
		claims = claims.with(name, string(raw))
	}
	chat := object{}
	if raw, ok := claims.get("chat"); ok {
		if o, err := parseObject([]byte(raw)); err == nil {
			chat = o
		}
	}
	if raw, ok := chat.get("webhook_domains"); !ok || !isStringList(raw) {
		domains, err := json.Marshal(m.Domains)
		if err != nil || m.Domains == nil {
			domains = []byte("[]")
		}
		chat = chat.with("webhook_domains", string(domains))
	}
	if m.As.Claims["nbf"] == nil {
		claims = claims.without("nbf")
	}
	claims = claims.with("sub", soundSub(claims)).
		with("iat", number(m.As.Time(m.Now))).with("exp", number(m.As.Time(m.Now.Add(mintedLife)))).
		with("chat", chat.with("id", quote(m.As.Chat(m.ChatID))).String())
	d := draft{header: header.with("alg", quote(m.alg())), claims: claims}
	signature, err := m.sign(d.input())
	if err != nil {
		return "", fmt.Errorf("minting a token: %w", err)
	}
	return Secret(d.input() + "." + b64(signature)), nil
}

func (m Minting) alg() string {
	if m.Secret != "" {
		return "HS256"
	}
	return cmp.Or(m.Alg, "RS256")
}

func (m Minting) sign(input string) ([]byte, error) {
	switch m.alg() {
	case "HS256":
		return hs256(m.Secret, []byte(input)), nil
	case "PS256":
		return rsa.SignPSS(rand.Reader, m.Key, crypto.SHA256, digest(crypto.SHA256, input), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	hash := map[string]crypto.Hash{"RS256": crypto.SHA256, "RS384": crypto.SHA384, "RS512": crypto.SHA512}[m.alg()]
	if hash == 0 {
		return nil, fmt.Errorf("nothing signs with %q here", m.alg())
	}
	return rsa.SignPKCS1v15(nil, m.Key, hash, digest(hash, input))
}

// base is the header and the claims that the token is made of.
func (m Minting) base() (header, claims object) {
	header = object{{"alg", `"RS256"`}, {"typ", `"JWT"`}}
	if parts := strings.Split(m.Base.Reveal(), "."); len(parts) >= 2 && len(m.Base) <= maxToken {
		if o, err := decodeObject(parts[0]); err == nil {
			if kid, ok := o.get("kid"); ok && strings.HasPrefix(kid, `"`) {
				header = header.with("kid", kid)
			}
		}
		if o, err := decodeObject(parts[1]); err == nil {
			return header, o
		}
	}
	return header, object{{"iss", `"kindlytest"`}, {"sub", `"kindlytest"`}, {"name", `"Kindly Test"`},
		{"email", `"kindlytest@example.com"`}, {"email_verified", "true"}}
}

func decodeObject(segment string) (object, error) {
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(segment, "="))
	if err != nil {
		return nil, err
	}
	return parseObject(data)
}

// soundSub is sub as a string that is not empty.
func soundSub(claims object) string {
	raw, _ := claims.get("sub")
	var v any
	if json.Unmarshal([]byte(raw), &v) == nil {
		switch v := v.(type) {
		case string:
			if v != "" {
				return raw
			}
		case float64:
			return quote(raw)
		}
	}
	return `"kindlytest"`
}

func isStringList(raw string) bool {
	var list []string
	return json.Unmarshal([]byte(raw), &list) == nil && list != nil
}
