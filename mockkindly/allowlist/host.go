package allowlist

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	maxHost  = 253 // bytes of a host name without its trailing dot (RFC 1035)
	maxLabel = 63  // bytes of a label (RFC 1035)
)

// browserProfile maps host names as browsers do (WHATWG URL, "domain to ASCII"
// with beStrict false): UTS #46, non-transitional, CheckBidi and CheckJoiners,
// but no CheckHyphens and no STD3 rules. STD3 would refuse names before they
// are mapped that browsers map to something; what may remain of them in ASCII
// is checked afterwards, by checkLabel, more strictly than browsers do.
var browserProfile = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.StrictDomainName(false),
	idna.BidiRule(),
	idna.CheckHyphens(false),
	idna.CheckJoiners(true),
	idna.VerifyDNSLength(false),
)

// canonicalHost returns the name that DNS is asked for: lower-case A-labels
// without a trailing dot.
func canonicalHost(name string) (string, error) {
	host := strings.ToLower(name)
	if !isASCII(name) || strings.Contains(host, "xn--") {
		mapped, err := browserProfile.ToASCII(name)
		if err != nil {
			// The cause of idna's quotes the name, which may be anything.
			return "", errors.New("the host is not a valid international name")
		}
		host = mapped
	}
	host = strings.TrimSuffix(host, ".")
	if len(host) > maxHost {
		return "", fmt.Errorf("the host is longer than %d bytes", maxHost)
	}
	for label := range strings.SplitSeq(host, ".") {
		if err := checkLabel(label); err != nil {
			return "", err
		}
	}
	return host, nil
}

// checkLabel takes letters, digits and inner hyphens (RFC 1123), and the
// underscore, which is no part of a host name but is met in working ones.
func checkLabel(label string) error {
	switch {
	case label == "":
		return errors.New("the host has an empty label (two dots in a row, a leading dot, or nothing at all)")
	case len(label) > maxLabel:
		return fmt.Errorf("the host has a label longer than %d bytes", maxLabel)
	case label[0] == '-' || label[len(label)-1] == '-':
		return errors.New("the host has a label that begins or ends with a hyphen")
	}
	for _, c := range []byte(label) {
		if !isAlphanumeric(c) && c != '-' && c != '_' {
			return fmt.Errorf("the host has a character that host names cannot have (%q)", c)
		}
	}
	return nil
}

var (
	errAddress = errors.New("it is an IP address: use a host name")
	errLocal   = errors.New("localhost cannot be listed, as Kindly documents: " +
		"give the webhook a public name too, as PUBLIC=LOCAL, such as " +
		"https://hooks.example.com/kindly=http://localhost:3000/kindly")
	errSingle = errors.New("the host is a single label; Kindly needs a full name, such as hooks.example.com")
)

// checkPublic refuses hosts that mean nothing, or something else, on Kindly's
// side of the internet.
func checkPublic(host string) error {
	switch {
	case isLocal(host):
		return errLocal
	case endsInNumber(host):
		return errAddress
	case !strings.Contains(host, "."):
		return errSingle
	}
	return nil
}

// isLocal is true for localhost and all below it (RFC 6761).
func isLocal(host string) bool { return host == "localhost" || below(host, "localhost") }

// endsInNumber is true for hosts that browsers read as an IPv4 address, or
// refuse as a broken one: 127.1, 2130706433, 0x7f.1 (WHATWG URL, "ends in a
// number checker").
func endsInNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// below is true if host has more labels than base, and ends in it.
func below(host, base string) bool {
	cut := len(host) - len(base)
	return base != "" && cut > 1 && host[cut-1] == '.' && host[cut:] == base
}

func isSpaceOrControl(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }
