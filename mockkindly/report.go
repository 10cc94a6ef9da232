package mockkindly

import (
	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/redact"
)

// maxReport bounds each string that the widget reports about its page.
const maxReport = 2048

// ReportClient journals that a page loaded the chat client, as the client tells
// when it starts, and returns what is kept of it. The page's words are clipped, its
// URLs lose their credentials.
func (k *Kindly) ReportClient(c ClientReport) (ClientReport, error) {
	c.WantedKey = ""
	if c.BotKey != k.opts.WantedKey {
		c.WantedKey = k.opts.WantedKey
	}
	c.BotKey = clip.Text(c.BotKey, maxName)
	for _, s := range []*string{&c.Build, &c.ScriptID, &c.ScriptSrc, &c.Options, &c.Callback, &c.PageURL} {
		*s = clip.Text(*s, maxReport)
	}
	c.ScriptSrc, c.PageURL = redact.URL(c.ScriptSrc), redact.URL(c.PageURL)
	return c, k.record(Event{Kind: ClientStarted, Bot: c.BotKey, Client: &c}, false)
}

// ReportCallback journals a step of a call of getAuthToken. It fails with an
// *InputError for words that the client does not use, or ErrUnknownChat.
func (k *Kindly) ReportCallback(chatID string, c CallbackReport) error {
	kind := CallbackCalled
	if err := oneOf("phase", c.Phase, "called", "settled"); err != nil {
		return err
	}
	if err := oneOf("reason", c.Reason, InitialConnect, Expired); err != nil {
		return err
	}
	if c.Phase == "settled" {
		kind = CallbackSettled
		err := oneOf("outcome", c.Outcome, "token", "empty", "not-a-string", "threw", "rejected", "undefined")
		if err != nil {
			return err
		}
	} else {
		c = CallbackReport{Phase: c.Phase, Reason: c.Reason}
	}
	c.Type, c.Error = clip.Text(c.Type, maxReport), clip.Text(c.Error, maxReport)
	c.Length = max(0, c.Length)
	chat, ok := k.Chat(chatID)
	if !ok {
		return ErrUnknownChat
	}
	return k.record(Event{Kind: kind, Bot: chat.BotKey, Chat: chat.ID, Callback: &c}, false)
}
