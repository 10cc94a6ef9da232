package subject

import (
	"regexp"

	"github.com/kindlytest/kindlytest/reports"
)

// unfilled is what programs and templates write where a value is not there.
var unfilled = regexp.MustCompile(`\b(?:undefined|NaN)\b|\[object Object\]|(?:<|\\u003c)nil(?:>|\\u003e)|\{\{\s*[\w.]+\s*\}\}|\$\{[\w.]+\}`)

// noteUnfilled tells of an answer to a member that has a gap, and none to strangers: what
// the webhook reads there is not in the token.
func (h *Webhook) noteUnfilled(st Standing) {
	if !st.Members() || st.Fault != nil || st.Token.Rung == Minted {
		return
	}
	gap := unfilled.Find(st.Control().Exchange.Body())
	if gap == nil || unfilled.Match(st.Stranger[0].Exchange.Body()) {
		return
	}
	h.Session.Note(reports.Warned, "%s answers a member with %q in the text: it reads what the token does not have. Compare the claim's name with what the endpoint writes.", h.Name(), gap)
}
