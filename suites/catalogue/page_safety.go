package catalogue

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/jws"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// Whether the page runs without errors, and keeps to itself what it should.

var pageErrors = onPage(func(s *subject.Session, v *subject.Visit) subject.Verdict {
	chat, err := s.VisitMended()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	var seen []string
	var ofWidget, ofPolicy, ofCallback bool // there are errors that another check tells
	told := explained(chat)
	add := func(kind, text string) {
		if told(text) {
			ofCallback = true
			return
		}
		seen = append(seen, kind+": "+subject.Bound(text, 600))
	}
	for _, e := range chat.Record.Exceptions {
		if ofClient(e) && (len(v.Started) == 0 || broke(v)) {
			ofWidget = true
			continue
		}
		add("uncaught", e.Text)
	}
	for _, e := range chat.Record.Console {
		// What the network did is judged elsewhere, and a missing icon is no error.
		if e.Level != "error" || e.Source == "network" || e.Source == "security" {
			continue
		}
		if v.BlockedByPolicy() && (e.Kindly || strings.Contains(e.Text, "Content Security Policy")) {
			ofPolicy = true
			continue
		}
		add("console", e.Text)
	}
	switch {
	case len(seen) > 0:
		return subject.Violated("no errors", fmt.Sprintf("%d: %s", len(seen), strings.Join(seen[:min(3, len(seen))], "; ")))
	case ofPolicy:
		return subject.Missing("the errors are about what the page's policy blocks (see PAGE-CSP)")
	case ofWidget:
		return noClient(v)
	case ofCallback:
		return subject.Missing("the errors are about the callback (see PAGE-CALLBACK-TOKEN)")
	}
	return subject.Holds("none")
})

const policyExpected = "chat.kindlycdn.com allowed in script-src, bot.kindly.ai in connect-src"

// policyNeeds is what the page's policy has to allow, by what is known.
func policyNeeds(v *subject.Visit) string {
	needs := policyExpected
	if v.Client == nil {
		return needs
	}
	for _, n := range v.Client.Needs {
		directive := map[string]string{"image": "img"}[n.Kind]
		needs += fmt.Sprintf(", %s in %s-src", n.URL, cmp.Or(directive, n.Kind))
	}
	return needs
}

var pageCsp = onPage(func(_ *subject.Session, v *subject.Visit) subject.Verdict {
	if url, directive, blocked := v.Blocked(); blocked {
		if directive != "" {
			directive = " (" + directive + ")"
		}
		needs := policyNeeds(v)
		verdict := subject.Violated(needs, "the policy blocked "+redact.URL(url)+directive).Because("csp-blocks-kindly")
		if fix := cmp.Or(fixOfNonce(v, directive), fixOfTwoPolicies(v)); fix != "" {
			verdict = verdict.Fix(fix)
		} else if needs != policyExpected {
			verdict = verdict.Fix("Allow what your Kindly's chat client was seen to need: " + needs + ".")
		}
		return verdict
	}
	if len(v.Started) == 0 {
		return noClient(v)
	}
	return subject.Holds("nothing of Kindly's was blocked")
})

var (
	policyNonce = regexp.MustCompile(`'nonce-([^']+)'`)
	tagNonce    = regexp.MustCompile(`(?i)\bnonce\s*=\s*["']?([^"'\s>]+)`)
)

// fixOfNonce is what to do where the policy goes by nonces: with 'strict-dynamic' a
// host that it names counts for nothing, and an old nonce is that of a page from a cache.
func fixOfNonce(v *subject.Visit, directive string) string {
	policy := policyOf(v)
	if !strings.Contains(directive, "script") || !policyNonce.MatchString(policy) {
		return ""
	}
	for _, r := range v.Record.Requests {
		if r.ResourceType != "Document" || r.Target != "page" {
			continue
		}
		for _, tag := range scriptTag.FindAllSubmatch(r.ResponseBody, 200) {
			if !loads.Match(tag[1]) {
				continue
			}
			nonce := tagNonce.FindSubmatch(tag[1])
			switch {
			case nonce != nil && !strings.Contains(policy, "'nonce-"+string(nonce[1])+"'"):
				return "The script tag's nonce is not the one in the policy: mostly the page comes from a cache, with the nonce of another day, or the nonce is made twice. Make one nonce for each answer, and let no cache keep a page that has one."
			case strings.Contains(policy, "'strict-dynamic'"):
				return "With 'strict-dynamic' the hosts in script-src count for nothing: give Kindly's script tag the policy's nonce, or insert it by a script that has it; and allow https://bot.kindly.ai in connect-src."
			}
		}
	}
	if strings.Contains(policy, "'strict-dynamic'") {
		return "With 'strict-dynamic' the hosts in script-src count for nothing: insert Kindly's script by one that has the policy's nonce (document.createElement, not innerHTML or document.write); and allow https://bot.kindly.ai in connect-src."
	}
	return ""
}

var metaPolicy = regexp.MustCompile(`(?is)<meta\b[^>]*content-security-policy["'\s][^>]*>`)

// fixOfTwoPolicies is what to do where the page has several policies, of which one
// has a place for Kindly already.
func fixOfTwoPolicies(v *subject.Visit) string {
	policies := v.Record.Navigation.Header.Values("Content-Security-Policy")
	for _, r := range v.Record.Requests {
		if r.ResourceType == "Document" && r.Target == "page" {
			policies = append(policies, metaPolicy.FindAllString(string(r.ResponseBody), 5)...)
		}
	}
	allows := 0
	for _, p := range policies {
		if loads.MatchString(p) {
			allows++
		}
	}
	if len(policies) < 2 || allows == 0 || allows == len(policies) {
		return ""
	}
	return fmt.Sprintf("The page has %d policies (headers, and <meta> tags), and what it loads must be allowed by each: one names chat.kindlycdn.com, and another does not. Change that one, too, or leave it out.", len(policies))
}

// policyOf is the policy that the page's document came with.
func policyOf(v *subject.Visit) string {
	return strings.Join(v.Record.Navigation.Header.Values("Content-Security-Policy"), ", ")
}

var pageSecure = onPage(func(_ *subject.Session, v *subject.Visit) subject.Verdict {
	if strings.HasPrefix(v.State.URL, "https:") || wire.IsLoopback(v.State.URL) {
		return subject.Holds("%s", redact.URL(v.State.URL))
	}
	return subject.Violated("an https URL", redact.URL(v.State.URL))
})

var pageTokenLeak = onChat(func(_ *subject.Session, v *subject.Visit) subject.Verdict {
	raw := v.TokenSeen()
	if raw == "" {
		return subject.Missing("the page's callback gave no token (see PAGE-CALLBACK-TOKEN)")
	}
	if leaks := leaksOf(v, raw); len(leaks) > 0 {
		verdict := subject.Violated("the token goes to Kindly only", strings.Join(leaks, "; "))
		if slices.ContainsFunc(leaks, stored) {
			return verdict.Because("page-stores-token")
		}
		return verdict
	}
	return subject.Holds("found nowhere else")
})

// stored says whether a leak is a place where the page has put the token to find
// it again.
func stored(leak string) bool {
	for _, place := range []string{"localStorage", "sessionStorage", "the cookie"} {
		if strings.HasPrefix(leak, "it is in "+place) {
			return true
		}
	}
	return false
}

// leaksOf lists the places where a visit's token turned up.
func leaksOf(v *subject.Visit, seen token.Raw) []string {
	raw := coreOf(seen.Secret())
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
	page, issuer := wire.OriginOf(v.State.URL), issuerOrigin(v, seen)
	for _, r := range v.Record.Requests {
		if r.Kindly {
			continue
		}
		add("the URL of a request: "+strings.ReplaceAll(redact.URL(r.URL), raw, "…"), r.URL)
		if o := wire.OriginOf(r.URL); o != page && o != issuer {
			add("the body of a request to "+o, string(r.Body))
			for name, values := range r.Header {
				add("the header "+name+" of a request to "+o, strings.Join(values, " "))
			}
		}
	}
	return leaks
}

// coreOf is what is looked for of a token: it may be given with a line end or
// quotes, and be written elsewhere without, or escaped.
func coreOf(raw string) string {
	if found := jws.Find(raw); len(found) > 0 {
		return raw[found[0].Start:found[0].End]
	}
	return strings.Trim(raw, "\"' \r\n")
}

// issuerOrigin is where the token came from: it may have it back.
func issuerOrigin(v *subject.Visit, seen token.Raw) string {
	for _, r := range v.Record.Requests {
		if !r.Kindly && strings.Contains(string(r.ResponseBody), seen.Secret()) {
			return wire.OriginOf(r.URL)
		}
	}
	return ""
}
