package subject

import (
	"net/url"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/widget"
)

// Blocked is what of Kindly's the page's own Content-Security-Policy kept out,
// and by which directive.
func (v *Visit) Blocked() (blocked, directive string, is bool) {
	for _, r := range v.Record.Requests {
		if r.Kindly && r.BlockedReason == "csp" {
			return r.URL, directiveOf(v.Record.CSP, r.URL), true
		}
	}
	for _, c := range v.Record.CSP {
		if !c.ReportOnly && (isKindlyURL(c.BlockedURL) || v.needs(c.BlockedURL)) {
			return c.BlockedURL, c.Directive, true
		}
	}
	return "", "", false
}

// needs says whether a URL is of a host that the real client was seen to talk to.
func (v *Visit) needs(blocked string) bool {
	return v.Client != nil && blocked != "" && slices.ContainsFunc(v.Client.Needs, func(n widget.Need) bool {
		return blocked == n.URL || strings.HasPrefix(blocked, n.URL+"/")
	})
}

// BlockedByPolicy says whether there is something of it.
func (v *Visit) BlockedByPolicy() bool {
	_, _, is := v.Blocked()
	return is
}

func directiveOf(violations []browser.CSPViolation, blocked string) string {
	for _, c := range violations {
		if c.BlockedURL == blocked || strings.HasPrefix(blocked, c.BlockedURL) && c.BlockedURL != "" {
			return c.Directive
		}
	}
	return ""
}

func isKindlyURL(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (browser.KindlyHost(u.Hostname()) || browser.MockClient(raw))
}
