package token

import (
	"slices"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// Where rules come from beside Kindly's own pages.
const (
	rfc7518KeySize   = "https://www.rfc-editor.org/rfc/rfc7518#section-3.3"
	rfc7519Privacy   = rule.RFC7519 + "#section-12"
	rfc9110FieldSize = "https://www.rfc-editor.org/rfc/rfc9110#section-5.4"
)

var allRules = slices.Concat(jwsRules, timeRules, userRules, chatRules, wholeRules)

// Rules returns all rules that judge one token.
func Rules() []rule.Rule {
	out := make([]rule.Rule, len(allRules))
	for i, r := range allRules {
		out[i] = r.Rule
	}
	return out
}
