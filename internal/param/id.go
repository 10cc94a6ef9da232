package param

import (
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"
)

// Where a chat id stands in a text. It is a UUID, which most ways to write a
// text down leave as it is.

// Spellings are the forms in which pages send a chat id, as pairs of what is
// looked for and what takes its place.
func Spellings(from, to string) [][2]string {
	if from == "" {
		return nil
	}
	var out [][2]string
	for _, letters := range []func(string) string{func(s string) string { return s }, strings.ToUpper} {
		for _, dash := range []string{"-", "%2D", "%2d", `\u002d`, ""} {
			spell := func(s string) string { return strings.ReplaceAll(letters(s), "-", dash) }
			if old := spell(from); len(out) == 0 || old != from {
				out = append(out, [2]string{old, spell(to)})
			}
		}
	}
	old, isUUID := bytesOf(from)
	if now, ok := bytesOf(to); isUUID {
		for _, write := range []func([]byte) string{base64.RawURLEncoding.EncodeToString, base64.RawStdEncoding.EncodeToString, asIs} {
			if ok {
				out = append(out, [2]string{write(old), write(now)})
			} else {
				out = append(out, [2]string{write(old), to})
			}
		}
	}
	return out
}

func asIs(b []byte) string { return string(b) }

// bytesOf are the 16 bytes that a UUID stands for.
func bytesOf(id string) ([]byte, bool) {
	b, err := hex.DecodeString(strings.ReplaceAll(id, "-", ""))
	return b, err == nil && len(b) == 16
}

// HoldsID says whether a text holds a chat id in any spelling.
func HoldsID(text, chatID string) bool {
	return chatID != "" && ReplaceID(text, chatID, "") != text
}

// ReplaceID puts another chat id into the place of one wherever it stands,
// also inside what is encoded in base64.
func ReplaceID(text, from, to string) string { return replaceChatIn(text, from, to, 3) }

func replaceChatIn(text, from, to string, depth int) string {
	for _, pair := range Spellings(from, to) {
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	if depth == 0 {
		return text
	}
	return base64Text.ReplaceAllStringFunc(text, func(encoded string) string {
		plain, encoding, ok := DecodeBase64(encoded)
		if !ok {
			return encoded
		}
		changed := replaceChatIn(plain, from, to, depth-1)
		if changed == plain {
			return encoded
		}
		return encoding.EncodeToString([]byte(changed))
	})
}

// base64Text matches what may be a UUID or more in base64, of either alphabet.
var base64Text = regexp.MustCompile(`[A-Za-z0-9+/_-]{22,}={0,2}`)

// DecodeBase64 decodes a text, and says in which encoding it stood.
func DecodeBase64(s string) (string, *base64.Encoding, bool) {
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		if plain, err := encoding.DecodeString(s); err == nil {
			return string(plain), encoding, true
		}
	}
	return "", nil, false
}
