package mockkindly

import (
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// JudgeDomains judges chat.webhook_domains of a token that was checked, by
// themselves: Kindly takes the token, and the entry does nothing, or too much.
// unread says why they can't be judged; "" if they were.
func JudgeDomains(res token.Result) (found []token.Violation, unread string) {
	for _, id := range []string{"TOK-COMPACT", "TOK-JSON", "TOK-CHAT", "TOK-CHAT-DOMAINS"} {
		if _, wrong := res.Violation(id); wrong && (id != "TOK-COMPACT" || !readable(res.Token)) {
			return nil, "webhook_domains can't be read (see " + id + ")"
		}
	}
	if !readable(res.Token) {
		return nil, "webhook_domains can't be read"
	}
	for _, f := range allowlist.Judge(res.Token.WebhookDomains()) {
		found = append(found, token.Violation{Rule: f.Rule, Level: f.Rule.Level, Expected: f.Expected, Actual: f.Actual, Fix: f.Fix})
	}
	return found, ""
}

func readable(t *token.Token) bool { return t != nil && t.Claims.Kind() == token.Object }
