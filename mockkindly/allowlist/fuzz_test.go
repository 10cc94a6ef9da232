package allowlist

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/idna"
)

func FuzzParsePattern(f *testing.F) {
	for _, tt := range matchTests {
		f.Add(tt.pattern)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePattern(s)
		if err != nil {
			var pe *PatternError
			if !errors.As(err, &pe) || pe.Reason == "" || len(pe.Error()) > 1000 {
				t.Fatalf("%q: error %v", s, err)
			}
			if pe.Suggestion != "" {
				if q, err := ParsePattern(pe.Suggestion); err != nil || q.String() != pe.Suggestion {
					t.Fatalf("%q: suggests %q, which is %v, %v", s, pe.Suggestion, q, err)
				}
			}
			return
		}
		if q, err := ParsePattern(p.String()); err != nil || q != p {
			t.Fatalf("%q: normalised %q is %v, %v", s, p, q, err)
		}
		if !strings.EqualFold(strings.TrimSuffix(s, "."), p.String()) {
			t.Fatalf("%q became %q", s, p)
		}
	})
}

// A match means the same to net/url, which is what sends the request.
func FuzzMatch(f *testing.F) {
	for _, tt := range matchTests {
		f.Add(tt.pattern, tt.url)
	}
	f.Fuzz(func(t *testing.T, pattern, rawURL string) {
		d := Match(pattern, rawURL)
		if d.Reason == "" {
			t.Fatal("no reason")
		}
		if one := Decide([]string{pattern}, rawURL); one.Allowed != d.Allowed {
			t.Fatalf("Decide says %v, Match %v", one.Allowed, d.Allowed)
		}
		if !d.Allowed {
			return
		}
		u, err := url.Parse(rawURL)
		if err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" && u.Port() != "443" {
			t.Fatalf("%q matches %q, which net/url reads as %v, %v", pattern, rawURL, u, err)
		}
		p, err := ParsePattern(pattern)
		if err != nil {
			t.Fatalf("%q matches with an invalid pattern: %v", pattern, err)
		}
		host := dialled(t, u.Hostname())
		base, wildcard := strings.CutPrefix(p.String(), "*.")
		if !wildcard && host != base || wildcard && !strings.HasSuffix(host, "."+base) {
			t.Fatalf("%s matches %q, whose host is %s", p, rawURL, host)
		}
		if cover, err := Cover(rawURL); err != nil || !Match(cover, rawURL).Allowed {
			t.Fatalf("Cover(%q) = %q, %v, though %s matches", rawURL, cover, err, p)
		}
	})
}

// dialled is the host that net/http asks DNS for. Where net/http refuses the
// name, nothing is sent, and our own reading must do.
func dialled(t *testing.T, hostname string) string {
	t.Helper()
	host := strings.ToLower(hostname)
	if !isASCII(hostname) {
		mapped, err := idna.Lookup.ToASCII(hostname)
		if err != nil {
			mapped, err = canonicalHost(hostname)
		}
		if err != nil {
			t.Fatalf("matched a host that cannot be mapped: %q: %v", hostname, err)
		}
		host = mapped
	}
	return strings.TrimSuffix(host, ".")
}

var sink Decision

func BenchmarkMatch(b *testing.B) {
	for _, bb := range []struct{ name, pattern, url string }{
		{"exact", "hooks.example.com", "https://hooks.example.com/kindly"},
		{"wildcard", "*.example.com", "https://hooks.example.com/kindly"},
		{"refused", "example.com", "https://hooks.example.com/kindly"},
		{"international", "xn--bcher-kva.example", "https://bücher.example/"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink = Match(bb.pattern, bb.url)
			}
		})
	}
}
