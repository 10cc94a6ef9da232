package param

import (
	"encoding/base64"
	"net/http"
	"testing"
)

const testChat = "0b9f6f0e-1111-4222-8333-944444444444"

func TestChatIDIsFoundInEachSpelling(t *testing.T) {
	const other = "7c1a9d34-5555-4666-8777-988888888888"
	for name, spell := range map[string]func(string) string{
		"plain":    func(s string) string { return `{"chatId":"` + s + `"}` },
		"in a URL": func(s string) string { return "/token/" + s + "?x=1" },
		"capitals": func(s string) string {
			return map[string]string{testChat: "0B9F6F0E-1111-4222-8333-944444444444", other: "7C1A9D34-5555-4666-8777-988888888888"}[s]
		},
		"base64": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(`{"chatId":"` + s + `"}`)) },
		"base64url": func(s string) string {
			return "x." + base64.RawURLEncoding.EncodeToString([]byte(`{"?>":"`+s+`"}`)) + ".y"
		},
		"its bytes": func(s string) string {
			b, _ := bytesOf(s)
			return "\x0a\x10" + string(b) + "/" + base64.StdEncoding.EncodeToString(b) + "/" + base64.RawURLEncoding.EncodeToString(b)
		},
		"twice": func(s string) string {
			return base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(s))))
		},
		"JSON in URL": func(s string) string { return "/t?input=%7B%22chatId%22%3A%22" + s + "%22%7D" },
	} {
		if got := ReplaceID(spell(testChat), testChat, other); got != spell(other) {
			t.Errorf("%s: got %q, want %q", name, got, spell(other))
		}
	}
	for _, text := range []string{"", "nothing here", http.StatusText(200), other} {
		if HoldsID(text, testChat) {
			t.Errorf("%q does not hold the chat id", text)
		}
	}
}
