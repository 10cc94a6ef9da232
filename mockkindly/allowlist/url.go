package allowlist

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"
)

// A target is what of a webhook's URL decides.
type target struct {
	host   string // lower-case A-labels, no trailing dot
	port   string // empty for 443
	mapped bool   // host was written with other than ASCII characters
}

const maxURL = 8 << 10 // bytes

// parseURL reads a webhook's URL. Whatever URL parsers are known to disagree
// on is refused before one is asked. Errors quote at most the host.
func parseURL(raw string) (target, error) {
	scheme, authority, err := split(raw)
	if err != nil {
		return target{}, err
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host != authority || authority == "" {
		return target{}, errors.New("the webhook's URL is not valid: check its host, port and percent-encoding")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil || authority[:1] == "[" {
		return target{}, addressError(a)
	}
	host, err := canonicalHost(u.Hostname())
	if err != nil {
		return target{}, fmt.Errorf("the webhook's URL cannot be used: %w", err)
	}
	if isLocal(host) {
		return target{}, errLocal
	}
	if scheme == "http" {
		return target{}, fmt.Errorf("http://%s sends the token in clear text: serve the webhook over https", host)
	}
	if err := checkPublic(host); err != nil {
		return target{}, fmt.Errorf("%s can never be covered: %w", host, err)
	}
	t := target{host: host, port: u.Port(), mapped: !isASCII(authority)}
	if t.port == "443" {
		t.port = ""
	}
	return t, nil
}

// split refuses what parsers read differently, and cuts off scheme and authority.
func split(raw string) (scheme, authority string, err error) {
	switch {
	case len(raw) > maxURL:
		return "", "", fmt.Errorf("the webhook's URL is longer than %d bytes", maxURL)
	case !utf8.ValidString(raw):
		return "", "", errors.New("the webhook's URL is not valid UTF-8")
	case strings.ContainsFunc(raw, isSpaceOrControl):
		return "", "", errors.New("the webhook's URL has white space or control characters, which URL parsers read differently")
	case strings.Contains(raw, `\`):
		return "", "", errors.New("the webhook's URL has a backslash, which some parsers take for a slash")
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "https" && scheme != "http" {
		return "", "", errors.New("the webhook is not an absolute https URL, such as https://hooks.example.com/kindly")
	}
	authority = rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	switch {
	case strings.Contains(authority, "@"):
		return "", "", errors.New("the webhook's URL has a user name (what stands before the @ is not the host): leave it out")
	case strings.Contains(authority, "%"):
		return "", "", errors.New("the webhook's URL has a percent sign in its host, which parsers read differently")
	}
	return scheme, authority, nil
}

func addressError(a netip.Addr) error {
	if a.Unmap().IsLoopback() {
		return errLocal
	}
	return fmt.Errorf("the webhook's host can never be covered: %w", errAddress)
}
