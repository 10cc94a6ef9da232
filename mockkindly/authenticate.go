package mockkindly

import (
	"slices"
	"time"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// Reasons for which the chat client calls getAuthToken (observed).
const (
	InitialConnect = "INITIAL_CONNECT" // the chat was just made
	Expired        = "EXPIRED"         // the token is within 30 s of its end
)

// Authenticate gives a token to a chat, as the widget does after getAuthToken.
// The result holds every rule that the token breaks. One for which Kindly
// refuses tokens (token.Violation.Refused), or a signature that nobody could
// judge since the bot has no public key, refuses the token: it is dropped, and
// the chat stays as it was. All other rules leave marks only: Kindly takes the
// token, and forwards it. The error is ErrUnknownChat, or about the mock; a
// refused token is no error.
//
// A token that has expired when a message is sent is not forwarded (assumed).
func (k *Kindly) Authenticate(chatID string, raw token.Raw, reason string) (token.Result, error) {
	chat, bot, err := k.chatAndBot(chatID)
	if err != nil {
		return token.Result{}, err
	}
	k.redact.LearnTokens(raw.Secret())
	res := token.Check(raw, token.Expect{
		Keys: token.WithPrivate(bot.PublicKeys, k.opts.SigningKey), ChatID: chatID, Now: k.Now(), Published: bot.Published,
	})
	domains, _ := JudgeDomains(res)
	res.Violations = slices.Concat(res.Violations, domains)
	report := &TokenReport{
		Reason: clip.Text(reason, maxReport), Raw: raw, Result: res, Accepted: taken(res),
		Repeated: raw != "" && chat.Token == raw,
	}
	if report.Accepted && k.Faults().RefuseTokens {
		res.Unjudged = append(slices.Clone(res.Unjudged), refusedOnPurpose)
		report.Result, report.Accepted, report.OnPurpose = res, false, true
	}
	kind := TokenRefused
	change := func(c *Chat) { c.refuse(report.refusal(k.opts.Now())) }
	if report.Accepted {
		kind = TokenAccepted
		change = func(c *Chat) { c.accept(raw, res) }
	}
	if err := k.change(chatID, change); err != nil {
		return res, err
	}
	return res, k.record(Event{Kind: kind, Bot: chat.BotKey, Chat: chatID, Token: report}, true)
}

// refusedOnPurpose stands in the result of a token that a fault refuses. It is
// a reason to refuse and unjudged, which no token survives.
var refusedOnPurpose = token.Unjudged{
	Rule:   rule.Rule{ID: "FAULT-REFUSE-TOKENS", Level: rule.Must, Fidelity: rule.Assumed, Refused: rule.Assumed, Text: "The mock refuses every token while this fault is on."},
	Reason: "Refused on purpose: the fault refuse_tokens is on.",
}

func (t *TokenReport) refusal(at time.Time) Refusal {
	return Refusal{At: at, Reason: t.Reason, Violations: listed(t.Result.Violations), Unjudged: listed(t.Result.Unjudged), OnPurpose: t.OnPurpose}
}

func (c *Chat) accept(raw token.Raw, res token.Result) {
	t := res.Token
	c.User = userOf(t, c.User)
	c.Authenticated, c.Token, c.Issued, c.Expires = true, raw, t.IssuedAt(), t.Expires()
	c.Domains, c.Marks = t.WebhookDomains(), listed(res.Violations)
}

// ExpiredAt tells whether the chat's token has reached its end.
func (c Chat) ExpiredAt(now time.Time) bool { return !now.Before(c.Expires) }

// taken tells whether Kindly takes the token that was judged so.
func taken(res token.Result) bool { return res.Accepted() && res.Token != nil }
