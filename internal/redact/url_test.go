package redact

import (
	"slices"
	"testing"
)

func TestURL(t *testing.T) {
	for _, tt := range []struct{ name, raw, want string }{
		{"nothing to hide", "https://shop.example/a?page=2&q=shoes#top", "https://shop.example/a?page=2&q=shoes#top"},
		{"its spelling stays", "https://shop.example/%7Ea?b=%20&&c", "https://shop.example/%7Ea?b=%20&&c"},
		{"user and password", "https://ada:pass@shop.example/", "https://shop.example/"},
		{"user alone", "https://ghp_0123456789@shop.example/", "https://shop.example/"},
		{"key", "http://127.0.0.1:1/hook?key=SECRET&a=1", "http://127.0.0.1:1/hook?key=[removed]&a=1"},
		{"access_token", "https://shop.example/?access_token=s%2B1", "https://shop.example/?access_token=[removed]"},
		{"escaped name", "https://shop.example/?%74oken=s", "https://shop.example/?%74oken=[removed]"},
		{"login", "https://shop.example/?code=1&state=2", "https://shop.example/?code=[removed]&state=[removed]"},
		{"fragment", "https://shop.example/a#id_token=s3cret&x=1", "https://shop.example/a#id_token=[removed]&x=1"},
		{"fragment of a route", "https://shop.example/#/orders?token=s", "https://shop.example/#/orders?token=[removed]"},
		{"by its looks", "https://shop.example/?v=9f86d081884c7d659a2feaa0", "https://shop.example/?v=[removed]"},
		{"a value alone", "https://shop.example/?9f86d081884c7d659a2feaa0", "https://shop.example/?[removed]"},
		{"the same value twice", "https://shop.example/?a=1&key=1&b=1", "https://shop.example/?a=1&key=[removed]&b=1"},
		{"an ID is no key", "https://shop.example/?order=00000000-1111-4222-8333-444444444444", "https://shop.example/?order=00000000-1111-4222-8333-444444444444"},
		{"a path", "/orders?token=s", "/orders?token=[removed]"},
		{"a name within another's value", "https://shop.example/?a=xkey=1&key=1", "https://shop.example/?a=xkey=1&key=[removed]"},
		{"a path that is not escaped", "/100%?token=s", "/100%?token=[removed]"},
		{"a password that is not escaped", "https://ada:pa/ss@shop.example/", "(unreadable URL)"},
		{"an address in a path", "https://shop.example/@ada//b@c", "https://shop.example/@ada//b@c"},
		{"nothing", "", ""},
		{"names of gateways", "https://a.example/?pwd=1&k=1&authorization=1&pass=1&access_key=1&x-functions-key=1&subscription-key=1&hmac=1&bearer=1&otp=1&apikey=1&accessKey=1",
			"https://a.example/?pwd=[removed]&k=[removed]&authorization=[removed]&pass=[removed]&access_key=[removed]&x-functions-key=[removed]&subscription-key=[removed]&hmac=[removed]&bearer=[removed]&otp=[removed]&apikey=[removed]&accessKey=[removed]"},
		{"names of nothing", "https://a.example/?bot_key=b&sort_key=c&token_type=bearer&lang=en&country_code=no&passenger=2", "https://a.example/?bot_key=b&sort_key=c&token_type=bearer&lang=en&country_code=no&passenger=2"},
		{"a token", "https://a.example/?id_token=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0.c2ln", "https://a.example/?id_token=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0.[removed]"},
		{"a URL within it", "https://a.example/?next=https%3A%2F%2Fb.example%2F%3Ftoken%3Ds&a=https%3A%2F%2Fb.example%2F%3Fpage%3D1", "https://a.example/?next=[removed]&a=https%3A%2F%2Fb.example%2F%3Fpage%3D1"},
		{"a key in the path", "https://hooks.example.com/services/T024BE7LD/8nTq3ZrXw1Lk5Vb7Yp2Jd9Ms", "https://hooks.example.com/services/T024BE7LD/[removed]"},
		{"a key in hex in the path", "https://hooks.example.com/9f86d081884c7d659a2feaa0c55ad015/kindly", "https://hooks.example.com/[removed]/kindly"},
		{"a title in the path", "https://shop.example/2024/12-reasons-to-buy-100-shoes-in-2025/", "https://shop.example/2024/12-reasons-to-buy-100-shoes-in-2025/"},
		{"a file of the page", "https://shop.example/_next/static/9f86d081884c7d659a2feaa0c55ad015.js", "https://shop.example/_next/static/9f86d081884c7d659a2feaa0c55ad015.js"},
		{"a host", "https://9f86d081884c7d659a2feaa0c55ad015.ngrok.example/a", "https://9f86d081884c7d659a2feaa0c55ad015.ngrok.example/a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := URL(tt.raw); got != tt.want {
				t.Errorf("%s becomes %s, not %s", tt.raw, got, tt.want)
			}
			if got := URL(tt.want); got != tt.want {
				t.Errorf("%s is changed again, to %s", tt.want, got)
			}
		})
	}
}

// URLs stand in errors, in answers, and in pages.
func TestURLsInTexts(t *testing.T) {
	for text, want := range map[string]string{
		`Get "https://ada:pass@a.example/?key=1": dial tcp 127.0.0.1:9: refused`: `Get "https://a.example/?key=[removed]": dial tcp 127.0.0.1:9: refused`,
		`{"next":"https:\/\/a.example\/b?token=abc","a":1}`:                      `{"next":"https:\/\/a.example\/b?token=[removed]","a":1}`,
		`{\"next\":\"https://a.example/b?token=abc\"}`:                           `{\"next\":\"https://a.example/b?token=[removed]\"}`,
		`<a href='https://a.example/?b=1&amp;token=abc'>`:                        `<a href='https://a.example/?b=1&amp;token=[removed]'>`,
		`(see https://a.example/?token=abc).`:                                    `(see https://a.example/?token=[removed]).`,
		`wss://a.example/?sid=abc and postgres://app:pw@db.example/x`:            `wss://a.example/?sid=[removed] and postgres://db.example/x`,
		`a: //b, http:// and ://c, https://`:                                     `a: //b, http:// and ://c, https://`,
	} {
		got := (&Redactor{}).Text(text)
		if got != want {
			t.Errorf("%s becomes\n%s, not\n%s", text, got, want)
		}
		if again := (&Redactor{}).Text(got); again != got {
			t.Errorf("%s becomes %s", got, again)
		}
	}
}

func TestURLSecrets(t *testing.T) {
	got := URLSecrets("https://ada:pa%2Fss@hooks.example.com/8nTq3ZrXw1Lk5Vb7Yp2Jd9Ms?key=a%2Bb&lang=en#token=x")
	if want := []string{"pa%2Fss", "8nTq3ZrXw1Lk5Vb7Yp2Jd9Ms", "a%2Bb", "x", "pa/ss", "a+b"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}
