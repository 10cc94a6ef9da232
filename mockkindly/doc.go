// Package mockkindly plays Kindly Chat for a team's own tests: it makes chats,
// checks the tokens that a page gives them, forwards messages to webhooks, and
// journals all of it. A test plays the chat client:
//
//	k, err := mockkindly.New(mockkindly.Options{Bots: []mockkindly.Bot{mockkindly.MustBot("my-bot", publicPEM)}})
//	defer k.Close()
//	chat, err := k.CreateChat("my-bot", mockkindly.Web{})
//	result, err := k.Authenticate(chat.ID, token.Raw(jwt), mockkindly.InitialConnect)
//	for _, v := range result.Violations { … } // every rule that the token breaks
//	deliveries, err := k.Say(ctx, chat.ID, mockkindly.Message{Text: "where is my order?"})
//
// What happens on other goroutines is waited for in the journal, without polling:
//
//	e, err := k.Journal().Wait(ctx, func(e mockkindly.Event) bool { return e.Kind == mockkindly.TokenAccepted })
//
// Package server serves a Kindly over HTTP, so that a page can load the chat
// client and tests in other languages can do the same.
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
