package token

import (
	"fmt"
	"math"
	"net/mail"
	"strconv"
	"strings"
	"testing"
)

func TestEmailAddresses(t *testing.T) {
	for s, want := range map[string]bool{
		"ada@example.com": true, "ada+kindly@mail.example.co.uk": true, "o'hara@example.com": true, "a@b": true,
		"åsa.ødegård@blåbær.example": true, "用户@例え.jp": true, `"ada lovelace"@example.com`: true, "ada@[192.0.2.1]": true,
		"ada.@docomo.example": true, "x_y=z!#$%&*/?^`{|}~-@example.com": true, "ada@xn--bcher-kva.example": true,
		"": false, "ada": false, "@example.com": false, "ada@": false, "ada@@example.com": false, "Ada <ada@example.com>": false,
		"ada@example.com ": false, " ada@example.com": false, "ada lovelace@example.com": false, "ada@exa mple.com": false,
		"ada@example..com": false, "ada@.example.com": false, "ada@example.com.": false, "ada@-x.example": false,
		"a@example.com,b@example.com": false, "mailto:ada@example.com": false, "ada@exam_ple.com": false, "ada\n@example.com": false,
		strings.Repeat("a", 65) + "@example.com": false, "undefined": false, "null": false,
	} {
		if got := isEmail(s); got != want {
			t.Errorf("isEmail(%q) = %v", s, got)
		}
	}
}

// FuzzEmail: what net/mail reads as a plain address with plain characters, is one.
func FuzzEmail(f *testing.F) {
	f.Add("ada@example.com")
	f.Add(`"a b"@example.com`)
	f.Fuzz(func(t *testing.T, s string) {
		got := isEmail(s)
		a, err := mail.ParseAddress(s)
		if err != nil || a.Name != "" || a.Address != s || len(s) > 64 || strings.ContainsFunc(s, func(r rune) bool {
			return r > 0x7e || strings.ContainsRune(`"[]_`, r)
		}) {
			return
		}
		domain := s[strings.LastIndexByte(s, '@')+1:]
		if strings.Trim(domain, "abcdefghijklmnopqrstuvwxyz.0123456789") == "" && !got {
			t.Errorf("net/mail reads %q", s)
		}
	})
}

func TestE164(t *testing.T) {
	for s, want := range map[string]bool{
		"+4722334455": true, "+14155550123": true, "+298123456": true, "+123456789012345": true,
		"": false, "+": false, "22334455": false, "004722334455": false, "+47 22 33 44 55": false, "+0722334455": false,
		"+1234567890123456": false, "+47223344ab": false, "+123": false,
	} {
		if got := isE164(s); got != want {
			t.Errorf("isE164(%q) = %v", s, got)
		}
	}
}

// Identity numbers here are made up, or published as test numbers.
func TestPersonalIDs(t *testing.T) {
	for id, want := range map[string]string{
		"ada@example.com": "e-mail", "google|ada@example.com": "e-mail", "mailto:ada@example.com": "e-mail",
		"+4722334455": "phone", "tel:+4722334455": "phone", "+47 22 33 44 55": "phone", "+1 (415) 555-0123": "phone",
		"01010750160": "Norwegian", "010107 50160": "Norwegian", norwegian("410107501"): "Norwegian", norwegian("018107501"): "Norwegian",
		"811218-9876": "Swedish", "8112189876": "Swedish", "198112189876": "Swedish", "19811218-9876": "Swedish", "811218+9876": "Swedish",
		"070790-4285": "Danish", "131052-308T": "Finnish", "131052-308t": "Finnish", "078-05-1120": "US",
	} {
		if got := personalID(id); want == "" || !strings.Contains(got, want) {
			t.Errorf("personalID(%q) = %q, want %q", id, got, want)
		}
	}
	for _, id := range []string{
		"u-4711", "4711", "auth0|507f1f77bcf86cd799439011", "507f1f77bcf86cd799439011", "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		"client@clients", "ada", "22334455", "1700000000", "12345678901", "99999999999", "01010750161", "8112189877",
		"202403151232", "311302-1234", "310252-308T", "000-12-3456", "666-12-3456", "912-12-3456", "123-00-4567", "1234567890", "0000000000",
		"+12", "+a", "", "|", strings.Repeat("9", 300), "arn:aws:iam::123456789012:user/ada", "123-45-678", "3110-1234-5",
	} {
		if got := personalID(id); got != "" {
			t.Errorf("personalID(%q) = %q", id, got)
		}
	}
}

// norwegian appends the check digits to nine digits.
func norwegian(nine string) string {
	for k := range 100 {
		if s := nine + fmt.Sprintf("%02d", k); weighted(s, 3, 7, 6, 1, 8, 9, 4, 5, 2, 1)%11 == 0 &&
			weighted(s, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0 {
			return s
		}
	}
	return ""
}

// TestOpaqueNumbersAreSeldomAccused counts over all numbers of each length.
func TestOpaqueNumbersAreSeldomAccused(t *testing.T) {
	for digits := 4; digits <= 14; digits++ {
		low := int64(math.Pow10(digits - 1))
		const samples = 20_000
		accused := 0
		for i := range int64(samples) {
			if personalID(strconv.FormatInt(low+i*(low*9/samples)+i%7, 10)) != "" {
				accused++
			}
		}
		if accused > samples/200 {
			t.Errorf("of %d numbers of %d digits, %d are accused", samples, digits, accused)
		}
	}
}
