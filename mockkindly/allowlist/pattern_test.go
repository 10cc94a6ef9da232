package allowlist

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"
)

func TestParsePatternValid(t *testing.T) {
	tests := []struct{ name, in, want, shared string }{
		{"host", "example.com", "example.com", ""},
		{"wildcard", "*.example.com", "*.example.com", ""},
		{"case and a trailing dot", "*.Example.COM.", "*.example.com", ""},
		{"A-label", "XN--bcher-KVA.example", "xn--bcher-kva.example", ""},
		{"underscore", "my_app.example.com", "my_app.example.com", ""},
		{"a registry's suffix is one host", "co.uk", "co.uk", ""},
		{"wildcard below a registry's suffix", "*.example.co.uk", "*.example.co.uk", ""},
		{"exception of a wildcard rule", "*.city.kobe.jp", "*.city.kobe.jp", ""},
		{"a host that is rented out", "github.io", "github.io", ""},
		{"wildcard over rented names", "*.github.io", "*.github.io", "github.io"},
		{"wildcard over what only children of are suffixes", "*.compute.amazonaws.com", "*.compute.amazonaws.com", "compute.amazonaws.com"},
		{"wildcard over a tunnel", "*.serveo.net", "*.serveo.net", "serveo.net"},
		{"wildcard above a tunnel", "*.pipedream.net", "*.pipedream.net", "m.pipedream.net"},
		{"wildcard above regions of a tunnel", "*.devtunnels.ms", "*.devtunnels.ms", "devtunnels.ms"},
		{"wildcard below one rented name", "*.mine.loca.lt", "*.mine.loca.lt", ""},
		{"longest host", strings.Repeat("a.", 126) + "b", strings.Repeat("a.", 126) + "b", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParsePattern(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if p.String() != tt.want || p.SharedTenant() != tt.shared {
				t.Errorf("got %s, shared %q; want %s, %q", p, p.SharedTenant(), tt.want, tt.shared)
			}
		})
	}
}

func TestParsePatternInvalid(t *testing.T) {
	tests := []struct {
		name, in   string
		broad      bool
		suggestion string
		why        string
	}{
		{"empty", "", false, "", "empty"},
		{"white space around", " example.com\n", false, "example.com", "white space"},
		{"two in one", "a.com, b.com", false, "", "white space"},
		{"scheme", "https://example.com", false, "example.com", "scheme"},
		{"whole URL", "https://user@Bücher.example:8443/x?y#z", false, "xn--bcher-kva.example", "scheme"},
		{"path", "example.com/kindly", false, "example.com", "path"},
		{"backslash", `example.com\`, false, "example.com", "path"},
		{"port", "example.com:8443", false, "example.com", "port"},
		{"wildcard with port", "*.example.com:443", false, "*.example.com", "port"},
		{"user", "me@example.com", false, "example.com", "user name"},
		{"leading dot", ".example.com", false, "*.example.com", "dot"},
		{"wildcard inside", "a.*.example.com", false, "*.example.com", "whole first label"},
		{"wildcard in a label", "api*.example.com", false, "*.example.com", "whole first label"},
		{"wildcard without a dot", "*example.com", false, "*.example.com", "whole first label"},
		{"wildcard at the end", "example.*", false, "", "whole first label"},
		{"IPv4", "10.0.0.1", false, "", "IP address"},
		{"numeric", "example.1", false, "", "IP address"},
		{"IPv6", "::1", false, "", "IP address"},
		{"IPv6 in brackets", "[::1]:443", false, "", "IP address"},
		{"single label", "intranet", false, "", "single label"},
		{"localhost", "localhost", false, "", "localhost"},
		{"wildcard over localhost", "*.localhost", false, "", "localhost"},
		{"localhost with port", "localhost:3000", false, "", "localhost cannot be listed"},
		{"URL of localhost", "http://localhost:3000/kindly", false, "", "localhost cannot be listed"},
		{"URL of an address", "http://192.168.1.5:8080", false, "", "IP address"},
		{"URL of an IPv6 address", "http://[::1]:8080", false, "", "IP address"},
		{"URL without a host", "https:///kindly", false, "", "scheme"},
		{"URL of everything", "https://*", true, "", "everybody's"},
		{"wildcard in the label before a top level", "shop*.com", false, "", "whole first label"},
		{"umlaut", "bücher.example", false, "xn--bcher-kva.example", "A-labels"},
		{"umlaut with wildcard", "*.bücher.example", false, "*.xn--bcher-kva.example", "A-labels"},
		{"full-width", "ｅｘａｍｐｌｅ.com", false, "example.com", "A-labels"},
		{"broken A-label", "xn--a-ä.example", false, "", "not ASCII"},
		{"broken punycode", "xn--zzzzzzzzzzz99999999.com", false, "", "international"},
		{"empty label", "example..com", false, "", "empty label"},
		{"two trailing dots", "example.com..", false, "", "empty label"},
		{"percent", "ex%61mple.com", false, "", "character"},
		{"hyphen first", "-a.example.com", false, "", "hyphen"},
		{"long label", strings.Repeat("a", 64) + ".com", false, "", "63 bytes"},
		{"long host", strings.Repeat("a.", 127) + "b", false, "", "253 bytes"},
		{"very long", strings.Repeat("a", 1<<20), false, "", "253 bytes"},
		{"bad UTF-8", "ex\xffmple.com", false, "", "UTF-8"},
		{"everything", "*", true, "", "everybody's"},
		{"everything with dots", "*.*", true, "", "everybody's"},
		{"top level", "*.com", true, "", "everybody's"},
		{"top level as a glob", "*com", true, "", "everybody's"},
		{"unknown top level", "*.intranet", true, "", "everybody's"},
		{"registry's suffix", "*.co.uk", true, "", "everybody's"},
		{"registry's suffix, trailing dot", "*.CO.uk.", true, "", "everybody's"},
		{"registry's wildcard rule", "*.anything.ck", true, "", "everybody's"},
		{"above a registry's wildcard rule", "*.kobe.jp", true, "", "everybody's"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParsePattern(tt.in)
			var pe *PatternError
			if !errors.As(err, &pe) {
				t.Fatalf("error %v, want a *PatternError", err)
			}
			if pe.Pattern != tt.in || pe.Broad != tt.broad || pe.Suggestion != tt.suggestion {
				t.Errorf("got %+v", *pe)
			}
			if !strings.Contains(pe.Error(), tt.why) || len(pe.Error()) > 500 {
				t.Errorf("%q does not say %q, or is too long", pe, tt.why)
			}
		})
	}
}

// The list of rented suffixes is only for what the Public Suffix List lacks.
func TestRentedSuffixesAreNotListedAlready(t *testing.T) {
	for _, entry := range rented {
		host := strings.TrimPrefix(entry, "*.")
		if h, err := canonicalHost(host); err != nil || h != host {
			t.Errorf("%s is not canonical: %v", entry, err)
		}
		if strings.HasPrefix(entry, "*.") {
			host = "child." + host
		}
		if s, _ := publicsuffix.PublicSuffix(host); s == host {
			t.Errorf("%s is in the Public Suffix List now: drop it here", entry)
		}
	}
}
