package advice

var answerNotes = map[string]note{
	"RESP-STATUS":      {why: "What is no 200 is an error to whoever called. \"We have no such order\" is an answer, and belongs into a 200."},
	"RESP-JSON":        {why: "Text, HTML or a list holds no reply that could be shown: the user gets nothing, however right the answer is.", kindly: "It wants a JSON object; {} is accepted."},
	"RESP-FIELDS":      {why: "A number where a text should be, or one button instead of a list, is dropped at best. The user misses just that part."},
	"RESP-FIELD-NAMES": {why: "A misspelt field is no error: it is ignored. The button that you see in your code is never shown."},
	"RESP-EMPTY":       {why: "The user asked something, your code ran, and nothing is said. Nobody can tell that from an outage."},
	"RESP-TIME":        {why: "Someone looks at three dots. After some seconds they write again, or give up; after some more, the caller does."},
	"RESP-ADDITIVE":    {why: "The day a field is added, a strict parser refuses every request, and all dialogues are silent at once.", kindly: "Additive changes ship unannounced."},
	"RESP-SPARSE":      {why: "It works on the web and fails for the first user who writes from Facebook, Slack or the app, where some fields are missing.", kindly: "web_host, web_path and web_url are there for web clients only."},
	"RESP-UNICODE":     {why: "Users paste anything: emoji, Arabic, a whole e-mail. A database column or a regular expression that can't take it fails for exactly those users."},
	"RESP-SOURCES":     {why: "A webhook that knows only the web fails for users who come from elsewhere, on the day somebody turns that channel on."},
	"RESP-METHOD":      {why: "A GET has no body and no signature. If it is answered like the real thing, something is not verified."},
	"RESP-REPEAT":      {why: "Requests can be sent twice, by a network or by somebody who recorded one. Whoever books, pays or cancels must know a repetition.", kindly: "The signature covers the body only: no time stamp, no protection from replay. Whether it retries is unpublished."},
}

var liveNotes = map[string]note{
	"LIVE-HOOK-BODY":    {why: "One request with a deeply nested or broken body takes the process down, and everybody's chat with it. It needs no token."},
	"LIVE-HOOK-HEADERS": {why: "Proxies add, drop, double and stretch headers. Code that takes one for granted fails on the day the network changes."},
	"LIVE-HOOK-BURST":   {why: "A newsletter goes out and many people ask at once. Shared variables mix up their answers, and small pools turn them away."},
	"LIVE-HOOK-ABORT":   {why: "People close tabs and lose the network. If each of them leaves a worker waiting, the pool is empty by noon."},
	"LIVE-AUTH-BODY":    {why: "Any visitor of the page can send a broken body. If that takes the endpoint down, nobody gets a token any more."},
	"LIVE-AUTH-BURST":   {why: "On a Monday morning everybody opens the page at once. If some get an error instead of a token, they are strangers; if some get another's, it is worse."},
}
