package token

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// isEmail accepts what mail servers accept, internationalised addresses
// (RFC 6531) included, and rather too much than too little. A display name
// ("Ada <ada@example.com>") makes it no address.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || len(s) > 254 || !utf8.ValidString(s) {
		return false
	}
	return isLocalPart(s[:at]) && isMailDomain(s[at+1:])
}

func isLocalPart(s string) bool {
	if len(s) > 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return !strings.ContainsAny(s[1:len(s)-1], "\"\r\n\x00")
	}
	for _, r := range s {
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`()<>[]:;@\,"`, r) || r > 0x7f && !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

func isMailDomain(s string) bool {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		return len(s) > 2 // an address literal
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, r := range label {
			ascii := r == '-' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z'
			if !ascii && (r < 0x80 || !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r)) {
				return false
			}
		}
	}
	return true
}

// isE164 accepts + and 7 to 15 digits, the first of which is not 0.
func isE164(s string) bool {
	return len(s) >= 8 && len(s) <= 16 && s[0] == '+' && s[1] != '0' && allDigits(s[1:])
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// personalID names the personal data that id is; "" if it says nothing to a
// stranger. Opaque numbers must not be accused: identity numbers need their
// check digit and a date that can be one.
func personalID(id string) string {
	id = strings.TrimSpace(id)
	if i := strings.LastIndexAny(id, "|:/"); i >= 0 {
		id = id[i+1:] // "google-oauth2|…", "tel:…"
	}
	if len(id) > 254 {
		return ""
	}
	switch at := strings.LastIndexByte(id, '@'); {
	case at >= 0 && strings.Contains(id[at:], ".") && isEmail(id):
		return "an e-mail address"
	case isPhone(id):
		return "a phone number"
	}
	for _, n := range nationalNumbers {
		if n.is(id) {
			return n.name
		}
	}
	return ""
}

// isPhone accepts international numbers, as people write them.
func isPhone(s string) bool {
	if !strings.HasPrefix(s, "+") || len(s) > 32 {
		return false
	}
	return isE164(strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", "\u00a0", "").Replace(s))
}

// nationalNumbers are those of the countries where Kindly is at home, and one
// whose form is unmistakable.
var nationalNumbers = []struct {
	name string
	is   func(string) bool
}{
	{"a Norwegian identity number", isNorwegian},
	{"a Swedish identity number", isSwedish},
	{"a Danish identity number", isDanish},
	{"a Finnish identity number", isFinnish},
	{"a US social security number", isAmerican},
}

// isNorwegian: DDMMYYiiikk with two mod 11 check digits. D-numbers add 4 to
// the first digit, synthetic ones 4 or 8 to the third.
func isNorwegian(s string) bool {
	if len(s) == 12 && s[6] == ' ' {
		s = s[:6] + s[7:]
	}
	if len(s) != 11 || !allDigits(s) {
		return false
	}
	day, month := two(s[0:]), two(s[2:])
	if day > 40 {
		day -= 40
	}
	if month > 80 {
		month -= 80
	} else if month > 40 {
		month -= 40
	}
	return isDay(day, month, two(s[4:])) &&
		weighted(s, 3, 7, 6, 1, 8, 9, 4, 5, 2, 1)%11 == 0 &&
		weighted(s, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0
}

// isSwedish: [YY]YYMMDD[-]NNNC with a Luhn check digit over the last ten.
// Coordination numbers add 60 to the day. Numbers of 12 digits that begin with
// a recent date are more often an order's than a grown person's.
func isSwedish(s string) bool {
	hyphen := false
	if n := len(s); n == 11 || n == 13 {
		if hyphen = s[n-5] == '-' || s[n-5] == '+'; !hyphen {
			return false
		}
		s = s[:n-5] + s[n-4:]
	}
	if !allDigits(s) || len(s) != 10 && len(s) != 12 {
		return false
	}
	if len(s) == 12 {
		if s[:4] < "1900" || s[:4] > "2015" {
			return false
		}
		s = s[2:]
	}
	day := two(s[4:])
	if day > 60 && hyphen {
		day -= 60
	}
	return isDay(day, two(s[2:]), two(s)) && luhn(s)
}

// isDanish: DDMMYY-NNNN. There has been no check digit since 2007, so that
// only the form with the hyphen can be told from any other number.
func isDanish(s string) bool {
	return len(s) == 11 && s[6] == '-' && allDigits(s[:6]) && allDigits(s[7:]) &&
		isDay(two(s), two(s[2:]), two(s[4:]))
}

// isFinnish: DDMMYYsNNNC, where s tells the century and C is mod 31.
func isFinnish(s string) bool {
	if len(s) != 11 || !allDigits(s[:6]) || !allDigits(s[7:10]) || !strings.ContainsRune("+-ABCDEFUVWXYabcdefuvwxy", rune(s[6])) {
		return false
	}
	n := 0
	for _, c := range []byte(s[:6] + s[7:10]) {
		n = n*10 + int(c-'0')
	}
	check := "0123456789ABCDEFHJKLMNPRSTUVWXY"[n%31]
	return isDay(two(s), two(s[2:]), two(s[4:])) && strings.EqualFold(s[10:], string(check))
}

// isAmerican: AAA-GG-SSSS, without the numbers that are never given out.
func isAmerican(s string) bool {
	if len(s) != 11 || s[3] != '-' || s[6] != '-' {
		return false
	}
	area, group, serial := s[:3], s[4:6], s[7:]
	return allDigits(area) && allDigits(group) && allDigits(serial) &&
		area != "000" && area != "666" && area[0] != '9' && group != "00" && serial != "0000"
}

func two(s string) int { return int(s[0]-'0')*10 + int(s[1]-'0') }

// isDay says whether there is such a day in that year of any century.
func isDay(day, month, year int) bool {
	if day < 1 || month < 1 || month > 12 {
		return false
	}
	last := time.Date(2000+year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return day <= last
}

func weighted(s string, weights ...int) int {
	sum := 0
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	return sum
}

func luhn(s string) bool {
	sum := 0
	for i := range len(s) {
		d := int(s[i] - '0')
		if (len(s)-i)%2 == 0 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0
}
