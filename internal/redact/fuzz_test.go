package redact

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Whatever stands around a secret: in none of its spellings is it shown, and
// JSON stays JSON.
func FuzzKnown(f *testing.F) {
	for i, v := range values {
		f.Add("before ", v, " after", uint8(i))
		f.Add(`\`, v, "…", uint8(3*i))
		f.Add("%2", v, "%", uint8(7*i))
	}
	f.Add("&#x", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl", ";", uint8(20))
	f.Fuzz(func(t *testing.T, before, secret, after string, which uint8) {
		if len(before)+len(secret)+len(after) > 4<<10 {
			return
		}
		var r Redactor
		r.Learn(secret)
		known := len(secret) >= MinSecret && !strings.ContainsAny(secret, Removed+".")
		plain := r.Known(before + secret + after)
		if known && strings.Contains(plain, secret) {
			t.Errorf("%q is shown in %q", secret, plain)
		}
		text, err := json.Marshal(map[string]string{"a": before + secret + after})
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]string
		if out := r.JSON(text, 0); json.Unmarshal(out, &got) != nil {
			t.Errorf("%s is no JSON", out)
		} else if known && utf8.ValidString(secret) && strings.Contains(got["a"], secret) {
			t.Errorf("%q is shown in %s", secret, out)
		}
		// HTML reads other characters for the numbers of controls.
		if !known || !utf8.ValidString(secret) || strings.ContainsFunc(secret, unicode.IsControl) {
			return
		}
		forms := spellings(secret)
		names := slices.Sorted(func(yield func(string) bool) {
			for name := range forms {
				if !yield(name) {
					return
				}
			}
		})
		name := names[int(which)%len(names)]
		if shown := r.Known("\n" + forms[name] + "\n"); strings.Contains(shown, forms[name]) {
			t.Errorf("%s: %q is shown in %q", name, forms[name], shown)
		}
	})
}

// Whatever a body looks like, redacting it ends and makes it little larger;
// and a field of a form that is a credential by its name never stays.
func FuzzBody(f *testing.F) {
	f.Add("chat_id=c1&a=b", "application/x-www-form-urlencoded")
	f.Add("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nv\r\n--b--", "multipart/form-data; boundary=b")
	f.Add(`<input name="_token" value="v">`, "text/html")
	f.Add(`{"access_token":"0123456789abcdef","next":"https:\/\/a:b@c.example\/?d=e"}`, "")
	f.Add("%", "multipart/form-data")
	f.Fuzz(func(t *testing.T, body, contentType string) {
		var r Redactor
		once := r.Body([]byte(body), contentType, false)
		if len(once) > 20*len(body)+20 {
			t.Errorf("%d bytes became %d", len(body), len(once))
		}
		const secret = "s3cr3tV4lue"
		field := strings.NewReplacer("&", "", "\n", "", "\r", "").Replace(body) + "&csrfmiddlewaretoken=" + secret
		if form := r.Body([]byte(field), "application/x-www-form-urlencoded", false); strings.Contains(form, secret) {
			t.Errorf("the field stays: %q", form)
		}
	})
}

// Whatever a URL looks like: it can be redacted again, and shows no password.
func FuzzURL(f *testing.F) {
	for _, s := range []string{"https://a.example/?token=b#c=d", "a@b?c@d", "//a:b@c/d;e?f;g", "https://a/%zz?%zz=%zz", "https://a/?b=https%3A%2F%2Fc%2F%3Ftoken%3Dd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		once := URL(raw)
		if again := URL(once); again != once {
			t.Errorf("%q becomes %q, and that %q", raw, once, again)
		}
		const password = "s3cr3tV4lue"
		if shown := URL("https://ada:" + password + "@a.example/" + raw); strings.Contains(shown, password) && !strings.Contains(raw, password) {
			t.Errorf("%q shows the password", shown)
		}
		if shown := URL("https://a.example/?q=" + url.QueryEscape(raw) + "&token=" + password); strings.Contains(shown, password) {
			t.Errorf("%q shows the token", shown)
		}
	})
}
