package catalogue

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// Whether the page runs without errors, and keeps to itself what it should.

var pageErrors = onPage(func(_ *subject.Session, v *subject.Visit) subject.Verdict {
	var seen []string
	for _, e := range v.Record.Exceptions {
		seen = append(seen, "uncaught: "+subject.Bound(e.Text, 300))
	}
	for _, e := range v.Record.Console {
		// What the network did is judged elsewhere, and a missing icon is no error.
		if e.Level == "error" && e.Source != "network" && e.Source != "security" {
			seen = append(seen, "console: "+subject.Bound(e.Text, 300))
		}
	}
	if len(seen) == 0 {
		return subject.Holds("none")
	}
	return subject.Violated("no errors", fmt.Sprintf("%d: %s", len(seen), strings.Join(seen[:min(3, len(seen))], "; ")))
})

var pageCsp = onPage(func(_ *subject.Session, v *subject.Visit) subject.Verdict {
	for _, r := range v.Record.Requests {
		if r.Kindly && r.BlockedReason == "csp" {
			return subject.Violated("chat.kindlycdn.com allowed in script-src, bot.kindly.ai in connect-src",
				fmt.Sprintf("the policy blocked %s%s", subject.SafeURL(r.URL), directiveOf(v.Record.CSP, r.URL)))
		}
	}
	for _, c := range v.Record.CSP {
		if !c.ReportOnly && isKindlyURL(c.BlockedURL) {
			return subject.Violated("chat.kindlycdn.com allowed in script-src, bot.kindly.ai in connect-src",
				fmt.Sprintf("the policy blocked %s (%s)", subject.SafeURL(c.BlockedURL), c.Directive))
		}
	}
	if len(v.Started) == 0 {
		return noClient()
	}
	return subject.Holds("nothing of Kindly's was blocked")
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

var pageSecure = onPage(func(_ *subject.Session, v *subject.Visit) subject.Verdict {
	if strings.HasPrefix(v.State.URL, "https:") || target.IsLoopback(v.State.URL) {
		return subject.Holds("%s", subject.SafeURL(v.State.URL))
	}
	return subject.Violated("an https URL", subject.SafeURL(v.State.URL))
})

var pageTokenLeak = onPage(func(_ *subject.Session, v *subject.Visit) subject.Verdict {
	if v.Token == "" {
		return subject.Missing("the page's callback gave no token (see PAGE-CALLBACK-TOKEN)")
	}
	if leaks := leaksOf(v); len(leaks) > 0 {
		return subject.Violated("the token goes to Kindly only", strings.Join(leaks, "; "))
	}
	return subject.Holds("found nowhere else")
})

// leaksOf lists the places where a visit's token turned up.
func leaksOf(v *subject.Visit) []string {
	raw := v.Token.Secret()
	var leaks []string
	add := func(where, content string) {
		if strings.Contains(content, raw) && len(leaks) < 5 {
			leaks = append(leaks, "it is in "+where)
		}
	}
	add("the page's URL", v.State.URL)
	for key, value := range v.State.LocalStorage {
		add(fmt.Sprintf("localStorage[%q]", key), key+value)
	}
	for key, value := range v.State.SessionStorage {
		add(fmt.Sprintf("sessionStorage[%q]", key), key+value)
	}
	for _, c := range v.State.Cookies {
		add(fmt.Sprintf("the cookie %q", c.Name), c.Value)
	}
	for _, c := range v.Record.Console {
		add("the console ("+c.Level+")", c.Text)
	}
	page, issuer := subject.OriginOf(v.State.URL), issuerOrigin(v)
	for _, r := range v.Record.Requests {
		if r.Kindly {
			continue
		}
		add("the URL of a request: "+strings.ReplaceAll(subject.SafeURL(r.URL), raw, "…"), r.URL)
		if o := subject.OriginOf(r.URL); o != page && o != issuer {
			add("the body of a request to "+o, string(r.Body))
			for name, values := range r.Header {
				add("the header "+name+" of a request to "+o, strings.Join(values, " "))
			}
		}
	}
	return leaks
}

// issuerOrigin is where the token came from: it may have it back.
func issuerOrigin(v *subject.Visit) string {
	for _, r := range v.Record.Requests {
		if !r.Kindly && strings.Contains(string(r.ResponseBody), v.Token.Secret()) {
			return subject.OriginOf(r.URL)
		}
	}
	return ""
}

var pagePrivateKey = onPage(func(_ *subject.Session, v *subject.Visit) subject.Verdict {
	for _, r := range v.Record.Requests {
		if !r.Kindly && holdsPrivateKey(r.ResponseBody) {
			return subject.Violated("no private key", "there is one in "+subject.SafeURL(r.URL))
		}
	}
	return subject.Holds("none in %d answers", len(v.Record.Requests))
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
