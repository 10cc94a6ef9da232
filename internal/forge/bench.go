package forge

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of RS256 and HS256
	_ "crypto/sha512" // and of the others
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// maxToken bounds the page's token: 64 KB is far more than a header can carry.
const maxToken = 64 << 10

// A bench is where one attack is built: the page's token taken apart, and the
// tokens made so far. The first error sticks.
type bench struct {
	Material
	parts  [3]string // of the page's token, as they were
	header object
	claims object
	out    []Forged
	err    error
	// first and n are the tokens that somebody wants: the others stay unsigned.
	first, n int
}

// wanted says whether the token that is made next is.
func (b *bench) wanted() bool { return len(b.out) >= b.first && len(b.out)-b.first < b.n }

// A draft is a token before it is signed.
type draft struct {
	header, claims object
	canaries       []string
}

func newBench(m Material) (*bench, error) {
	b := &bench{Material: m}
	if b.Canary == nil {
		b.Canary = Canaries(m.Rand)
	}
	if m.Token == "" {
		b.header = object{{"alg", `"RS256"`}, {"typ", `"JWT"`}}
		b.claims = object{{"iss", `"kindlytest"`}, {"sub", `"kindlytest"`}}
		b.parts[0], b.parts[1] = b64(b.header.String()), b64(b.claims.String())
		return b, nil
	}
	if err := b.take(m.Token.Reveal()); err != nil {
		return nil, fmt.Errorf("the page's token cannot be taken apart: %w", err)
	}
	return b, nil
}

// take splits the page's token. Errors don't quote it.
func (b *bench) take(token string) error {
	if len(token) > maxToken {
		return fmt.Errorf("it has %d bytes, more than %d", len(token), maxToken)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return fmt.Errorf("it has %d segments, not 3", len(parts))
	}
	b.parts = [3]string(parts)
	for i, into := range []*object{&b.header, &b.claims} {
		name := [...]string{"header", "payload"}[i]
		data, err := decodeSegment(parts[i])
		if err != nil {
			return fmt.Errorf("its %s is no base64url", name)
		}
		if *into, err = parseObject(data); err != nil {
			return fmt.Errorf("its %s: %w", name, err)
		}
	}
	if _, err := b.signature(); err != nil {
		return errors.New("its signature is no base64url")
	}
	return nil
}

// signature is the page's token's own.
func (b *bench) signature() ([]byte, error) {
	return decodeSegment(b.parts[2])
}

var toURL = strings.NewReplacer("+", "-", "/", "_")

// decodeSegment reads a segment in either base64, padded or not: that a token is
// written in the wrong one is for TOK-COMPACT to say.
func decodeSegment(s string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(toURL.Replace(strings.TrimRight(s, "=")))
}

// IsJSONSegment says whether a segment of what may be a token is JSON.
func IsJSONSegment(s string) bool {
	data, err := decodeSegment(s)
	return err == nil && json.Valid(data)
}

// fresh is the page's token as it would be issued now, for the right chat.
func (b *bench) fresh() draft {
	chat := object{}
	if raw, ok := b.claims.get("chat"); ok {
		if o, err := parseObject([]byte(raw)); err == nil {
			chat = o
		}
	}
	claims := b.claims.with("iat", b.at(0)).with("exp", b.at(300)).
		with("chat", chat.with("id", quote(b.As.Chat(b.ChatID))).String())
	if _, ok := claims.get("nbf"); ok {
		claims = claims.with("nbf", b.at(0))
	}
	return draft{header: b.header, claims: claims}
}

// at is a time, in seconds from now, as the webhook expects it to be written.
func (b *bench) at(seconds int64) string {
	return number(b.As.Time(b.Now.Add(time.Duration(seconds) * time.Second)))
}

// marked is fresh with a canary for a name, and one for an e-mail where the page's
// token has none: by its own, the service may know its users.
func (b *bench) marked() draft {
	d := b.mark(b.fresh(), "name")
	for _, name := range append([]string{"preferred_username"}, emails...) {
		if raw, ok := b.claims.get(name); ok {
			d = d.claim(name, raw)
		}
	}
	if slices.ContainsFunc(emails, func(name string) bool { _, ok := b.claims.get(name); return ok }) {
		return d
	}
	return b.mark(d, "email")
}

// mark returns the draft with a canary for a name or an e-mail.
func (b *bench) mark(d draft, kind string) draft {
	c := b.Canary(kind)
	d = d.called(kind, c)
	d.canaries = append(d.canaries, c)
	return d
}

// names and emails are claims in which the page's token may say the same by a name that
// Kindly does not read, and its webhooks do.
var (
	names  = []string{"name", "full_name", "fullName", "fullname", "display_name", "displayName", "preferred_username", "given_name", "first_name", "firstName"}
	emails = []string{"email", "mail", "email_address", "emailAddress", "e_mail"}
)

// called returns the draft with a name or an e-mail, wherever the page's token has one.
func (d draft) called(kind, value string) draft {
	d = d.claim(kind, quote(value))
	for _, name := range map[string][]string{"name": names, "email": emails}[kind] {
		if raw, ok := d.claims.get(name); ok && strings.HasPrefix(raw, `"`) {
			d = d.claim(name, quote(value))
		}
	}
	return d
}

// claim returns the draft with one claim set to raw JSON.
func (d draft) claim(name, raw string) draft { d.claims = d.claims.with(name, raw); return d }

// drop returns the draft without a claim.
func (d draft) drop(name string) draft { d.claims = d.claims.without(name); return d }

// head returns the draft with one header parameter set to raw JSON.
func (d draft) head(name, raw string) draft { d.header = d.header.with(name, raw); return d }

// input is the JWS signing input (RFC 7515 §5.1).
func (d draft) input() string { return b64(d.header.String()) + "." + b64(d.claims.String()) }

// add appends f; its token is complete.
func (b *bench) add(f Forged) {
	b.out = append(b.out, f)
}

// put adds the draft with this signature segment.
func (b *bench) put(name string, d draft, signature string) {
	b.add(Forged{Name: name, Token: Secret(d.input() + "." + signature), Canaries: d.canaries})
}

// rs256 adds the draft signed by the attacker.
func (b *bench) rs256(name string, d draft) {
	key, err := b.Attacker.key()
	if err != nil {
		b.fail(err)
		return
	}
	b.put(name, d, b.rsa(key, crypto.SHA256, d))
}

// mint returns the draft signed with the customer's own key, as RS256.
func (b *bench) mint(name string, d draft) Forged {
	d = d.head("alg", `"RS256"`)
	return Forged{Name: name, Canaries: d.canaries,
		Token: Secret(d.input() + "." + b.rsa(b.Private, crypto.SHA256, d))}
}

func (b *bench) rsa(key *rsa.PrivateKey, hash crypto.Hash, d draft) string {
	if !b.wanted() {
		return ""
	}
	sig, err := rsa.SignPKCS1v15(nil, key, hash, digest(hash, d.input()))
	if err != nil {
		b.fail(fmt.Errorf("signing: %w", err))
	}
	return b64(sig)
}

// mac returns the HMAC of the draft as a segment (RFC 7518 §3.2).
func mac(hash crypto.Hash, key []byte, d draft) string {
	h := hmac.New(hash.New, key)
	io.WriteString(h, d.input())
	return b64(h.Sum(nil))
}

func digest(hash crypto.Hash, input string) []byte {
	h := hash.New()
	io.WriteString(h, input)
	return h.Sum(nil)
}

// random returns n bytes from the injected source.
func (b *bench) random(n int) []byte {
	data := make([]byte, n)
	if b.Rand == nil {
		b.fail(errors.New("there is no source of randomness"))
		return data
	}
	if _, err := io.ReadFull(b.Rand, data); err != nil {
		b.fail(fmt.Errorf("reading randomness: %w", err))
	}
	return data
}

func (b *bench) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}
