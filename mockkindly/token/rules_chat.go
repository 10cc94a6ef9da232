package token

import (
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// chatRules judge the claim chat.
var chatRules = []judgedRule{
	{rule.Rule{
		ID: "TOK-CHAT", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:    "chat is an object.",
		Source:  rule.ChatAuthentication,
		Fix:     `Add "chat": {"id": …} with the chat id that getAuthToken was called with.`,
		Broken:  "The token belongs to no chat.",
		Why:     "Without chat the token belongs to no conversation: it cannot be forwarded, and whoever copies it can use it anywhere.",
		Refused: rule.Documented,
	}, needForm | needClaims, judgeChat},
	{rule.Rule{
		ID: "TOK-CHAT-ID", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:    "chat.id is exactly the chat id that was asked for.",
		Source:  rule.ChatAuthentication,
		Fix:     "Read the chat id from each request, and copy it unchanged; don't keep it in the session.",
		Broken:  "The token belongs to another chat than the one that asked for it.",
		Why:     "The chat id is what stops a token that leaked in one conversation from working in another. Changed in case or form, it is another id.",
		Refused: rule.Documented,
	}, needForm | needClaims, judgeChatID},
	{rule.Rule{
		ID: "TOK-CHAT-DOMAINS", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:   "chat.webhook_domains, if present, is a list of strings.",
		Source: rule.ChatAuthentication,
		Fix:    `Write a list, also for a single domain: ["hooks.example.com"].`,
		Broken: "chat.webhook_domains is no list of domains.",
		Why:    "A single text instead of a list is no list of domains: your webhooks are called without the token, and treat everybody as a stranger.",
	}, needForm | needClaims, judgeDomains},
}

// wholeRules judge all of the token.
var wholeRules = []judgedRule{
	{rule.Rule{
		ID: "TOK-SECRETS", Level: rule.Must, Fidelity: rule.Assumed, Code: "mint",
		Text:   "No claim holds a password, secret, session id, API key, private key or another token.",
		Source: rfc7519Privacy,
		Fix:    "Take it out: a token is signed, not encrypted, and all who see it can read it.",
		Broken: "The token holds a secret that every reader of the token sees.",
		Why:    "Everybody who sees the token can read it: the browser, Kindly, each webhook, and their logs. A session id or a password in it is given away to all of them.",
	}, needForm | needClaims, judgeSecrets},
	{rule.Rule{
		ID: "TOK-SIZE", Level: rule.Should, Fidelity: rule.Assumed, Code: "mint",
		Text:   "It is smaller than 4 KB (8 KB fails: headers that long are cut off).",
		Source: rfc9110FieldSize,
		Fix:    "Keep only the claims that Kindly and your webhooks read.",
		Broken: "The token is larger than servers take in a header.",
		Why:    "Servers and proxies cut off or refuse long headers, many at 8 KB. It works with your test user, and not with the one who has forty roles.",
	}, needNothing, judgeSize},
}

func judgeChat(s *state) verdict {
	chat := s.chat()
	if chat.Kind() == Object {
		return held
	}
	v := bad(`an object: {"id": …}`, "chat is "+describe(chat))
	for _, m := range s.token.Claims.Members() {
		var buf [40]byte
		if name := string(foldName(&buf, m.Name)); name == "chatid" {
			v.actual += "; " + quote(m.Name) + " stands beside it"
			return v.as(ChatElsewhere)
		}
		if strings.EqualFold(m.Name, "chat") && m.Value.Kind() == Object {
			v.actual += "; " + quote(m.Name) + " is there"
			return v.as(NamesInCapitals)
		}
	}
	if name := s.nested("chat"); name != "" {
		v.actual += "; it stands within " + quote(name)
		return v.as(ClaimsNested)
	}
	return v
}

// nested is the claim in which a claim stands that should be one by itself; "" if there
// is none.
func (s *state) nested(claim string) string {
	for _, m := range s.token.Claims.Members() {
		if m.Value.Kind() == Object && m.Name != "chat" && m.Value.Get(claim).Exists() {
			return m.Name
		}
	}
	return ""
}

func judgeChatID(s *state) verdict {
	switch {
	case s.ChatID == "":
		return unknown("the chat id that was asked for is not known")
	case s.chat().Kind() != Object:
		return unknown("chat is no object: see TOK-CHAT")
	}
	expected := "chat.id is " + quote(s.ChatID)
	id := s.chat().Get("id")
	text, ok := id.Text()
	switch {
	case ok && text == s.ChatID:
		return held
	case !id.Exists():
		if path := s.pathOfChatID(); path != "" {
			return bad(expected, "chat.id is missing, and "+quote(path)+" has it").as(ChatIDMisnamed)
		}
		return bad(expected, "chat.id is missing").as(ChatIDNotRead)
	case id.Kind() == Null, ok && (blank(text) || leftovers[text]):
		return bad(expected, "chat.id is "+show(id)).as(ChatIDNotRead)
	case ok && strings.EqualFold(strings.TrimSpace(text), s.ChatID):
		return bad(expected, "chat.id is "+show(id)+": changed in letter case or white space").as(ChatIDChanged)
	case ok && strings.EqualFold(strings.NewReplacer("-", "", "{", "", "}", "").Replace(text), strings.ReplaceAll(s.ChatID, "-", "")):
		return bad(expected, "chat.id is "+show(id)+": written in another form of a UUID").as(ChatIDChanged)
	}
	return bad(expected, "chat.id is "+show(id))
}

// pathOfChatID is where the chat id stands that was asked for, within chat or beside
// it; "" if nowhere.
func (s *state) pathOfChatID() string {
	name := func(object Value) string {
		for _, m := range object.Members() {
			if text, ok := m.Value.Text(); ok && text == s.ChatID {
				return m.Name
			}
		}
		return ""
	}
	if within := name(s.chat()); within != "" {
		return "chat." + within
	}
	return name(s.token.Claims)
}

func judgeDomains(s *state) verdict {
	const expected = "a list of strings"
	if s.chat().Kind() != Object {
		return unknown("chat is no object: see TOK-CHAT")
	}
	domains := s.chat().Get("webhook_domains")
	switch domains.Kind() {
	case Missing:
		return held
	case List:
	default:
		return bad(expected, "chat.webhook_domains is "+show(domains))
	}
	for i, item := range domains.Members() {
		if item.Value.Kind() != String {
			return badf(expected, "chat.webhook_domains[%d] is %s", i, show(item.Value))
		}
	}
	return held
}

func judgeSecrets(s *state) verdict {
	var found listing
	findSecrets(s.token.Claims, "", &found)
	if found.n == 0 {
		return held
	}
	return bad("no secrets: all who see the token can read it", found.String()+" (values not shown)")
}

// Sizes of a token, in bytes.
const (
	goodSize = 4 << 10
	fullSize = 8 << 10 // what common servers take as one header line
)

func judgeSize(s *state) verdict {
	switch {
	case s.size > fullSize:
		return badf("at most 4096 bytes", "%d bytes: header lines over 8 KB are cut off or refused", s.size).at(rule.Must)
	case s.size > goodSize:
		return badf("at most 4096 bytes", "%d bytes", s.size)
	}
	return held
}
