package token

import (
	"net/url"
	"strings"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// userRules judge who the token says the user is.
var userRules = []judgedRule{
	{rule.Rule{
		ID: "TOK-ISS", Level: rule.Should, Fidelity: rule.Documented, Code: "mint",
		Text:   "iss is a non-empty string.",
		Source: rule.ChatAuthentication,
		Fix:    "Set iss to a name of your service, such as its domain.",
		Broken: "The token does not say who issued it.",
		Why:    "It says which of your systems signed. With two of them, or a staging key that got about, it is the only way to tell them apart.",
		Kindly: "iss stands in its table of claims; both of its server samples leave it out.",
	}, needForm | needClaims, func(s *state) verdict { return judgeText("iss", s.claim("iss")) }},
	{rule.Rule{
		ID: "TOK-SUB", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:    "sub is a non-empty string.",
		Source:  rule.ChatAuthentication,
		Fix:     "Set sub to your id of the logged-in user, as a string (also where it is a number to you).",
		Broken:  "The token does not say who the user is.",
		Why:     "sub is who it is. Without it, or as a number that a parser rounds, your webhook has to guess, and one user may get another's data.",
		Refused: rule.Documented,
	}, needForm | needClaims, judgeSub},
	{rule.Rule{
		ID: "TOK-SUB-PRIVATE", Level: rule.Should, Fidelity: rule.Assumed, Code: "mint",
		Text:   "sub is not an e-mail address, phone number or national identity number: the token is readable by all who see it.",
		Source: rfc7519Privacy,
		Fix:    "Use an opaque id, such as the database's key of the user.",
		Broken: "The token's sub is personal data that every reader of the token sees.",
		Why:    "A token is signed, not encrypted: everybody who sees it reads it, logs included. Addresses and national identity numbers don't belong there, and addresses change.",
	}, needForm | needClaims, judgeSubPrivate},
	{rule.Rule{
		ID: "TOK-NAME", Level: rule.Should, Fidelity: rule.Documented, Code: "mint",
		Text:   "name, if present, is a non-empty string; without it the Inbox shows nobody.",
		Source: rule.ChatAuthentication,
		Fix:    "Set name to the user's full name, or leave it out.",
		Broken: "The token's name shows nobody.",
		Why:    "An agent who sees no name does not know whom they talk to, and asks for what you know already.",
		Kindly: "The name is shown in Chat and Inbox.",
	}, needForm | needClaims, judgeName},
	{rule.Rule{
		ID: "TOK-EMAIL", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:   "email, if present, is a string that is an e-mail address.",
		Source: rule.ChatAuthentication,
		Fix:    "Set email to the address alone (ada@example.com), or leave it out.",
		Broken: "The token's email is no e-mail address.",
		Why:    "An agent answers to that address. If it is a list, a name or nothing, the answer goes nowhere, or to somebody else.",
		Kindly: "The address is shown; only a verified one is stored.",
	}, needForm | needClaims, judgeEmail},
	{rule.Rule{
		ID: "TOK-EMAIL-VERIFIED", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:   `email_verified, if present, is a boolean, not "true" or 1.`,
		Source: rule.ChatAuthentication,
		Fix:    "Write it as a JSON boolean: true or false, without quotes.",
		Broken: "email_verified is no boolean.",
		Why:    "The text \"false\" counts as true in many languages. An address that nobody has proven to be theirs is then taken for proven.",
	}, needForm | needClaims, func(s *state) verdict { return judgeBool(s, "email_verified") }},
	{rule.Rule{
		ID: "TOK-EMAIL-STORED", Level: rule.Should, Fidelity: rule.Documented, Code: "mint",
		Text:   "An email comes with email_verified: true; otherwise Kindly shows it and does not store it.",
		Source: rule.ChatAuthentication,
		Fix:    "Set email_verified to true if you have verified the address; never if you have not.",
		Broken: "Kindly shows the e-mail address, and does not store it.",
		Why:    "The agent sees the address now and does not find it later, and nothing says why.",
		Kindly: "Only verified addresses are stored.",
	}, needForm | needClaims, func(s *state) verdict { return judgeStored(s, "email", "email_verified", "TOK-EMAIL") }},
	{rule.Rule{
		ID: "TOK-PHONE", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:   "phone_number, if present, is a string; E.164 is a warning.",
		Source: rule.ChatAuthentication,
		Fix:    "Write the number in E.164, as a string: plus, country code, number, no spaces (+4722334455).",
		Broken: "The token's phone_number is no phone number in E.164.",
		Why:    "As a number it loses its plus sign and leading zeros; without the country code nobody can call it from elsewhere.",
		Kindly: "The number is shown; only a verified one is stored.",
	}, needForm | needClaims, judgePhone},
	{rule.Rule{
		ID: "TOK-PHONE-VERIFIED", Level: rule.Must, Fidelity: rule.Documented, Code: "mint",
		Text:   "phone_number_verified, if present, is a boolean.",
		Source: rule.ChatAuthentication,
		Fix:    "Write it as a JSON boolean: true or false, without quotes.",
		Broken: "phone_number_verified is no boolean.",
		Why:    "1 and \"true\" are not true: one system takes them for proof, the next for nothing.",
	}, needForm | needClaims, func(s *state) verdict { return judgeBool(s, "phone_number_verified") }},
	{rule.Rule{
		ID: "TOK-PHONE-STORED", Level: rule.Should, Fidelity: rule.Documented, Code: "mint",
		Text:   "A phone_number comes with phone_number_verified: true.",
		Source: rule.ChatAuthentication,
		Fix:    "Set phone_number_verified to true if you have verified the number; never if you have not.",
		Broken: "Kindly shows the phone number, and does not store it.",
		Why:    "The agent sees the number now and does not find it later, and nothing says why.",
		Kindly: "Only verified numbers are stored.",
	}, needForm | needClaims, func(s *state) verdict { return judgeStored(s, "phone_number", "phone_number_verified", "TOK-PHONE") }},
	{rule.Rule{
		ID: "TOK-PICTURE", Level: rule.Should, Fidelity: rule.Documented, Code: "mint",
		Text:   "picture, if present, is an absolute https URL without userinfo.",
		Source: rule.ChatAuthentication,
		Fix:    "Give the whole https URL of a picture that anyone may load, or leave it out.",
		Broken: "The token's picture can't be shown to agents.",
		Why:    "A picture that needs a login, or comes over HTTP, is a broken image beside every message; user information in its URL is a password that everybody reads.",
		Kindly: "It must be publicly reachable.",
	}, needForm | needClaims, judgePicture},
	{rule.Rule{
		ID: "TOK-CLAIM-NAMES", Level: rule.Should, Fidelity: rule.Documented, Code: "mint",
		Text: "No claim is a look-alike that Kindly ignores (avatar, phone, full_name, emailVerified, chat_id, webhookDomains, …); " +
			"say which one is meant.",
		Source: rule.ChatAuthentication,
		Fix:    "Use the names that Kindly reads, letter for letter.",
		Broken: "The token has claims whose names Kindly does not read.",
		Why:    "A misspelt claim is no error: it is allowed, and ignored. The agent sees no name, and you see nothing wrong in the token.",
		Kindly: "Any other claim is allowed beside those that it reads.",
	}, needForm | needClaims, judgeClaimNames},
}

// leftovers are what a missing value becomes when it is made a string.
var leftovers = map[string]bool{
	"undefined": true, "null": true, "NaN": true, "[object Object]": true, "<nil>": true,
	"undefined undefined": true, "null null": true, "None None": true,
}

// IsLeftover says whether a text is what a missing value becomes when it is made one.
func IsLeftover(text string) bool { return leftovers[text] || text == "None" }

// judgeText judges a claim that must be there, and be a string with something
// in it. A leftover is a doubt, not a fault: somebody's id may be "null".
func judgeText(name string, v Value) verdict {
	const expected = "a non-empty string"
	text, ok := v.Text()
	switch {
	case !v.Exists():
		return bad(expected, name+" is missing")
	case !ok:
		return bad(expected, name+" is "+show(v))
	case blank(text):
		return bad(expected, name+" is "+describeBlank(text))
	case leftovers[text]:
		return badf(expected, "%s is the text %q: a missing value that was made a string", name, text).at(rule.Should)
	}
	return held
}

// judgeSub also looks where else the user's id may stand.
func judgeSub(s *state) verdict {
	sub := s.claim("sub")
	v := judgeText("sub", sub)
	switch {
	case v.outcome != violated:
	case sub.Kind() == Number:
		return v.as(SubjectAsNumber)
	case !sub.Exists() || sub.Kind() == Null || v.level == "":
		if name := s.nested("sub"); name != "" && !sub.Exists() {
			v.actual += "; it stands within " + quote(name)
			return v.as(ClaimsNested)
		}
		if name := s.substituteOf("sub"); name != "" {
			v.actual += "; " + quote(name) + " may be it"
			return v.as(SubjectElsewhere)
		}
	}
	return v
}

func describeBlank(text string) string {
	if text == "" {
		return "an empty string"
	}
	return "white space only"
}

func judgeSubPrivate(s *state) verdict {
	sub, ok := s.claim("sub").Text()
	if !ok {
		return unknown("sub is no string: see TOK-SUB")
	}
	if what := personalID(sub); what != "" {
		return bad("an id that says nothing to strangers", "sub looks like "+what+" (not shown)")
	}
	return held
}

func judgeName(s *state) verdict {
	if v := s.claim("name"); v.Exists() {
		return judgeText("name", v)
	}
	return held
}

func judgeEmail(s *state) verdict {
	const expected = "an e-mail address, as a string"
	v := s.claim("email")
	text, ok := v.Text()
	if !v.Exists() || ok && isEmail(text) {
		return held
	}
	if v.Kind() == Null {
		return bad(expected, "email is null").fixedBy("Leave email out where the user has none.")
	}
	return bad(expected, "email is "+show(v))
}

func judgeBool(s *state, name string) verdict {
	v := s.claim(name)
	if !v.Exists() || v.Kind() == Bool {
		return held
	}
	return bad("true or false", name+" is "+show(v))
}

// judgeStored judges whether Kindly will store what a claim says.
func judgeStored(s *state, name, flag, form string) verdict {
	v, verified := s.claim(name), s.claim(flag)
	switch {
	case !v.Exists():
		return held
	case v.Kind() != String, name == "email" && !isEmail(v.text):
		return unknown(name + " is not what it should be: see " + form)
	case verified.Exists() && verified.Kind() != Bool:
		return unknown(flag + " is no boolean: see " + form + "-VERIFIED")
	case isTrue(verified):
		return held
	}
	return bad(flag+": true", flag+" is "+describe(verified))
}

func judgePhone(s *state) verdict {
	const expected = "a phone number in E.164 (+4722334455), as a string"
	v := s.claim("phone_number")
	text, ok := v.Text()
	switch {
	case !v.Exists() || ok && isE164(text):
		return held
	case ok:
		return bad(expected, "phone_number is "+show(v)).at(rule.Should)
	case v.Kind() == Null:
		return bad(expected, "phone_number is null").fixedBy("Leave phone_number out where the user has none.")
	}
	return bad(expected, "phone_number is "+show(v))
}

func judgePicture(s *state) verdict {
	const expected = "an absolute https URL"
	v := s.claim("picture")
	text, ok := v.Text()
	switch {
	case !v.Exists():
		return held
	case !ok:
		return bad(expected, "picture is "+show(v))
	case strings.HasPrefix(text, "data:"):
		return badf(expected, "picture is the picture itself (a data: URL of %d bytes)", len(text))
	}
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme == "", u.Hostname() == "" && u.Opaque == "":
		return bad(expected, "picture is "+show(v))
	case u.User != nil:
		return bad(expected+" without userinfo", "picture has a user name or password in it (not shown)")
	case u.Scheme != "https", u.Hostname() == "":
		return bad(expected, "picture is "+show(v))
	}
	return held
}
