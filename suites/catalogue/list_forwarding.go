package catalogue

import (
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/target"
)

// Forwarding lists the checks of an area. Where the token may go.
var Forwarding = []Check{
	{
		Requirement: allowlist.Patterns,
		Needs:       target.NeedToken,
		Probe:       fwdPatterns,
	},
	{
		Requirement: rule.Rule{ID: "FWD-COVERED", Level: rule.Must, Fidelity: rule.Documented, Code: "mint", Source: rule.ChatAuthentication,
			Text:   "Every configured webhook is covered; otherwise Kindly calls it without the token. Says which entry would cover it.",
			Broken: "Kindly calls your webhook without the token.",
			Why:    "A webhook that no entry covers is called without the token. It answers politely to a stranger, and nobody sees an error.",
			Fix:    "List the webhook's host in chat.webhook_domains."},
		Needs: target.NeedToken | target.NeedWebhook,
		Probe: fwdCovered,
	},
	{
		Requirement: rule.Rule{ID: "FWD-HTTPS", Level: rule.Must, Fidelity: rule.Assumed, Code: rule.NoCode, Source: rule.ChatAuthentication,
			Text:   "Webhooks are HTTPS (the public URL, for PUBLIC=LOCAL).",
			Broken: "A webhook is called over plain HTTP.",
			Why:    "Over HTTP the token and all that the user wrote go in the clear, for everybody on the way to copy and to change.",
			Kindly: "It documents that localhost can't be on the list; whether it forwards to http is unpublished.",
			Fix:    "Register the https URL of the webhook with Kindly. For local work give both: --webhook https://hooks.example.com/hook=http://localhost:3000/hook"},
		Needs: target.NeedWebhook,
		Probe: fwdHttps,
	},
	{
		Requirement: allowlist.Broad,
		Needs:       target.NeedToken,
		Probe:       fwdBroad,
	},
	{
		Requirement: allowlist.SharedTenant,
		Needs:       target.NeedToken,
		Probe:       fwdSharedTenant,
	},
	{
		Requirement: rule.Rule{ID: "FWD-UNUSED", Level: rule.Info, Fidelity: rule.Assumed, Code: "mint", Source: rule.ChatAuthentication,
			Text:   "Entries that no configured webhook needs.",
			Broken: "The token may be sent to domains that no webhook of yours needs.",
			Why:    "An entry that nobody needs is a place where tokens may go and nobody looks. A domain that you let go of can be bought by others.",
			Fix:    "Take out the entries that no webhook needs; or give all webhooks to kindlytest."},
		Needs: target.NeedToken | target.NeedWebhook,
		Probe: fwdUnused,
	},
	{
		Requirement: rule.Rule{ID: "FWD-DELIVERED", Level: rule.Must, Fidelity: rule.Documented, Code: "webhook", Source: rule.Webhooks,
			Text:   "Sent through the mock end to end, the webhook receives exactly the page's token as Authorization: Bearer, and answers 200.",
			Broken: "The token does not reach the webhook, or is not answered.",
			Why:    "It is all of it together: page, endpoint, token, list, webhook. If it does not work here, it does not work for your users.",
			Fix:    "See FWD-COVERED for the token, HOOK-VALID and RESP-STATUS for the answer."},
		Needs: target.NeedToken | target.NeedWebhook,
		Probe: fwdDelivered,
	},
	{
		Requirement: rule.Rule{ID: "FWD-REDIRECT", Level: rule.Must, Fidelity: rule.Assumed, Code: rule.NoCode, Source: rule.Webhooks,
			Text:   "The webhook does not redirect.",
			Broken: "The webhook redirects, and Kindly does not follow.",
			Why:    "A POST that is redirected loses its body or is not followed; where it is followed, the token is carried to a place that nobody has listed.",
			Kindly: "Whether it follows redirects is unpublished; kindlytest's mock does not.",
			Fix:    "Register the final URL with Kindly: a redirect is not followed, or else the token is carried to another place."},
		Needs: target.NeedWebhook,
		Probe: fwdRedirect,
	},
}
