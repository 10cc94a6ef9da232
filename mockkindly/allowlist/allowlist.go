// Package allowlist decides whether Kindly may forward a user's token to a
// webhook: whether the webhook's URL is covered by one of the patterns in the
// token's chat.webhook_domains.
//
//	d := allowlist.Decide([]string{"*.example.com"}, "https://hooks.example.com/kindly")
//	if !d.Allowed {
//		log.Print(d.Reason) // says what to write instead
//	}
//
// Kindly documents that the token goes only to listed domains, and that
// localhost cannot be listed. The two forms of a pattern, example.com and
// *.example.com, are seen in its samples; all else is our reading, the strictest
// that still accepts those samples. Where Kindly may well read a pattern
// differently, the Decision says so (Ambiguous).
//
// The package is pure: no name is resolved, nothing is sent. Patterns and URLs
// are taken for hostile. No reason quotes a URL's path, query or userinfo.
package allowlist

import "fmt"

// A Decision is whether a token may go to a URL, and why.
type Decision struct {
	Allowed bool
	// Pattern is the entry that decided, as the customer wrote it; empty where
	// the URL alone, or the whole list, did.
	Pattern string
	// Reason is a sentence for people. A refusal names the way out, if there is one.
	Reason string
	// Ambiguous says how Kindly may differ; empty where we are sure.
	Ambiguous string
	// SharedTenant is the suffix under which strangers can rent names that the
	// pattern covers too, such as ngrok.app; empty if there is none.
	SharedTenant string
}

// Match decides by one pattern. An invalid pattern matches nothing.
func Match(pattern, rawURL string) Decision {
	t, err := parseURL(rawURL)
	if err != nil {
		return Decision{Pattern: pattern, Reason: err.Error()}
	}
	d, _ := match(pattern, t)
	return d
}

// Match decides by an entry that was parsed before.
func (p Pattern) Match(rawURL string) Decision {
	t, err := parseURL(rawURL)
	if err != nil {
		return Decision{Pattern: p.String(), Reason: err.Error()}
	}
	d, _ := p.match(t)
	d.Pattern = p.String()
	return d
}

// Decide decides by a whole list: the first entry of which we are sure that it
// matches, else the first that matches, else the most telling refusal.
func Decide(patterns []string, rawURL string) Decision {
	t, err := parseURL(rawURL)
	if err != nil {
		return Decision{Reason: err.Error()}
	}
	if len(patterns) == 0 {
		return Decision{Reason: fmt.Sprintf("webhook_domains lists nothing: add %s", t.host)}
	}
	best, bestRank := Decision{}, rank(-1)
	for _, pattern := range patterns {
		if d, r := match(pattern, t); r > bestRank {
			best, bestRank = d, r
		}
	}
	if len(patterns) > 1 && bestRank <= unrelated {
		return Decision{Reason: fmt.Sprintf("none of the %d entries covers %s: add %s", len(patterns), t.host, t.host)}
	}
	return best
}

// Cover returns the narrowest pattern that covers the URL. The error says why
// no pattern can, and what to change about the webhook.
func Cover(rawURL string) (pattern string, err error) {
	t, err := parseURL(rawURL)
	if err != nil {
		return "", fmt.Errorf("no entry of webhook_domains can cover this webhook: %w", err)
	}
	if t.port != "" {
		return "", fmt.Errorf("no entry of webhook_domains can cover port %s: serve the webhook on port 443", t.port)
	}
	return t.host, nil
}
