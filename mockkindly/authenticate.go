package mockkindly

import (
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// Reasons for which the chat client calls getAuthToken (observed).
const (
	InitialConnect = "INITIAL_CONNECT" // the chat was just made
	Expired        = "EXPIRED"         // the token is within 30 s of its end
)

// Authenticate gives a token to a chat, as the widget does after getAuthToken.
// The result holds every rule that the token breaks. One of level MUST, or a
// signature that nobody could judge since the bot has no public key, refuses
// the token: it is dropped, and the chat stays as it was. The error is
// ErrUnknownChat, or about the mock; a refused token is no error.
//
// A token that has expired when a message is sent is not forwarded (assumed).
func (k *Kindly) Authenticate(chatID string, raw token.Raw, reason string) (token.Result, error) {
	chat, bot, err := k.chatAndBot(chatID)
	if err != nil {
		return token.Result{}, err
	}
	res := token.Check(raw, token.Expect{
		Keys: bot.PublicKeys, ChatID: chatID, Now: k.opts.Now(), Published: bot.Published,
	})
	report := &TokenReport{Reason: clip(reason, maxReport), Raw: raw, Result: res, Accepted: taken(res)}
	kind := TokenRefused
	if report.Accepted {
		kind = TokenAccepted
		err = k.change(chatID, func(c *Chat) { c.accept(raw, res.Token) })
		if err != nil {
			return res, err
		}
	}
	k.record(Event{Kind: kind, Bot: chat.BotKey, Chat: chatID, Token: report})
	return res, nil
}

func (c *Chat) accept(raw token.Raw, t *token.Token) {
	c.User = userOf(t, c.User)
	c.Authenticated, c.Token, c.Expires = true, raw, t.Expires()
	c.Domains = t.WebhookDomains()
}

// expired tells whether the chat's token has reached its end.
func (c Chat) expired(now time.Time) bool { return !now.Before(c.Expires) }

// taken tells whether Kindly takes the token that was judged so.
func taken(res token.Result) bool { return res.Accepted() && res.Token != nil }

func isMust(l rule.Level) bool { return l == rule.Must }
