package mockkindly

import (
	"testing"
)

func TestRedactURL(t *testing.T) {
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
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := redactURL(tt.raw); got != tt.want {
				t.Errorf("%s becomes %s, not %s", tt.raw, got, tt.want)
			}
			if got := redactURL(tt.want); got != tt.want {
				t.Errorf("%s is changed again, to %s", tt.want, got)
			}
		})
	}
}
