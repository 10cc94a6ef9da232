// Package mockkindly plays Kindly Chat for a team's own tests: an http.Handler
// that serves a chat client, checks the tokens that the page gives it, forwards
// messages to webhooks, and journals all of it.
//
// A test starts it as it would start any server:
//
//	k, err := mockkindly.New(mockkindly.Options{Bots: []mockkindly.Bot{mockkindly.MustBot("my-bot", publicPEM)}})
//	server := httptest.NewServer(k)
//	defer func() { server.Close(); k.Close() }()
//
// and then either lets a page load server.URL/kindly-chat.js, or plays the chat
// client itself, without HTTP:
//
//	chat, err := k.CreateChat("my-bot", mockkindly.Web{})
//	result, err := k.Authenticate(chat.ID, token.Raw(jwt), mockkindly.InitialConnect)
//	for _, v := range result.Violations { … } // every rule that the token breaks
//	deliveries, err := k.Say(ctx, chat.ID, mockkindly.Message{Text: "where is my order?"})
//
// What happens on other goroutines is waited for in the journal, without polling:
//
//	e, err := k.Journal().Wait(ctx, func(e mockkindly.Event) bool { return e.Kind == mockkindly.TokenAccepted })
//
// # Routes
//
// openapi.yaml, which the mock serves as /openapi.yaml, describes them all. There
// are three sides: the widget's, which any origin may use; the mock's own (the
// admin side), for tests in other languages and for consoles, which refuses
// foreign origins (403) and foreign hosts (421) and may want a token (401); and
// Kindly's Application API. Bodies are JSON in UTF-8, up to 1 MiB. Errors are
// problem details (RFC 9457). No JSON that leaves the mock holds a token's
// signature, a webhook's secret, or a cookie. (Where a webhook itself repeats a
// secret of fewer than six characters, that cannot be told from other text.)
//
// # What is assumed
//
// Kindly publishes no rule for these, so they are the mock's own choice. A
// token that has expired is not forwarded. A refused token does not take away
// an earlier one. A new_context that repeats the token's signature or the
// webhook's secret is kept without them. A webhook that is slower than 10 s has
// failed. Nothing is retried, and no redirect is followed. A message leads to
// the dialogue whose phrase it holds; without dialogues it goes to every webhook
// of the bot.
package mockkindly
