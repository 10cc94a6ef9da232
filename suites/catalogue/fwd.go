package catalogue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// onDomains makes a probe of a function over the token's webhook_domains.
func onDomains(look func(s *subject.Session, domains []string) subject.Verdict) func(context.Context, *subject.Session) subject.Verdict {
	return func(_ context.Context, s *subject.Session) subject.Verdict {
		p, err := s.FirstToken()
		if err != nil {
			return subject.CouldNotRun(err)
		}
		if _, unread := mockkindly.JudgeDomains(p.Result); unread != "" {
			return subject.Missing("%s", unread)
		}
		return look(s, p.Result.Token.WebhookDomains())
	}
}

// byList makes a probe of a requirement that the list meets or breaks by
// itself.
func byList(id, holds string) func(context.Context, *subject.Session) subject.Verdict {
	return onDomains(func(_ *subject.Session, domains []string) subject.Verdict {
		for _, f := range allowlist.Judge(domains) {
			if f.Rule.ID == id {
				return subject.Violated(f.Expected, f.Actual).Because(ofLists[id]).Fix(f.Fix)
			}
		}
		return subject.Holds("%s", cmp.Or(holds, quoteList(domains)))
	})
}

// ofLists are the causes that the requirements of a list name.
var ofLists = map[string]string{allowlist.Patterns.ID: "domains-malformed", allowlist.Broad.ID: "domains-too-broad"}

// meantFor is the cause where an entry of the list would cover a URL, were it written
// as it is meant; "" where none would.
func meantFor(domains []string, url string) string {
	cause := ""
	for _, d := range domains {
		var wrong *allowlist.PatternError
		_, err := allowlist.ParsePattern(d)
		switch {
		case !errors.As(err, &wrong):
		case wrong.Broad:
			cause = ofLists[allowlist.Broad.ID]
		case slices.ContainsFunc(append(several(d), wrong.Suggestion), func(s string) bool { return s != "" && allowlist.Match(s, url).Allowed }):
			return ofLists[allowlist.Patterns.ID]
		}
	}
	return cause
}

// several are the entries that stand in one.
func several(entry string) []string {
	return strings.FieldsFunc(entry, func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) })
}

var (
	fwdPatterns     = byList("FWD-PATTERNS", "")
	fwdBroad        = byList("FWD-BROAD", "none does")
	fwdSharedTenant = byList("FWD-SHARED-TENANT", "none")
)

func quoteList(domains []string) string {
	if len(domains) == 0 {
		return "no entries"
	}
	return fmt.Sprintf("%q", domains)
}

var fwdCovered = onDomains(func(s *subject.Session, domains []string) subject.Verdict {
	var verdicts []subject.Verdict
	for _, h := range s.Webhooks {
		verdicts = append(verdicts, judgeCover(domains, h.Config.URL))
	}
	return subject.Worst(rule.Must, verdicts...)
})

func judgeCover(domains []string, url string) subject.Verdict {
	expected := redact.URL(url) + " covered by an entry"
	d := allowlist.Decide(domains, url)
	switch {
	case d.Allowed && d.Ambiguous == "":
		return subject.Holds("%s: %s", redact.URL(url), d.Reason)
	case d.Allowed:
		return subject.Doubtful(expected+" without a doubt", d.Reason+"; "+d.Ambiguous)
	}
	v := subject.Violated(expected, d.Reason)
	if _, err := allowlist.ParsePattern(d.Pattern); err != nil { // a sound entry that all but covers it is a mistake of its own
		v = v.Because(meantFor(domains, url))
	}
	pattern, err := allowlist.Cover(url)
	switch {
	case err != nil:
		return v.Fix(err.Error())
	case v.Cause == ofLists[allowlist.Broad.ID]:
		return v.Fix(fmt.Sprintf("Write %q in chat.webhook_domains, in place of what stands for everything.", pattern))
	}
	return v.Fix(fmt.Sprintf("Add %q to chat.webhook_domains.", pattern))
}

func fwdHttps(_ context.Context, s *subject.Session) subject.Verdict {
	for _, h := range s.Webhooks {
		if !strings.HasPrefix(strings.ToLower(h.Config.URL), "https://") {
			return subject.Violated("an https URL", redact.URL(h.Config.URL))
		}
	}
	return subject.Holds("all are")
}

var fwdUnused = onDomains(func(s *subject.Session, domains []string) subject.Verdict {
	var unused []string
	for _, d := range domains {
		if !anyHookMatches(s, d) {
			unused = append(unused, d)
		}
	}
	if len(unused) > 0 {
		return subject.Violated("each entry needed by a webhook", "not needed by the configured webhooks: "+quoteList(unused))
	}
	return subject.Holds("each is needed")
})

func anyHookMatches(s *subject.Session, pattern string) bool {
	for _, h := range s.Webhooks {
		if allowlist.Match(pattern, h.Config.URL).Allowed {
			return true
		}
	}
	return false
}

var fwdDelivered = eachHook(func(ctx context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	if f := st.Fault; f != nil && f.Check == "FWD-DELIVERED" {
		return subject.Violated(h.Expectation(), "with the token it gets "+subject.Describe(f.Seen.Exchange)+", and without "+subject.Describe(st.Stranger[0].Exchange)).Because(f.Cause).With(st.Stranger[0], f.Seen)
	}
	if v, unserved := h.Unserved(st); unserved {
		return v
	}
	for _, m := range []struct {
		mended *subject.Mended
		check  string
	}{{st.Signature, "SIG-VALID"}, {st.TokenRepair, "HOOK-VALID"}, {st.Transport, "RESP-STATUS"}} {
		if m.mended != nil {
			return subject.Missing("the webhook does not take what Kindly sends: it wants %s (see %s)", m.mended.Name, m.check)
		}
	}
	v := deliver(ctx, h.Session, h)
	if v.Kind == subject.Held && !h.Arrives() {
		return subject.Missing("sent with the token, and answered; but the webhook answers alike with any token and with none, so nobody can tell whether it arrived (see HOOK-DISTINGUISHES)").With(v.Evidence...)
	}
	return v
})

// deliver plays Kindly from the chat's beginning: a chat is made, the page's
// callback gives its token, the user writes, the webhook is called.
func deliver(ctx context.Context, s *subject.Session, h *subject.Webhook) subject.Verdict {
	if len(s.Target.PublicKeys) == 0 {
		return subject.Missing("no public key was given (--public-key FILE), so that the mock accepts no token and forwards none")
	}
	kindly, err := h.NewKindly()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	chat, err := kindly.CreateChat(botKey(s), mockkindly.Web{})
	if err != nil {
		return subject.CouldNotRun(err)
	}
	p, err := s.NewTokenFor(ctx, chat.ID)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	result, err := kindly.Authenticate(chat.ID, p.Raw, mockkindly.InitialConnect)
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if why, refused := subject.NotForwarded(result); refused {
		return subject.Missing("Kindly would refuse the token (see %s)", why)
	}
	const tries = 3
	for try := 1; ; try++ {
		deliveries, err := kindly.Say(ctx, chat.ID, mockkindly.Message{Text: h.Message(), Context: h.Context()})
		if err != nil {
			return subject.CouldNotRun(err)
		}
		if len(deliveries) != 1 {
			return subject.CouldNotRun(fmt.Errorf("the mock made %d deliveries, not one", len(deliveries)))
		}
		ev := subject.Evidence{Title: "as Kindly would send it", Exchange: deliveries[0].Exchange}
		if try == tries || !s.Hurt(ctx, ev) {
			return judgeDelivery(h, deliveries[0], p.Raw)
		}
	}
}

func judgeDelivery(h *subject.Webhook, d mockkindly.Delivery, raw token.Raw) subject.Verdict {
	ev := subject.Evidence{Title: "as Kindly would send it", Exchange: d.Exchange}
	got := wire.HeaderValue(d.Exchange.Request.Header, "Authorization")
	switch {
	case !d.WithToken:
		if !d.Decision.Allowed {
			return subject.Missing("Kindly would not forward the token there (see FWD-COVERED)")
		}
		return subject.Violated("the token goes along", "it did not: "+d.Reason).With(ev)
	case got != "Bearer "+raw.Secret():
		return subject.Violated("exactly the page's token", "another one was sent").With(ev)
	case service.Limited(ev):
		return subject.CouldNotRun(service.ErrLimited).With(ev)
	case !h.Acceptable(ev):
		return subject.Violated(h.Expectation(), subject.Describe(d.Exchange)).With(ev)
	}
	return subject.Holds("delivered with the token, answered %d", d.Exchange.Status()).With(ev)
}

var fwdRedirect = eachHook(func(_ context.Context, h *subject.Webhook, st subject.Standing) subject.Verdict {
	ev := st.Stranger[0]
	if len(st.Unrepaired) > 0 {
		ev = st.Unrepaired[0]
	}
	if status := ev.Exchange.Status(); status >= 300 && status < 400 {
		to := ev.Exchange.Response.Header.Get("Location")
		v := subject.Violated("an answer, not a redirect", fmt.Sprintf("status %d to %s", status, redact.URL(to))).With(ev)
		if st.Transport != nil { // where it redirects to serves it
			return v.Because(st.Transport.Cause).Fix(st.Transport.Fix)
		}
		return redirected(v, h.Config.URL, h.Called(), to)
	}
	if ev.Exchange.Err != nil {
		return subject.Missing("a valid request %s (see RESP-STATUS)", subject.Fares(ev))
	}
	return subject.Holds("%s", subject.Describe(ev.Exchange))
})

// redirected says what a redirect of a webhook is about: of its address for this run,
// from, which may not be the public URL that Kindly knows.
func redirected(v subject.Verdict, public, from, to string) subject.Verdict {
	a, err := url.Parse(from)
	if err != nil {
		return v
	}
	b, err := a.Parse(to)
	switch {
	case err != nil || to == "":
		return v.Because("webhook-redirects")
	case leadsToLogin(from, to):
		return v.Because("webhook-redirects-to-login").Fix("The webhook is behind a login: let requests to its path through without a session. Kindly has none; it brings the signature and the token.")
	case a.Hostname() == b.Hostname() && strings.TrimSuffix(a.Path, "/") == strings.TrimSuffix(b.Path, "/"):
		return v.Because("webhook-redirects").Fix(fmt.Sprintf("Register %s with Kindly: a redirect is not followed.", redact.URL(likewise(public, a, b))))
	}
	return v.Because("webhook-redirects")
}

// likewise is a URL after the redirect that leads from a to b, which changes no more
// than the scheme and the slash at the end: what is registered is not the address that
// is called here.
func likewise(public string, a, b *url.URL) string {
	u, err := url.Parse(public)
	if err != nil || public == a.String() {
		return b.String()
	}
	if a.Scheme != b.Scheme {
		u.Scheme = b.Scheme
	}
	if slash := strings.HasSuffix(b.Path, "/"); slash != strings.HasSuffix(a.Path, "/") {
		u.Path = strings.TrimSuffix(u.Path, "/")
		if slash {
			u.Path += "/"
		}
	}
	return u.String()
}

// leadsToLogin says whether a redirect goes to a login: to another path than the one
// that was asked for, which may be called auth too.
func leadsToLogin(from, to string) bool {
	a, err := url.Parse(from)
	if err != nil {
		return false
	}
	b, err := a.Parse(to)
	return err == nil && loginPath.MatchString(b.Path) && strings.TrimSuffix(a.Path, "/") != strings.TrimSuffix(b.Path, "/")
}

var loginPath = regexp.MustCompile(`(?i)(?:^|[/_-])(?:log-?in|sign-?in|auth(?:orize)?|sso|session)(?:$|[/_.-])`)

// botKey is the page's, or any: the mock Kindly of a run takes every key.
func botKey(s *subject.Session) string {
	if s.Target.BotKey != "" {
		return s.Target.BotKey
	}
	return "kindlytest"
}
