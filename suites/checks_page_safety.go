package suites

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/suites/browser"
)

// Whether the page runs without errors, and keeps to itself what it should.

var _ = check(Check{
	Requirement: rule.Rule{ID: "PAGE-ERRORS", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.ChatClient,
		Text: "Running it while logged in raises no uncaught exception, unhandled rejection or console error.",
		Fix:  "Handle the errors of the callback's own requests; return null where there is no token."},
	Needs: NeedPage,
	Probe: onPage(func(_ *Session, v *visit) Verdict {
		var seen []string
		for _, e := range v.record.Exceptions {
			seen = append(seen, "uncaught: "+bound(e.Text, 300))
		}
		for _, e := range v.record.Console {
			// What the network did is judged elsewhere, and a missing icon is no error.
			if e.Level == "error" && e.Source != "network" && e.Source != "security" {
				seen = append(seen, "console: "+bound(e.Text, 300))
			}
		}
		if len(seen) == 0 {
			return Holds("none")
		}
		return Violated("no errors", fmt.Sprintf("%d: %s", len(seen), strings.Join(seen[:min(3, len(seen))], "; ")))
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "PAGE-CSP", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.ChatClient,
		Text: "The page's Content-Security-Policy lets the chat client load and talk to Kindly.",
		Fix:  "Allow https://chat.kindlycdn.com in script-src and https://bot.kindly.ai in connect-src. Kindly's live channel may need more hosts: its list is unpublished, so only these two are judged."},
	Needs: NeedPage,
	Probe: onPage(func(_ *Session, v *visit) Verdict {
		for _, r := range v.record.Requests {
			if r.Kindly && r.BlockedReason == "csp" {
				return Violated("chat.kindlycdn.com allowed in script-src, bot.kindly.ai in connect-src",
					fmt.Sprintf("the policy blocked %s%s", safeURL(r.URL), directiveOf(v.record.CSP, r.URL)))
			}
		}
		for _, c := range v.record.CSP {
			if !c.ReportOnly && isKindlyURL(c.BlockedURL) {
				return Violated("chat.kindlycdn.com allowed in script-src, bot.kindly.ai in connect-src",
					fmt.Sprintf("the policy blocked %s (%s)", safeURL(c.BlockedURL), c.Directive))
			}
		}
		if len(v.started) == 0 {
			return noClient()
		}
		return Holds("nothing of Kindly's was blocked")
	}),
})

func directiveOf(violations []browser.CSPViolation, blocked string) string {
	for _, c := range violations {
		if c.BlockedURL == blocked || strings.HasPrefix(blocked, c.BlockedURL) && c.BlockedURL != "" {
			return " (" + c.Directive + ")"
		}
	}
	return ""
}

func isKindlyURL(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return host == "kindly.ai" || strings.HasSuffix(host, ".kindly.ai") || strings.HasSuffix(host, ".kindlycdn.com")
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "PAGE-SECURE", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "The page is served over HTTPS (loopback excepted).",
		Fix:  "Serve the page over HTTPS: over HTTP, anyone on the way reads the token and changes the page."},
	Needs: NeedPage,
	Probe: onPage(func(_ *Session, v *visit) Verdict {
		if strings.HasPrefix(v.state.URL, "https:") || isLoopback(v.state.URL) {
			return Holds("%s", safeURL(v.state.URL))
		}
		return Violated("an https URL", safeURL(v.state.URL))
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "PAGE-TOKEN-LEAK", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "The token goes to Kindly only: not into a URL, the console, web storage, a cookie, or a request to another origin.",
		Fix:  "Keep the token in a variable at most, and hand it to Kindly only. Whoever has it is the user, until it expires."},
	Needs: NeedPage,
	Probe: onPage(func(_ *Session, v *visit) Verdict {
		if v.token == "" {
			return Missing("the page's callback gave no token (see PAGE-CALLBACK-TOKEN)")
		}
		if leaks := leaksOf(v); len(leaks) > 0 {
			return Violated("the token goes to Kindly only", strings.Join(leaks, "; "))
		}
		return Holds("found nowhere else")
	}),
})

// leaksOf lists the places where a visit's token turned up.
func leaksOf(v *visit) []string {
	raw := v.token.Secret()
	var leaks []string
	add := func(where, content string) {
		if strings.Contains(content, raw) && len(leaks) < 5 {
			leaks = append(leaks, "it is in "+where)
		}
	}
	add("the page's URL", v.state.URL)
	for key, value := range v.state.LocalStorage {
		add(fmt.Sprintf("localStorage[%q]", key), key+value)
	}
	for key, value := range v.state.SessionStorage {
		add(fmt.Sprintf("sessionStorage[%q]", key), key+value)
	}
	for _, c := range v.state.Cookies {
		add(fmt.Sprintf("the cookie %q", c.Name), c.Value)
	}
	for _, c := range v.record.Console {
		add("the console ("+c.Level+")", c.Text)
	}
	page, issuer := originOf(v.state.URL), issuerOrigin(v)
	for _, r := range v.record.Requests {
		if r.Kindly {
			continue
		}
		add("the URL of a request: "+strings.ReplaceAll(safeURL(r.URL), raw, "…"), r.URL)
		if o := originOf(r.URL); o != page && o != issuer {
			add("the body of a request to "+o, string(r.Body))
			for name, values := range r.Header {
				add("the header "+name+" of a request to "+o, strings.Join(values, " "))
			}
		}
	}
	return leaks
}

// issuerOrigin is where the token came from: it may have it back.
func issuerOrigin(v *visit) string {
	for _, r := range v.record.Requests {
		if !r.Kindly && strings.Contains(string(r.ResponseBody), v.token.Secret()) {
			return originOf(r.URL)
		}
	}
	return ""
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "PAGE-PRIVATE-KEY", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "Nothing that the page loads contains a private key.",
		Fix:  "Sign on the server only. This key is public now: make a new pair, and upload its public half to Kindly."},
	Needs: NeedPage,
	Probe: onPage(func(_ *Session, v *visit) Verdict {
		for _, r := range v.record.Requests {
			if !r.Kindly && holdsPrivateKey(r.ResponseBody) {
				return Violated("no private key", "there is one in "+safeURL(r.URL))
			}
		}
		return Holds("none in %d answers", len(v.record.Requests))
	}),
})

// A private key needs a body: libraries contain the label alone.
var (
	pemPrivateKey = regexp.MustCompile(`-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----(?:\\[nr]|["'+,\s]|[A-Za-z0-9/=])*[A-Za-z0-9+/]{40}`)
	jwkRSA        = regexp.MustCompile(`"kty"\s*:\s*"(?:RSA|EC|OKP)"`)
	jwkPrivate    = regexp.MustCompile(`"d"\s*:\s*"[A-Za-z0-9_-]{40,}"`)
)

func holdsPrivateKey(body []byte) bool {
	return pemPrivateKey.Match(body) || jwkRSA.Match(body) && jwkPrivate.Match(body)
}
