// Package totp makes the one-time codes of an authenticator app (RFC 6238).
//
//	key, err := totp.Parse("JBSW Y3DP EHPK 3PXP") // or otpauth://totp/…
//	key.Code(time.Now()) // "492039"
package totp

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A Key is the secret that was shown as a QR code, and how codes are made of it.
type Key struct {
	secret []byte
	digits int
	period int64 // seconds
	hash   func() hash.Hash
}

var hashes = map[string]func() hash.Hash{"SHA1": sha1.New, "SHA256": sha256.New, "SHA512": sha512.New}

// Parse reads a secret in base32, as apps show it, or an otpauth:// URL. Errors
// don't quote it.
func Parse(text string) (Key, error) {
	k := Key{digits: 6, period: 30, hash: sha1.New}
	if strings.HasPrefix(strings.ToLower(text), "otpauth:") {
		u, err := url.Parse(text)
		if err != nil || u.Host != "totp" {
			return k, errors.New("it is no otpauth://totp/ URL")
		}
		query := u.Query()
		if err := k.configure(query); err != nil {
			return k, err
		}
		text = query.Get("secret")
	}
	text = strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "=", "").Replace(text))
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil || len(secret) == 0 {
		return k, errors.New("it is no secret of an authenticator: those are in base32 (A-Z, 2-7), or an otpauth:// URL")
	}
	k.secret = secret
	return k, nil
}

func (k *Key) configure(query url.Values) error {
	if v := query.Get("digits"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 6 || n > 8 {
			return errors.New("its digits must be 6 to 8")
		}
		k.digits = n
	}
	if v := query.Get("period"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > 3600 {
			return errors.New("its period must be 1 to 3600 seconds")
		}
		k.period = int64(n)
	}
	if v := query.Get("algorithm"); v != "" {
		if k.hash = hashes[strings.ToUpper(v)]; k.hash == nil {
			return errors.New("its algorithm must be SHA1, SHA256 or SHA512")
		}
	}
	return nil
}

// String leaves the secret out.
func (k Key) String() string { return "totp.Key" }

// GoString is String.
func (k Key) GoString() string { return k.String() }

// Code is the code at a time.
func (k Key) Code(at time.Time) string {
	mac := hmac.New(k.hash, k.secret)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(at.Unix()/k.period))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	code := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	mod := uint32(1)
	for range k.digits {
		mod *= 10
	}
	return fmt.Sprintf("%0*d", k.digits, code%mod)
}
