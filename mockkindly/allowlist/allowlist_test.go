package allowlist

import (
	"strings"
	"testing"
)

// The table of what we decided, row by row. why is what the reason must say.
var matchTests = []struct {
	pattern, url string
	allowed      bool
	ambiguous    bool
	shared       string
	name         string
	why          string
}{
	{"example.com", "https://example.com/hook", true, false, "", "exact", "is listed"},
	{"EXAMPLE.com", "https://example.COM/", true, false, "", "case", "is listed"},
	{"example.com", "https://example.com./", true, false, "", "one trailing dot", "is listed"},
	{"example.com", "https://example.com../", false, false, "", "two dots", "empty label"},
	{"example.com", "http://example.com/", false, false, "", "cleartext", "clear text"},
	{"example.com", "https://example.com:443/", true, false, "", "default port", "is listed"},
	{"example.com", "https://example.com:8443/", false, true, "", "port", "port 8443"},
	{"example.com", "https://www.example.com/", false, false, "", "no implied subdomain", "add *.example.com or www.example.com"},
	{"*.example.com", "https://a.example.com/", true, false, "", "one label", "covers a.example.com"},
	{"*.example.com", "https://a.b.example.com/", true, true, "", "depth", "covers a.b.example.com"},
	{"*.example.com", "https://example.com/", false, true, "", "apex", "add example.com"},
	{"*.example.com", "https://evil-example.com/", false, false, "", "label boundary", "not at a dot"},
	{"example.com", "https://example.com.evil.net/", false, false, "", "prefix", "belongs to evil.net"},
	{"example.com", "https://example.com@evil.net/", false, false, "", "userinfo", "user name"},
	{"example.com", `https://evil.net\@example.com/`, false, false, "", "parsers differ", "backslash"},
	{"*.example.com", "https://evil%2eexample.com/", false, false, "", "percent in the authority", "percent sign"},
	{"example.com", "https://ｅｘａｍｐｌｅ.com/", true, false, "", "full-width maps to ASCII", "is listed"},
	{"example.com", "https://ex\u0430mple.com/", false, false, "", "Cyrillic a", "xn--exmple-4nf.com"},
	{"xn--bcher-kva.example", "https://bücher.example/", true, false, "", "A-label", "is listed"},
	{"127.0.0.1", "https://127.0.0.1/", false, false, "", "IP literal", "localhost"},
	{"example.com", "https://2130706433/", false, false, "", "numeric host", "IP address"},
	{"localhost", "https://localhost/", false, false, "", "documented", "PUBLIC=LOCAL"},
	{"*", "https://example.com/", false, false, "", "bare wildcard", "everybody's"},
	{"*.co.uk", "https://a.co.uk/", false, false, "", "public suffix", "everybody's"},
	{"*.ngrok.app", "https://mine.ngrok.app/", true, false, "ngrok.app", "private suffix", "covers"},
	{"https://example.com", "https://example.com/", false, false, "", "scheme in a pattern", "write example.com"},

	// Beyond the table.
	{"example.com", "HTTPS://example.com", true, false, "", "scheme in capitals, no path", "is listed"},
	{"example.com", "https://example.com:/", true, false, "", "an empty port is none", "is listed"},
	{"example.com", "https://example.com:0443/", false, true, "", "443 spelled otherwise", "port 0443"},
	{"example.com", "https://example.com:99999/", false, true, "", "no such port", "port 99999"},
	{"example.com", "https://example.com?x=@evil.net", true, false, "", "@ in the query", "is listed"},
	{"example.com", "https://example.com/%40evil.net", true, false, "", "% in the path", "is listed"},
	{"example.com", "https://example.com#@evil.net", true, false, "", "@ in the fragment", "is listed"},
	{"example.com", "https://example.com /", false, false, "", "space", "white space"},
	{"example.com", "https://example.com/\t", false, false, "", "tab, which browsers drop", "white space"},
	{"example.com", "https://exa\nmple.com/", false, false, "", "line end, which browsers drop", "white space"},
	{"example.com", "https://example.com\x00.evil.net/", false, false, "", "NUL", "control characters"},
	{"example.com", "https://example.com\u3000/", false, false, "", "ideographic space", "white space"},
	{"example.com", "//example.com/", false, false, "", "no scheme", "absolute https URL"},
	{"example.com", "https:example.com", false, false, "", "no slashes", "absolute https URL"},
	{"example.com", "https:///example.com/", false, false, "", "three slashes", "not valid"},
	{"example.com", "ftp://example.com/", false, false, "", "another scheme", "absolute https URL"},
	{"example.com", "example.com", false, false, "", "a bare host", "absolute https URL"},
	{"example.com", "", false, false, "", "empty URL", "absolute https URL"},
	{"example.com", "https://[example.com]/", false, false, "", "a name in brackets", "not valid"},
	{"example.com", "https://[2001:db8::1]/", false, false, "", "IPv6", "IP address"},
	{"example.com", "https://[::1]:3000/", false, false, "", "IPv6 loopback", "PUBLIC=LOCAL"},
	{"example.com", "http://localhost:3000/kindly", false, false, "", "local webhook", "PUBLIC=LOCAL"},
	{"example.com", "http://127.0.0.1:3000/", false, false, "", "local address", "PUBLIC=LOCAL"},
	{"*.localhost", "https://a.localhost/", false, false, "", "below localhost", "PUBLIC=LOCAL"},
	{"example.com", "https://127.1/", false, false, "", "short IPv4", "IP address"},
	{"example.com", "https://0x7f.0.0.1/", false, false, "", "long IPv4 with hex", "IP address"},
	{"example.com", "https://example.0x/", false, false, "", "0x counts as a number", "IP address"},
	{"example.com", "https://①②⑦.①/", false, false, "", "circled digits are digits", "IP address"},
	{"com", "https://com/", false, false, "", "single label", "single label"},
	{"example.com", "https://example。com/", true, false, "", "ideographic full stop", "is listed"},
	{"example.com", "https://exam\u00adple.com/", true, false, "", "soft hyphen maps to nothing", "is listed"},
	{"example.com", "https://example.com／.evil.net/", false, false, "", "full-width slash", "character that host names cannot have"},
	{"example.com", "https://evil.net＠example.com/", false, false, "", "full-width at", "character that host names cannot have"},
	{"strasse.example", "https://straße.example/", false, false, "", "non-transitional", "xn--strae-oqa.example"},
	{"example.com", "https://xn--example-.com/", false, false, "", "punycode of pure ASCII", "not a valid international name"},
	{"example.com", "https://xn--zzzzzzzzzzz99999999.com/", false, false, "", "broken punycode", "not a valid international name"},
	{"*.example.com", "https://my_app.example.com/", true, false, "", "underscore", "covers"},
	{"*.example.com", "https://r3---sn-x.example.com/", true, false, "", "hyphens in third and fourth place", "covers"},
	{"*.example.com", "https://.example.com/", false, false, "", "an empty label is no label", "empty label"},
	{"*.example.com", "https://-a.example.com/", false, false, "", "leading hyphen", "hyphen"},
	{"*.example.com", "https://a!b.example.com/", false, false, "", "a character that browsers let pass", "character"},
	{"github.io", "https://me.github.io/", false, false, "", "never proposes a rented wildcard", "add me.github.io"},
	{"*.amazonaws.com", "https://b.s3.amazonaws.com/", true, true, "amazonaws.com", "a cloud's own domain", "covers"},
	{"*.cloudapp.example", "https://a.cloudapp.example/", true, false, "", "unknown top level", "covers"},
	{"mine.ngrok.app", "https://mine.ngrok.app/", true, false, "", "one rented name", "is listed"},
	{"*.mine.ngrok.app", "https://a.mine.ngrok.app/", true, false, "", "below one rented name", "covers"},
	{"*.euw.devtunnels.ms", "https://x-3000.euw.devtunnels.ms/", true, false, "euw.devtunnels.ms", "a tunnel's region", "covers"},
	{"*.loca.lt", "https://x.loca.lt/", true, false, "loca.lt", "a tunnel that the PSL lacks", "covers"},
	{"", "https://example.com/", false, false, "", "empty pattern", "empty"},
}

func TestMatch(t *testing.T) {
	for _, tt := range matchTests {
		t.Run(tt.name, func(t *testing.T) {
			d := Match(tt.pattern, tt.url)
			if d.Allowed != tt.allowed || (d.Ambiguous != "") != tt.ambiguous || d.SharedTenant != tt.shared {
				t.Errorf("Match(%q, %q) = %+v", tt.pattern, tt.url, d)
			}
			if !strings.Contains(d.Reason, tt.why) {
				t.Errorf("Match(%q, %q): reason %q does not say %q", tt.pattern, tt.url, d.Reason, tt.why)
			}
			if d.Pattern != tt.pattern {
				t.Errorf("Pattern = %q, want it as written", d.Pattern)
			}
		})
	}
}

func TestDecide(t *testing.T) {
	tests := []struct {
		name     string
		patterns []string
		url      string
		want     Decision // Reason: a part of it
	}{
		{"nothing listed", nil, "https://a.example.com/",
			Decision{Reason: "add a.example.com"}},
		{"the entry that matches", []string{"example.net", "a.example.com"}, "https://a.example.com/",
			Decision{Allowed: true, Pattern: "a.example.com", Reason: "is listed"}},
		{"the first of two", []string{"*.example.com", "a.example.com"}, "https://a.example.com/",
			Decision{Allowed: true, Pattern: "*.example.com", Reason: "covers"}},
		{"a sure match before an ambiguous one", []string{"*.example.com", "a.b.example.com"}, "https://a.b.example.com/",
			Decision{Allowed: true, Pattern: "a.b.example.com", Reason: "is listed"}},
		{"a match after invalid entries", []string{"*", "", "https://a.example.com", "a.example.com"}, "https://a.example.com/",
			Decision{Allowed: true, Pattern: "a.example.com", Reason: "is listed"}},
		{"nothing near", []string{"example.net", "example.org"}, "https://a.example.com/",
			Decision{Reason: "none of the 2 entries covers a.example.com: add a.example.com"}},
		{"the nearest refusal", []string{"example.net", "example.com", "evil.com"}, "https://a.example.com/",
			Decision{Pattern: "example.com", Reason: "add *.example.com or a.example.com"}},
		{"the slip that was meant", []string{"example.net", "https://a.example.com"}, "https://a.example.com/",
			Decision{Pattern: "https://a.example.com", Reason: "write a.example.com"}},
		{"only one entry, invalid", []string{"*"}, "https://a.example.com/",
			Decision{Pattern: "*", Reason: "everybody's"}},
		{"a bad URL is nobody's entry", []string{"example.com"}, "http://example.com/",
			Decision{Reason: "clear text"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Decide(tt.patterns, tt.url)
			if !strings.Contains(got.Reason, tt.want.Reason) {
				t.Errorf("Reason = %q, want it to say %q", got.Reason, tt.want.Reason)
			}
			got.Reason = tt.want.Reason
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestAmbiguousRefusalSaysWhatKindlyMightDo(t *testing.T) {
	for url, want := range map[string]string{
		"https://example.com:8443/": "other ports",
		"https://example.com/":      "stands before",
	} {
		d := Decide([]string{"*.example.net", "*.example.com", "example.com:8443"}, url)
		if url == "https://example.com:8443/" {
			d = Decide([]string{"*.example.net", "example.com"}, url)
		}
		if !strings.Contains(d.Ambiguous, want) {
			t.Errorf("%s: Ambiguous = %q, want %q", url, d.Ambiguous, want)
		}
	}
}

func TestCover(t *testing.T) {
	tests := []struct{ url, want, err string }{
		{"https://hooks.Example.com./kindly?x=1", "hooks.example.com", ""},
		{"https://bücher.example/", "xn--bcher-kva.example", ""},
		{"https://mine.ngrok.app/", "mine.ngrok.app", ""},
		{"https://example.com:8443/", "", "serve the webhook on port 443"},
		{"http://example.com/", "", "over https"},
		{"http://localhost:3000/kindly", "", "PUBLIC=LOCAL"},
		{"https://10.0.0.1/", "", "use a host name"},
		{"https://intranet/", "", "single label"},
		{"mailto:a@example.com", "", "absolute https URL"},
	}
	for _, tt := range tests {
		got, err := Cover(tt.url)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("Cover(%q) = %q, %v; want %q, %q", tt.url, got, err, tt.want, tt.err)
		}
		if err == nil && !Match(got, tt.url).Allowed {
			t.Errorf("Cover(%q) = %q, which does not match it", tt.url, got)
		}
	}
}

func TestReasonsHoldNoCredential(t *testing.T) {
	const secret = "s3cr3t"
	for _, url := range []string{
		"https://user:" + secret + "@example.com/",
		"http://example.com/?token=" + secret,
		"https://www.example.com/" + secret,
		"https://example.com:8443/" + secret,
		"https://example.com/%zz" + secret,
		"https://localhost/" + secret,
	} {
		d := Match("example.com", url)
		if d.Allowed || strings.Contains(d.Reason+d.Ambiguous, secret) {
			t.Errorf("Match(%q) = %+v", url, d)
		}
	}
}
