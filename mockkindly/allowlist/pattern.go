package allowlist

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// A Pattern is one valid entry of webhook_domains: a host name, or "*." before
// a host name of two labels or more. The zero Pattern matches nothing.
type Pattern struct {
	host     string // lower-case A-labels without the "*." and a trailing dot
	wildcard bool
}

// String is the normalised pattern: lower case, no trailing dot.
func (p Pattern) String() string {
	if p.wildcard {
		return "*." + p.host
	}
	return p.host
}

// A PatternError says why an entry of webhook_domains is invalid.
type PatternError struct {
	Pattern    string // as written
	Reason     string // what is wrong: "it has a port"
	Suggestion string // the pattern that was probably meant; may be empty
	// Broad is true for an entry that asks for a whole public suffix, or for
	// everything, as *, *.com and *.co.uk do. Any other error is a slip.
	Broad bool
}

func (e *PatternError) Error() string {
	s := quote(e.Pattern) + " is not a valid webhook domain: " + e.Reason
	if e.Suggestion != "" {
		s += "; write " + e.Suggestion
	}
	return s
}

// quote makes foreign text printable and short.
func quote(s string) string {
	const most = 80
	if len(s) <= most {
		return fmt.Sprintf("%+q", s)
	}
	return fmt.Sprintf("%+q…", strings.ToValidUTF8(s[:most], ""))
}

// ParsePattern reads one entry of webhook_domains. Letter case and one trailing
// dot do not matter. The error is a *PatternError.
func ParsePattern(s string) (Pattern, error) {
	p, wrong := read(s)
	if wrong == nil {
		return p, nil
	}
	e := &PatternError{Pattern: s, Reason: wrong.reason, Broad: broad(s)}
	// What was meant may have to be mended more than once: a URL with a
	// non-ASCII host, for one.
	meant := s
	for range 3 {
		if wrong.meant == "" {
			break
		}
		meant = wrong.meant
		if p, wrong = read(meant); wrong == nil {
			e.Suggestion = p.String()
			return Pattern{}, e
		}
	}
	// Where that mends nothing, the last slip is what counts: without its port,
	// localhost is no entry either.
	e.Reason, e.Broad = wrong.reason, broad(meant)
	return Pattern{}, e
}

// A slip is what is wrong with an entry, and what was perhaps meant; that may
// be invalid too.
type slip struct{ reason, meant string }

func read(s string) (Pattern, *slip) {
	if broad(s) {
		return Pattern{}, &slip{reason: "it covers everybody's hosts, not only yours: list your own domain, as in *.example.com"}
	}
	if wrong := foreignParts(s); wrong != nil {
		return Pattern{}, wrong
	}
	if wrong := wrongForm(s); wrong != nil {
		return Pattern{}, wrong
	}
	rest, wildcard := strings.CutPrefix(s, "*.")
	host, err := canonicalHost(rest)
	if err == nil {
		err = checkPublic(host)
	}
	if err != nil {
		return Pattern{}, &slip{reason: err.Error()}
	}
	return Pattern{host: host, wildcard: wildcard}, nil
}

// foreignParts finds what belongs to a URL or to no name at all.
func foreignParts(s string) *slip {
	switch {
	case s == "":
		return &slip{reason: "it is empty"}
	case len(s) > 4*maxHost:
		return &slip{reason: fmt.Sprintf("it is longer than the %d bytes of a host name", maxHost)}
	case !utf8.ValidString(s):
		return &slip{reason: "it is not valid UTF-8"}
	case strings.ContainsFunc(s, isSpaceOrControl):
		return &slip{"it has white space or control characters; one entry is one host", strings.TrimSpace(s)}
	case strings.Contains(s, "://"):
		return &slip{"it has a scheme; an entry is only a host", hostPart(s)}
	case strings.ContainsAny(s, `/\?#`):
		return &slip{"it has a path; an entry covers a whole host", hostPart(s)}
	case strings.Contains(s, "@"):
		return &slip{"it has a user name; an entry is only a host", hostPart(s)}
	case isAddress(s):
		return &slip{reason: errAddress.Error()}
	case strings.Contains(s, ":"):
		return &slip{"it has a port; an entry is only a host", hostPart(s)}
	case strings.HasPrefix(s, "."):
		return &slip{"it begins with a dot", "*" + s}
	}
	return nil
}

// wrongForm finds stray wildcards and names that are not in A-labels.
func wrongForm(s string) *slip {
	rest := strings.TrimPrefix(s, "*.")
	if i := strings.LastIndex(rest, "*"); i >= 0 {
		_, after, _ := strings.Cut(rest[i:], ".")
		if i == 0 && !strings.HasPrefix(rest, "*.") {
			after = rest[1:] // *example.com
		}
		meant := "*." + after
		if broad(meant) {
			meant = "" // nobody means that
		}
		return &slip{"a wildcard may only be the whole first label, as in *.example.com", meant}
	}
	if isASCII(rest) {
		return nil
	}
	host, err := canonicalHost(rest)
	if err != nil {
		return &slip{reason: "it is not ASCII, and no host name either: " + err.Error()}
	}
	return &slip{"it is not ASCII; an entry is written in A-labels", s[:len(s)-len(rest)] + host}
}

// hostPart cuts scheme, userinfo, port and path off what may be a URL.
func hostPart(s string) string {
	if _, after, ok := strings.Cut(s, "://"); ok {
		s = after
	}
	if i := strings.IndexAny(s, `/\?#`); i >= 0 {
		s = s[:i]
	}
	s = s[strings.LastIndex(s, "@")+1:]
	host, _, _ := strings.Cut(s, ":")
	return host
}

func isAddress(s string) bool {
	if strings.HasPrefix(s, "[") {
		return true
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}
