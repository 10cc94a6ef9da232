package target

// A Need is a set of things that a target offers.
type Need uint

// The needs, in the order in which a missing one is reported.
const (
	NeedPage     Need = 1 << iota // a page to open
	NeedEndpoint                  // an auth endpoint: found by watching the page, or configured
	NeedWebhook                   // at least one webhook
	NeedToken                     // a token, from the page or the endpoint
	NeedLogin                     // a way to be logged in
	NeedSecond                    // a second user's way to be logged in
	NeedHMAC                      // the webhook's secret
	NeedKey                       // the private key of a test environment
	NeedCross                     // page and endpoint have different origins
	NeedAny                       // an endpoint or a webhook
)

var needNames = []struct {
	need Need
	name string // as in `kindlytest list`
	hint string // what to do about its absence
}{
	{NeedPage, "page", "no page was given: kindlytest run PAGE, or serve --page URL"},
	{NeedEndpoint, "endpoint", "no page and no auth endpoint was given: kindlytest run PAGE (serve --page URL), or --endpoint URL"},
	{NeedWebhook, "webhook", "no webhook was given: --webhook URL"},
	{NeedToken, "token", "nothing that gives a token was given: kindlytest run PAGE (serve --page URL), or --endpoint URL"},
	{NeedLogin, "login", "no login was given: page.login in kindlytest.yaml (endpoint.headers where endpoint is given)"},
	{NeedSecond, "second", "no second user was given: page.second_login in kindlytest.yaml (endpoint.second_headers where endpoint is given)"},
	{NeedHMAC, "hmac", "no webhook secret was given: KINDLYTEST_HMAC_SECRET, or hmac_secret in kindlytest.yaml"},
	{NeedKey, "key", "no private key was given: --private-key FILE (test environments only)"},
	{NeedAny, "endpoint or webhook", "no page, auth endpoint or webhook was given"},
	{NeedCross, "cross", "no page was given, so its origin is unknown: kindlytest run PAGE, or serve --page URL"},
}

// Names lists the needs' names, for people and for `list --json`.
func (n Need) Names() []string {
	names := []string{}
	for _, e := range needNames {
		if n&e.need != 0 {
			names = append(names, e.name)
		}
	}
	return names
}

// Hint says what is missing and how to give it; only the first missing need
// is named.
func (n Need) Hint() string {
	for _, e := range needNames {
		if n&e.need != 0 {
			return e.hint
		}
	}
	return ""
}

// Offers is the set of needs that the target meets as configured. Whether the
// page really gives a token is found out later.
func (t Target) Offers() Need {
	var n Need
	if t.PageURL != "" {
		n |= NeedPage | NeedEndpoint | NeedToken | NeedCross
	}
	if t.Endpoint != nil {
		n |= NeedEndpoint | NeedToken
	}
	if t.Login != nil || t.Endpoint != nil && len(t.Endpoint.Header) > 0 {
		n |= NeedLogin
	}
	if t.Second != nil || t.Endpoint != nil && t.Endpoint.SecondHeader != nil {
		n |= NeedSecond
	}
	if t.PrivateKey != nil {
		n |= NeedKey
	}
	if len(t.Webhooks) > 0 {
		n |= NeedWebhook
		if t.PrivateKey != nil { // attackers don't ask Kindly: a token can be made
			n |= NeedToken
		}
	}
	if n&(NeedEndpoint|NeedWebhook) != 0 {
		n |= NeedAny
	}
	for _, w := range t.Webhooks {
		if w.Secret != "" {
			n |= NeedHMAC
		}
	}
	return n
}
