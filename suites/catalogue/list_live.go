package catalogue

import (
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/target"
)

// Live lists the checks of an area. What must not bring the endpoint or a webhook down.
var Live = []Check{
	{
		Requirement: rule.Rule{ID: "LIVE-HOOK-BODY", Level: rule.Must, Fidelity: rule.Assumed, Code: "json", Source: rule.Webhooks,
			Text:   "What is no JSON object (an empty body, other text, [], null, form data, gzip without saying so): a 4xx, alive. Valid JSON of 1 MB or 10,000 levels, and text/plain: no 5xx, alive.",
			Broken: "A body that it does not expect breaks the webhook.",
			Why:    "One request with a deeply nested or broken body takes the process down, and everybody's chat with it. It needs no token.",
			Fix:    "Bound the body's size, catch the parser's error, check that the value is an object, and answer 400."},
		Needs: target.NeedWebhook, Turn: Last, Hostile: true,
		Probe: liveHookBody,
	},
	{
		Requirement: rule.Rule{ID: "LIVE-HOOK-HEADERS", Level: rule.Must, Fidelity: rule.Assumed, Code: "webhook", Source: rule.Webhooks,
			Text:   "Missing, empty, doubled and very long headers: alive.",
			Broken: "Headers that it does not expect break the webhook.",
			Why:    "Proxies add, drop, double and stretch headers. Code that takes one for granted fails on the day the network changes.",
			Fix:    "Treat every header as optional and as any text; a proxy or the server should refuse very long ones with 431."},
		Needs: target.NeedWebhook, Turn: Last, Hostile: true,
		Probe: liveHookHeaders,
	},
	{
		Requirement: rule.Rule{ID: "LIVE-HOOK-BURST", Level: rule.Must, Fidelity: rule.Assumed, Code: "webhook", Source: rule.Webhooks,
			Text:   "64 valid requests at once are all answered correctly.",
			Broken: "The webhook does not cope with many requests at once.",
			Why:    "A newsletter goes out and many people ask at once. Shared variables mix up their answers, and small pools turn them away.",
			Fix:    "Keep nothing of a request in variables that requests share; let requests wait rather than fail."},
		Needs: target.NeedWebhook, Turn: Last, Hostile: true,
		Probe: liveHookBurst,
	},
	{
		Requirement: rule.Rule{ID: "LIVE-HOOK-ABORT", Level: rule.Should, Fidelity: rule.Assumed, Code: "errors", Source: rule.Webhooks,
			Text:   "Clients that hang up halfway leave it working.",
			Broken: "A client that hangs up breaks the webhook.",
			Why:    "People close tabs and lose the network. If each of them leaves a worker waiting, the pool is empty by noon.",
			Fix:    "Give every request a deadline, and catch the error of a connection that ended."},
		Needs: target.NeedWebhook, Turn: Last, Hostile: true,
		Probe: liveHookAbort,
	},
	{
		Requirement: rule.Rule{ID: "LIVE-AUTH-BODY", Level: rule.Must, Fidelity: rule.Assumed, Code: "endpoint", Source: rule.ChatAuthentication,
			Text:   "The same bodies at the auth endpoint, judged the same way.",
			Broken: "A body that it does not expect breaks the auth endpoint.",
			Why:    "Any visitor of the page can send a broken body. If that takes the endpoint down, nobody gets a token any more.",
			Fix:    "Bound the body's size, catch the parser's error, check that the value is an object, and answer 400."},
		Needs: target.NeedEndpoint, Turn: Last, Hostile: true,
		Probe: liveAuthBody,
	},
	{
		Requirement: rule.Rule{ID: "LIVE-AUTH-BURST", Level: rule.Must, Fidelity: rule.Assumed, Code: "endpoint", Source: rule.ChatAuthentication,
			Text:   "64 valid requests at once are all answered correctly.",
			Broken: "The auth endpoint does not cope with many requests at once.",
			Why:    "On a Monday morning everybody opens the page at once. If some get an error instead of a token, they are strangers; if some get another's, it is worse.",
			Fix:    "Keep nothing of a request in variables that requests share; let requests wait rather than fail."},
		Needs: target.NeedEndpoint, Turn: Last, Hostile: true,
		Probe: liveAuthBurst,
	},
	{
		Requirement: rule.Rule{ID: "LIVE-PROCESS", Level: rule.Must, Fidelity: rule.Assumed, Code: "errors", Source: rule.Webhooks,
			Text:   "No process died during the run. Names the request after which it did, or what was sent last.",
			Broken: "A process of yours died during the run.",
			Why:    "One stranger with one request turns the service off, for all users, as often as they like. A supervisor that starts it again only hides it.",
			Fix:    "Catch what that request throws, also in what runs after the answer, and answer 400 or 401."},
		Needs: target.NeedAny, Turn: Finally,
		Probe: liveProcess,
	},
}
