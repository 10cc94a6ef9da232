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
// Bodies are JSON in UTF-8, up to 1 MiB. Errors are problem details (RFC 9457,
// application/problem+json) with type, title, status and detail; a refused
// token's have violations. No JSON that leaves the mock holds a token's
// signature, a webhook's secret, or a cookie. (Where a webhook itself repeats a
// secret of fewer than six characters, that cannot be told from other text.)
//
// The widget's side: any origin (Access-Control-Allow-Origin: *), OPTIONS,
// Content-Type text/plain or application/json, unknown members are ignored.
//
//	GET  /kindly-chat.js                 the chat client
//	GET  /kindly-chat-pure.js            the same without anything to see
//	POST /mock/v1/client                 bot_key, build, script_id, script_src, options, callback, page_url → 204
//	POST /mock/v1/chats                  bot_key, source, web_host, web_path, web_url → 201 id, created
//	POST /mock/v1/chats/{id}/callbacks   phase "called", reason; or phase "settled", reason, outcome, sync,
//	                                     elapsed_ms, type, error → 204
//	POST /mock/v1/chats/{id}/token       token, reason → 200 authenticated, user, expires; or 422 with violations
//	POST /mock/v1/chats/{id}/messages    text, context → 200 replies: webhook, with_token, reason, status, and
//	                                     the answer's reply, bubbles, buttons, image_carousel, …
//
// The mock's own side, for tests in other languages and for consoles: no CORS,
// a foreign Origin is refused (403), as is a Host that is not in Options.Hosts
// (421), Content-Type is application/json, unknown members are refused.
//
//	GET  /mock/v1/chats/{id}             the chat → 200
//	GET  /mock/v1/journal                ?after=N&chat=ID&limit=100 → 200 events, next, more
//	POST /mock/v1/bots                   key, id, organization_id, public_keys [{name, pem}], published,
//	                                     webhooks [{name, url, connect_to, hmac_secret}] → 201, or 200 if replaced
//	GET  /mock/v1/bots/{key}             the bot, without secrets → 200
//	POST /mock/v1/reset                  forgets chats, events and added bots → 204
//	GET  /mock/v1/health                 status, bots, chats, events → 200
//
// # What is assumed
//
// Kindly publishes no rule for these, so they are the mock's own choice. A
// token that has expired is not forwarded. A refused token does not take away
// an earlier one. A new_context that repeats the token's signature or the
// webhook's secret is kept without them. A webhook that is slower than 10 s has
// failed. Nothing is retried, and no redirect is followed. There are no
// dialogues: each message goes to every webhook of the bot.
package mockkindly
