package advice

var tokenNotes = map[string]note{
	"TOK-ALG":           {kindly: "It takes RS256, signed and not encrypted."},
	"TOK-KEY-PUBLISHED": {kindly: "The demo key belongs to a published example; integrations are copied from there."},
	"TOK-EXP-MAX":       {kindly: "exp is at most 15 minutes after iat."},
	"TOK-ISS":           {kindly: "iss stands in its table of claims; both of its server samples leave it out."},
	"TOK-SUB-STABLE":    {why: "If sub changes from token to token, one person is many: their chats are not found again, and a webhook that looks them up finds nobody."},
	"TOK-NAME":          {kindly: "The name is shown in Chat and Inbox."},
	"TOK-EMAIL":         {kindly: "The address is shown; only a verified one is stored."},
	"TOK-EMAIL-STORED":  {kindly: "Only verified addresses are stored."},
	"TOK-PHONE":         {kindly: "The number is shown; only a verified one is stored."},
	"TOK-PHONE-STORED":  {kindly: "Only verified numbers are stored."},
	"TOK-PICTURE":       {kindly: "It must be publicly reachable."},
	"TOK-CLAIM-NAMES":   {kindly: "Any other claim is allowed beside those that it reads."},
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
