package allowlist

import "github.com/kindlytest/kindlytest/mockkindly/rule"

// The rules that a list of patterns meets or breaks by itself, whatever the
// webhooks are.
var (
	Patterns = rule.Rule{ID: "FWD-PATTERNS", Level: rule.Must, Fidelity: rule.Assumed, Code: "mint", Source: rule.ChatAuthentication,
		Text:   "Every entry of webhook_domains is a valid pattern (allowlist.md).",
		Broken: "An entry of webhook_domains is no domain, and matches nothing.",
		Why:    "An entry with a scheme, a port or a path matches nothing. The webhook is called without the token, and the only sign is that users are strangers.",
		Fix:    `Write host names only: "hooks.example.com", or "*.example.com" for all its subdomains. No scheme, port or path.`}
	Broad = rule.Rule{ID: "FWD-BROAD", Level: rule.Must, Fidelity: rule.Assumed, Code: "mint", Source: rule.ChatAuthentication,
		Text:   "No entry covers a whole public suffix, or everything.",
		Broken: "The token may be sent to domains that belong to others.",
		Why:    "Anybody can register a name under such an entry. Who gets Kindly to call it, by a mistake in the bot's settings for instance, gets your users' tokens.",
		Kindly: "Whether it takes such an entry is undocumented.",
		Fix:    "List the hosts of your own webhooks."}
	SharedTenant = rule.Rule{ID: "FWD-SHARED-TENANT", Level: rule.Should, Fidelity: rule.Assumed, Code: "mint", Source: rule.ChatAuthentication,
		Text:   "No wildcard over a suffix where strangers can rent names.",
		Broken: "The token may be sent to names that strangers can rent.",
		Why:    "Names under such a suffix are for hire, by the minute and for free. A neighbour's tunnel is as good as yours in the eyes of a wildcard.",
		Fix:    "List the one host name that is yours, without a wildcard."}
)

// ListRules are the rules that Judge judges, in its order.
func ListRules() []rule.Rule { return []rule.Rule{Patterns, Broad, SharedTenant} }
