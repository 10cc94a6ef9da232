package token

import (
	"bytes"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// A Token is a decoded token. Its claims are what somebody wrote, not what is
// true: only Check tells whether to believe them. Accessors give a zero value
// for a claim that is missing or has the wrong type.
type Token struct {
	Raw    Raw
	Header Value // an object; Missing if it could not be read
	Claims Value // an object; Missing if it could not be read
}

// maxBytes bounds the tokens that are looked into at all. Servers cut headers
// off at 8 KB; Kindly cannot forward what is longer.
const maxBytes = 64 << 10

var errTooLarge = fmt.Errorf("the token is larger than %d KB", maxBytes>>10)

// Decode reads a token without judging it: it forgives padding, quotes, line
// ends, and JSON that is not in UTF-8. It fails if the header or the payload is no JSON object; the
// error quotes nothing of the token.
func Decode(raw Raw) (*Token, error) {
	if len(raw) > maxBytes {
		return nil, errTooLarge
	}
	t, headerErr, claimsErr := decode(raw, takeApart(string(raw)))
	for _, err := range []error{headerErr, claimsErr} {
		if err != nil && !errors.Is(err, errEncoding) {
			return nil, fmt.Errorf("this is no JWT: %w", err)
		}
	}
	return t, nil
}

func decode(raw Raw, c compact) (t *Token, headerErr, claimsErr error) {
	t = &Token{Raw: raw}
	t.Header, headerErr = decodeObject("header", c.header)
	t.Claims, claimsErr = decodeObject("payload", c.payload)
	return t, headerErr, claimsErr
}

// errNoSegment is a part that is not there, or no base64url: TOK-COMPACT says
// so, TOK-JSON then has nothing to judge.
var errNoSegment = errors.New("it has no part that could be decoded")

// errEncoding is JSON that can be read once its bytes are taken for what they are: that is
// wrong, and hides nothing of what it says.
var errEncoding = errors.New("read all the same")

// decodeObject is the object in a segment. With errEncoding it is there, too.
func decodeObject(name string, s segment) (Value, error) {
	switch {
	case !s.exists:
		return Value{}, fmt.Errorf("the %s is missing: %w", name, errNoSegment)
	case !s.ok:
		return Value{}, fmt.Errorf("the %s is not base64url: %w", name, errNoSegment)
	}
	v, err := parseJSON(string(s.bytes))
	if err != nil {
		if v, readErr := parseJSON(legible(s.bytes)); readErr == nil && v.kind == Object {
			return v, encodingError{fmt.Errorf("the %s %w", name, err)}
		}
		return Value{}, fmt.Errorf("the %s %w", name, err)
	}
	if v.kind != Object {
		return Value{}, fmt.Errorf("the %s is %s, not an object", name, describe(v))
	}
	return v, nil
}

// An encodingError is what is wrong with JSON that can be read all the same.
type encodingError struct{ error }

func (e encodingError) Is(target error) bool { return target == errEncoding }
func (e encodingError) Unwrap() error        { return e.error }

// legible is text without a byte order mark, and in UTF-8: other bytes are taken for
// Latin-1, in which each of them is a letter.
func legible(b []byte) string {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if utf8.Valid(b) {
		return string(b)
	}
	letters := make([]rune, len(b))
	for i, c := range b {
		letters[i] = rune(c)
	}
	return string(letters)
}

// Algorithm is the header's alg, as it stands.
func (t *Token) Algorithm() string { return textOf(t.Header.Get("alg")) }

// Issuer is the claim iss.
func (t *Token) Issuer() string { return textOf(t.Claims.Get("iss")) }

// Subject is the claim sub: the customer's id of the user.
func (t *Token) Subject() string { return textOf(t.Claims.Get("sub")) }

// Name is the claim name.
func (t *Token) Name() string { return textOf(t.Claims.Get("name")) }

// Email is the claim email.
func (t *Token) Email() string { return textOf(t.Claims.Get("email")) }

// EmailVerified is true only if email_verified is the boolean true.
func (t *Token) EmailVerified() bool { return isTrue(t.Claims.Get("email_verified")) }

// Phone is the claim phone_number.
func (t *Token) Phone() string { return textOf(t.Claims.Get("phone_number")) }

// PhoneVerified is true only if phone_number_verified is the boolean true.
func (t *Token) PhoneVerified() bool { return isTrue(t.Claims.Get("phone_number_verified")) }

// Picture is the claim picture as it stands: it may be any text, not only a
// URL that is safe to show.
func (t *Token) Picture() string { return textOf(t.Claims.Get("picture")) }

// ChatID is the claim chat.id.
func (t *Token) ChatID() string { return textOf(t.Claims.Get("chat").Get("id")) }

// WebhookDomains are the strings of the claim chat.webhook_domains.
func (t *Token) WebhookDomains() []string {
	list := t.Claims.Get("chat").Get("webhook_domains")
	if list.Kind() != List {
		return nil
	}
	var domains []string
	for _, item := range list.Members() {
		if s, ok := item.Value.Text(); ok {
			domains = append(domains, s)
		}
	}
	return domains
}

// IssuedAt is the claim iat, in whatever unit it is written; zero if it is no time.
func (t *Token) IssuedAt() time.Time { return timeOf(t.Claims.Get("iat")) }

// Expires is the claim exp, in whatever unit it is written; zero if it is no time.
func (t *Token) Expires() time.Time { return timeOf(t.Claims.Get("exp")) }

func textOf(v Value) string { return v.text }

func isTrue(v Value) bool {
	b, ok := v.Bool()
	return b && ok
}

func timeOf(v Value) time.Time {
	at := readInstant(v)
	if !at.known {
		return time.Time{}
	}
	return time.Unix(at.seconds, 0).UTC()
}
