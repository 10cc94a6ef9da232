package catalogue

import (
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/target"
)

// Answer lists the checks of an area. How a webhook must answer.
var Answer = []Check{
	{
		Requirement: rule.Rule{ID: "RESP-STATUS", Level: rule.Must, Fidelity: rule.Documented, Code: "webhook", Source: rule.Webhooks,
			Text:   "200 for a dialogue it knows.",
			Broken: "The webhook does not answer 200 to a valid request.",
			Why:    "What is no 200 is an error to whoever called. \"We have no such order\" is an answer, and belongs into a 200.",
			Fix:    "Answer 200 also where the business says no, with another reply or exchange_slug. If the webhook knows only some dialogues, give it one: webhooks[].message or slug."},
		Needs: target.NeedWebhook,
		Probe: respStatus,
	},
	// MISSING RESP-JSON
	// MISSING RESP-FIELDS
	// MISSING RESP-FIELD-NAMES
	// MISSING RESP-EMPTY
	{
		Requirement: rule.Rule{ID: "RESP-TIME", Level: rule.Should, Fidelity: rule.Assumed, Code: rule.NoCode, Source: rule.Webhooks,
			Text:   "It answers within 5 s.",
			Broken: "The webhook takes too long to answer.",
			Why:    "Someone looks at three dots. After some seconds they write again, or give up; after some more, the caller does.",
			Fix:    "Answer at once, and do the work later; Kindly's own limit is unpublished."},
		Needs: target.NeedWebhook,
		Probe: respTime,
	},
	{
		Requirement: rule.Rule{ID: "RESP-ADDITIVE", Level: rule.Must, Fidelity: rule.Documented, Code: "json", Source: rule.Webhooks,
			Text:   "Unknown fields in the request change nothing.",
			Broken: "A field that the webhook does not know changes its answer.",
			Why:    "The day a field is added, a strict parser refuses every request, and all dialogues are silent at once.",
			Kindly: "Additive changes ship unannounced.",
			Fix:    "Ignore fields that you don't know: Kindly adds some without notice."},
		Needs: target.NeedWebhook,
		Probe: respAdditive,
	},
	{
		Requirement: rule.Rule{ID: "RESP-SPARSE", Level: rule.Must, Fidelity: rule.Documented, Code: "json", Source: rule.Webhooks,
			Text:   "A request without the optional fields (labels, attachments, web_*, context) gives no 5xx.",
			Broken: "The webhook fails where an optional field is missing.",
			Why:    "It works on the web and fails for the first user who writes from Facebook, Slack or the app, where some fields are missing.",
			Kindly: "web_host, web_path and web_url are there for web clients only.",
			Fix:    "Read optional fields as optional: chats from Facebook or Slack have no web_host."},
		Needs: target.NeedWebhook,
		Probe: respSparse,
	},
	{
		Requirement: rule.Rule{ID: "RESP-UNICODE", Level: rule.Must, Fidelity: rule.Documented, Code: "json", Source: rule.Webhooks,
			Text:   "Messages with emoji, combining marks, right-to-left text, NUL escapes, 10,000 characters give no 5xx.",
			Broken: "The webhook fails on what users may write.",
			Why:    "Users paste anything: emoji, Arabic, a whole e-mail. A database column or a regular expression that can't take it fails for exactly those users.",
			Fix:    "Take the message for any text at all: users paste anything."},
		Needs: target.NeedWebhook, Turn: Roughly,
		Probe: respUnicode,
	},
	{
		Requirement: rule.Rule{ID: "RESP-SOURCES", Level: rule.Should, Fidelity: rule.Documented, Code: "json", Source: rule.Webhooks,
			Text:   "Every documented source gives no 5xx.",
			Broken: "The webhook fails for chats from other channels.",
			Why:    "A webhook that knows only the web fails for users who come from elsewhere, on the day somebody turns that channel on.",
			Fix:    "Answer chats from every source (web, facebook, slack, app, test), or tell the user that you can't."},
		Needs: target.NeedWebhook,
		Probe: respSources,
	},
	{
		Requirement: rule.Rule{ID: "RESP-METHOD", Level: rule.Should, Fidelity: rule.Assumed, Code: "webhook", Source: rule.Webhooks,
			Text:   "GET is not answered as the webhook.",
			Broken: "The webhook answers a GET as if Kindly had called.",
			Why:    "A GET has no body and no signature. If it is answered like the real thing, something is not verified.",
			Fix:    "Answer 405 to everything but POST."},
		Needs: target.NeedWebhook,
		Probe: respMethod,
	},
	{
		Requirement: rule.Rule{ID: "RESP-REPEAT", Level: rule.Info, Fidelity: rule.Assumed, Code: rule.NoCode, Source: rule.Webhooks,
			Text:   "The same request twice gives the same kind of answer.",
			Broken: "The webhook answers the same request differently the second time.",
			Why:    "Requests can be sent twice, by a network or by somebody who recorded one. Whoever books, pays or cancels must know a repetition.",
			Kindly: "The signature covers the body only: no time stamp, no protection from replay. Whether it retries is unpublished.",
			Fix:    "Don't count on a request to come once: nothing in it guards against a replay."},
		Needs: target.NeedWebhook,
		Probe: respRepeat,
	},
}
