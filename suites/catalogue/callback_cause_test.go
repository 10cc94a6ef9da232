package catalogue

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// What the page sends and gets is quoted in a sentence, in which nothing tells any more
// that a value was a credential: a refresh token that is in no storage, for one.
func TestASentenceQuotesNoCredential(t *testing.T) {
	const secret = "opaque0123456789abcdef"
	form, inJSON := "application/x-www-form-urlencoded", "application/json"
	for _, row := range []struct {
		name        string
		tell        func(*call) (string, []subject.Evidence)
		status      int
		sent, type_ string
		answer      string
		says        []string
	}{
		{"JSON", chatIDLeftOut, 400, `{"refreshToken":"` + secret + `","chat":null}`, inJSON, `{}`, []string{"refreshToken", `"chat":null`}},
		{"a member that ends behind the quote", chatIDLeftOut, 400, `{"why":"` + strings.Repeat("a", 50) + `","refresh_token":"` + secret + `"}`, inJSON, `{}`, []string{"(shortened)"}},
		{"a form", chatIDLeftOut, 422, "grant=refresh&refresh_token=" + secret, form, `{}`, []string{"grant=refresh"}},
		{"no JSON", chatIDLeftOut, 400, "[object Object]", "text/plain", `{}`, []string{"“[object Object]”"}},
		{"an answer", withoutToken, 200, `{}`, inJSON, `{"ok":true,"access_token":"` + secret + `"}`, []string{`"ok":true`, "access_token"}},
		{"a refusal", refuses, 409, `{}`, inJSON, `{"session":"` + secret + `"}`, []string{"409"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			text, _ := row.tell(&call{visit: &subject.Visit{ChatID: "c1"}, asked: &browser.Request{
				Method: "POST", URL: "https://shop.example/auth", Header: http.Header{"Content-Type": {row.type_}}, Body: []byte(row.sent),
				Status: row.status, ResponseHeader: http.Header{"Content-Type": {inJSON}}, ResponseBody: []byte(row.answer),
			}})
			for _, want := range row.says {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not said: %s", want, text)
				}
			}
			if strings.Contains(text, secret[:10]) {
				t.Errorf("it shows %s", text)
			}
		})
	}
}
