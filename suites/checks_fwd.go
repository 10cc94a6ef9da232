package suites

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// onDomains makes a probe of a function over the token's webhook_domains.
func onDomains(look func(s *Session, domains []string) Verdict) func(context.Context, *Session) Verdict {
	return func(_ context.Context, s *Session) Verdict {
		p, err := s.firstPass()
		if err != nil {
			return CouldNotRun(err)
		}
		for _, id := range []string{"TOK-JSON", "TOK-CHAT", "TOK-CHAT-DOMAINS"} {
			if _, wrong := p.result.Violation(id); wrong {
				return Missing("webhook_domains can't be read (see %s)", id)
			}
		}
		return look(s, p.result.Token.WebhookDomains())
	}
}

// patternErrors are the entries that are no valid patterns.
func patternErrors(domains []string) []*allowlist.PatternError {
	var out []*allowlist.PatternError
	for _, d := range domains {
		var pe *allowlist.PatternError
		if _, err := allowlist.ParsePattern(d); errors.As(err, &pe) {
			out = append(out, pe)
		}
	}
	return out
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "FWD-PATTERNS", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "Every entry of webhook_domains is a valid pattern.",
		Fix:  `Write host names only: "hooks.example.com", or "*.example.com" for all its subdomains. No scheme, port or path.`},
	Needs: NeedToken,
	Probe: onDomains(func(_ *Session, domains []string) Verdict {
		for _, pe := range patternErrors(domains) {
			if !pe.Broad { // FWD-BROAD speaks of those
				return Violated("host names, or *. before one", fmt.Sprintf("%q: %s", bound(pe.Pattern, 100), pe.Reason)).Fix(suggest(pe))
			}
		}
		return Holds("%s", quoteList(domains))
	}),
})

func suggest(pe *allowlist.PatternError) string {
	if pe.Suggestion == "" {
		return ""
	}
	return fmt.Sprintf("Write %q instead of %q.", pe.Suggestion, bound(pe.Pattern, 100))
}

func quoteList(domains []string) string {
	if len(domains) == 0 {
		return "no entries"
	}
	return fmt.Sprintf("%q", domains)
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "FWD-COVERED", Level: rule.Must, Fidelity: rule.Documented, Source: rule.ChatAuthentication,
		Text: "Every configured webhook is covered; otherwise Kindly calls it without the token. Says which entry would cover it.",
		Fix:  "List the webhook's host in chat.webhook_domains."},
	Needs: NeedToken | NeedWebhook,
	Probe: onDomains(func(s *Session, domains []string) Verdict {
		var verdicts []Verdict
		for _, h := range s.hooks {
			verdicts = append(verdicts, judgeCover(domains, h.cfg.URL))
		}
		return worst(rule.Must, verdicts...)
	}),
})

func judgeCover(domains []string, url string) Verdict {
	expected := safeURL(url) + " covered by an entry"
	d := allowlist.Decide(domains, url)
	switch {
	case d.Allowed && d.Ambiguous == "":
		return Holds("%s: %s", safeURL(url), d.Reason)
	case d.Allowed:
		return Doubtful(expected+" without a doubt", d.Reason+"; "+d.Ambiguous)
	}
	v := Violated(expected, d.Reason)
	pattern, err := allowlist.Cover(url)
	if err != nil {
		return v.Fix(err.Error())
	}
	return v.Fix(fmt.Sprintf("Add %q to chat.webhook_domains.", pattern))
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "FWD-HTTPS", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "Webhooks are HTTPS (the public URL, for PUBLIC=LOCAL).",
		Fix:  "Register the https URL of the webhook with Kindly. For local work give both: --webhook https://hooks.example.com/hook=http://localhost:3000/hook"},
	Needs: NeedWebhook,
	Probe: func(_ context.Context, s *Session) Verdict {
		for _, h := range s.hooks {
			if !strings.HasPrefix(strings.ToLower(h.cfg.URL), "https://") {
				return Violated("an https URL", safeURL(h.cfg.URL))
			}
		}
		return Holds("all are")
	},
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "FWD-BROAD", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "No entry covers a whole public suffix, or everything.",
		Fix:  "List the hosts of your own webhooks."},
	Needs: NeedToken,
	Probe: onDomains(func(_ *Session, domains []string) Verdict {
		for _, pe := range patternErrors(domains) {
			if pe.Broad {
				return Violated("entries that cover your own hosts only", fmt.Sprintf("%q: %s", bound(pe.Pattern, 100), pe.Reason))
			}
		}
		return Holds("none does")
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "FWD-SHARED-TENANT", Level: rule.Should, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "No wildcard over a suffix where strangers can rent names.",
		Fix:  "List the one host name that is yours, without a wildcard."},
	Needs: NeedToken,
	Probe: onDomains(func(_ *Session, domains []string) Verdict {
		for _, d := range domains {
			p, err := allowlist.ParsePattern(d)
			if err != nil {
				continue
			}
			if suffix := p.SharedTenant(); suffix != "" {
				return Violated("no wildcard over a shared suffix", fmt.Sprintf("%q: anyone can get a name under %s", d, suffix))
			}
		}
		return Holds("none")
	}),
})

var _ = check(Check{
	Requirement: rule.Rule{ID: "FWD-UNUSED", Level: rule.Info, Fidelity: rule.Assumed, Source: rule.ChatAuthentication,
		Text: "Entries that no configured webhook needs.",
		Fix:  "Take out the entries that no webhook needs; or give all webhooks to kindlytest."},
	Needs: NeedToken | NeedWebhook,
	Probe: onDomains(func(s *Session, domains []string) Verdict {
		var unused []string
		for _, d := range domains {
			if !s.anyHookMatches(d) {
				unused = append(unused, d)
			}
		}
		if len(unused) > 0 {
			return Violated("each entry needed by a webhook", "not needed by the configured webhooks: "+quoteList(unused))
		}
		return Holds("each is needed")
	}),
})

func (s *Session) anyHookMatches(pattern string) bool {
	for _, h := range s.hooks {
		if allowlist.Match(pattern, h.cfg.URL).Allowed {
			return true
		}
	}
	return false
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "FWD-DELIVERED", Level: rule.Must, Fidelity: rule.Documented, Source: rule.Webhooks,
		Text: "Sent through the mock end to end, the webhook receives exactly the page's token as Authorization: Bearer, and answers 200.",
		Fix:  "See FWD-COVERED for the token, HOOK-VALID and RESP-STATUS for the answer."},
	Needs: NeedToken | NeedWebhook,
	Probe: eachHook(rule.Must, func(ctx context.Context, s *Session, h *hook) Verdict { return deliver(ctx, s, h) }),
})

// deliver plays Kindly from the chat's beginning: a chat is made, the page's
// callback gives its token, the user writes, the webhook is called.
func deliver(ctx context.Context, s *Session, h *hook) Verdict {
	if len(s.target.PublicKeys) == 0 {
		return Missing("no public key was given (--public-key FILE), so that the mock accepts no token and forwards none")
	}
	kindly, err := s.newKindly(h.cfg)
	if err != nil {
		return CouldNotRun(err)
	}
	chat, err := kindly.CreateChat(s.botKey(), mockkindly.Web{})
	if err != nil {
		return CouldNotRun(err)
	}
	p, err := s.newPassFor(ctx, chat.ID)
	if err != nil {
		return CouldNotRun(err)
	}
	result, err := kindly.Authenticate(chat.ID, p.raw, mockkindly.InitialConnect)
	if err != nil {
		return CouldNotRun(err)
	}
	if why, refused := notForwarded(result); refused {
		return Missing("Kindly would refuse the token (see %s)", why)
	}
	deliveries, err := kindly.Say(ctx, chat.ID, mockkindly.Message{Text: h.message(), Context: h.cfg.Context})
	if err != nil {
		return CouldNotRun(err)
	}
	if len(deliveries) != 1 {
		return CouldNotRun(fmt.Errorf("the mock made %d deliveries, not one", len(deliveries)))
	}
	return judgeDelivery(deliveries[0], p.raw)
}

func judgeDelivery(d mockkindly.Delivery, raw token.Raw) Verdict {
	ev := Evidence{Title: "as Kindly would send it", Exchange: d.Exchange}
	got := canonical(d.Exchange.Request.Header, "Authorization")
	switch {
	case !d.WithToken:
		if !d.Decision.Allowed {
			return Missing("Kindly would not forward the token there (see FWD-COVERED)")
		}
		return Violated("the token goes along", "it did not: "+d.Reason).With(ev)
	case got != "Bearer "+raw.Secret():
		return Violated("exactly the page's token", "another one was sent").With(ev)
	case limited(ev):
		return CouldNotRun(errLimited).With(ev)
	case d.Exchange.Status() != 200:
		return Violated("status 200", describe(d.Exchange)).With(ev)
	}
	return Holds("delivered with the token, answered 200").With(ev)
}

var _ = check(Check{
	Requirement: rule.Rule{ID: "FWD-REDIRECT", Level: rule.Must, Fidelity: rule.Assumed, Source: rule.Webhooks,
		Text: "The webhook does not redirect.",
		Fix:  "Register the final URL with Kindly: a redirect is not followed, or else the token is carried to another place."},
	Needs: NeedWebhook,
	Probe: eachHook(rule.Must, func(ctx context.Context, s *Session, h *hook) Verdict {
		ev, err := h.anonymous(ctx)
		if err != nil {
			return CouldNotRun(err)
		}
		if st := ev.Exchange.Status(); st >= 300 && st < 400 {
			return Violated("an answer, not a redirect", fmt.Sprintf("status %d to %s", st, safeURL(ev.Exchange.Response.Header.Get("Location")))).With(ev)
		}
		if ev.Exchange.Err != nil {
			return Missing("it gave %s (see HOOK-ANONYMOUS)", describe(ev.Exchange))
		}
		return Holds("%s", describe(ev.Exchange))
	}),
})

// botKey is the page's, or any: the mock Kindly of a run takes every key.
func (s *Session) botKey() string {
	if s.target.BotKey != "" {
		return s.target.BotKey
	}
	return "kindlytest"
}
