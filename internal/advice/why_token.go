package advice

// A note is what is to be said about one requirement.
type note struct {
	why    string // what happens to the user, or what an attacker gains
	kindly string // what Kindly does in this place, where that is known; "" leaves it to the area
}

var tokenNotes = map[string]note{
	"TOK-COMPACT":        {why: "A line end, a quote or padding makes it a different text: strict parsers refuse it, and as a header it may not even be sent."},
	"TOK-ALG":            {why: "Another algorithm does not fit the key that Kindly has. With HS256 the public key would have to serve as a secret, which everybody knows.", kindly: "It takes RS256, signed and not encrypted."},
	"TOK-HEADER-SAFE":    {why: "A key, or a link to one, in the header is an offer to verify the token with what its sender brought. A careless webhook takes it, and then anybody can sign."},
	"TOK-SIGNATURE":      {why: "If it does not verify, nothing in it counts: the user is a stranger. The usual cause is a key that was changed in one place only."},
	"TOK-KEY-SIZE":       {why: "Short RSA keys can be factored with rented computers (512 bits in hours, 768 bits have been done). Who has the private key is every one of your users."},
	"TOK-KEY-PUBLISHED":  {why: "The private half of this key stands in a public repository. Anyone who finds it signs tokens for any user of yours.", kindly: "The demo key belongs to a published example; integrations are copied from there."},
	"TOK-JSON":           {why: "Names with æ, é or ł break a token that was put together by hand in another encoding: it works for your testers, and not for Zoë."},
	"TOK-DUPLICATE-KEYS": {why: "Parsers differ in which of two members they take. Kindly shows one user then, and your webhook serves the other."},
	"TOK-IAT":            {why: "exp is measured from iat. In milliseconds it lies tens of thousands of years ahead; as text, strict libraries refuse it."},
	"TOK-EXP":            {why: "exp is what makes a stolen token harmless after some minutes. In milliseconds it never does."},
	"TOK-EXP-MAX":        {why: "The longer a token lives, the longer a stolen one works. A longer life than Kindly allows costs you all tokens, not only the long ones.", kindly: "exp is at most 15 minutes after iat."},
	"TOK-EXP-FUTURE":     {why: "An expired token is refused. If it is born expired, a clock is wrong or a token was kept, and every user is a stranger."},
	"TOK-IAT-SKEW":       {why: "If your clock is minutes off, tokens come from the future or have expired on arrival. It begins on one server of several, and looks like chance."},
	"TOK-IAT-CLOCK":      {why: "A clock that is a minute off today is five off next month. Until then only the strictest of your webhooks refuses tokens."},
	"TOK-NBF":            {why: "A token that is not valid yet is refused when it is used at once, and a chat uses it at once."},
	"TOK-ISS":            {why: "It says which of your systems signed. With two of them, or a staging key that got about, it is the only way to tell them apart.", kindly: "iss stands in its table of claims; both of its server samples leave it out."},
	"TOK-SUB":            {why: "sub is who it is. Without it, or as a number that a parser rounds, your webhook has to guess, and one user may get another's data."},
	"TOK-SUB-STABLE":     {why: "If sub changes from token to token, one person is many: their chats are not found again, and a webhook that looks them up finds nobody."},
	"TOK-SUB-PRIVATE":    {why: "A token is signed, not encrypted: everybody who sees it reads it, logs included. Addresses and national identity numbers don't belong there, and addresses change."},
	"TOK-NAME":           {why: "An agent who sees no name does not know whom they talk to, and asks for what you know already.", kindly: "The name is shown in Chat and Inbox."},
	"TOK-EMAIL":          {why: "An agent answers to that address. If it is a list, a name or nothing, the answer goes nowhere, or to somebody else.", kindly: "The address is shown; only a verified one is stored."},
	"TOK-EMAIL-VERIFIED": {why: "The text \"false\" counts as true in many languages. An address that nobody has proven to be theirs is then taken for proven."},
	"TOK-EMAIL-STORED":   {why: "The agent sees the address now and does not find it later, and nothing says why.", kindly: "Only verified addresses are stored."},
	"TOK-PHONE":          {why: "As a number it loses its plus sign and leading zeros; without the country code nobody can call it from elsewhere.", kindly: "The number is shown; only a verified one is stored."},
	"TOK-PHONE-VERIFIED": {why: "1 and \"true\" are not true: one system takes them for proof, the next for nothing."},
	"TOK-PHONE-STORED":   {why: "The agent sees the number now and does not find it later, and nothing says why.", kindly: "Only verified numbers are stored."},
	"TOK-PICTURE":        {why: "A picture that needs a login, or comes over HTTP, is a broken image beside every message; user information in its URL is a password that everybody reads.", kindly: "It must be publicly reachable."},
	"TOK-CLAIM-NAMES":    {why: "A misspelt claim is no error: it is allowed, and ignored. The agent sees no name, and you see nothing wrong in the token.", kindly: "Any other claim is allowed beside those that it reads."},
	"TOK-CHAT":           {why: "Without chat the token belongs to no conversation: it cannot be forwarded, and whoever copies it can use it anywhere."},
	"TOK-CHAT-ID":        {why: "The chat id is what stops a token that leaked in one conversation from working in another. Changed in case or form, it is another id."},
	"TOK-CHAT-DOMAINS":   {why: "A single text instead of a list is no list of domains: your webhooks are called without the token, and treat everybody as a stranger."},
	"TOK-SECRETS":        {why: "Everybody who sees the token can read it: the browser, Kindly, each webhook, and their logs. A session id or a password in it is given away to all of them."},
	"TOK-SIZE":           {why: "Servers and proxies cut off or refuse long headers, many at 8 KB. It works with your test user, and not with the one who has forty roles."},
}

var forwardNotes = map[string]note{
	"FWD-PATTERNS":      {why: "An entry with a scheme, a port or a path matches nothing. The webhook is called without the token, and the only sign is that users are strangers."},
	"FWD-COVERED":       {why: "A webhook that no entry covers is called without the token. It answers politely to a stranger, and nobody sees an error."},
	"FWD-HTTPS":         {why: "Over HTTP the token and all that the user wrote go in the clear, for everybody on the way to copy and to change.", kindly: "It documents that localhost can't be on the list; whether it forwards to http is unpublished."},
	"FWD-BROAD":         {why: "Anybody can register a name under such an entry. Who gets Kindly to call it, by a mistake in the bot's settings for instance, gets your users' tokens.", kindly: "Whether it takes such an entry is undocumented."},
	"FWD-SHARED-TENANT": {why: "Names under such a suffix are for hire, by the minute and for free. A neighbour's tunnel is as good as yours in the eyes of a wildcard."},
	"FWD-UNUSED":        {why: "An entry that nobody needs is a place where tokens may go and nobody looks. A domain that you let go of can be bought by others."},
	"FWD-DELIVERED":     {why: "It is all of it together: page, endpoint, token, list, webhook. If it does not work here, it does not work for your users."},
	"FWD-REDIRECT":      {why: "A POST that is redirected loses its body or is not followed; where it is followed, the token is carried to a place that nobody has listed.", kindly: "Whether it follows redirects is unpublished; kindlytest's mock does not."},
}
