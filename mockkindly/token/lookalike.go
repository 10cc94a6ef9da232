package token

import (
	"slices"
	"strings"
)

// lookalikes maps folded names (see foldName) to the claim that is meant.
// Folding catches every spelling of the claim's own name as well.
var lookalikes = map[string]string{
	"name": "name", "fullname": "name", "displayname": "name",
	"email": "email", "mail": "email", "emailaddress": "email", "useremail": "email",
	"emailverified": "email_verified", "isemailverified": "email_verified", "verifiedemail": "email_verified",
	"emailisverified": "email_verified", "emailconfirmed": "email_verified", "emailaddressverified": "email_verified",
	"phonenumber": "phone_number", "phone": "phone_number", "mobile": "phone_number", "mobilephone": "phone_number",
	"mobilenumber": "phone_number", "telephone": "phone_number", "msisdn": "phone_number",
	"phonenumberverified": "phone_number_verified", "phoneverified": "phone_number_verified",
	"isphoneverified": "phone_number_verified", "mobileverified": "phone_number_verified",
	"picture": "picture", "avatar": "picture", "avatarurl": "picture", "photo": "picture", "photourl": "picture",
	"image": "picture", "imageurl": "picture", "pictureurl": "picture", "profilepicture": "picture",
	"profileimage": "picture", "profilephoto": "picture", "profilepictureurl": "picture", "profileimageurl": "picture",
	"chat": "chat", "chatid": "chat.id",
	"webhookdomains": "chat.webhook_domains", "webhookdomain": "chat.webhook_domains",
	"chatwebhookdomains": "chat.webhook_domains",
	"iat":                "iat", "exp": "exp", "nbf": "nbf", "iss": "iss", "sub": "sub",
}

// substitutes are ordinary claims that are suspicious only where the one they
// may stand for is missing.
var substitutes = map[string]string{
	"userid": "sub", "uid": "sub", "subject": "sub", "customerid": "sub", "externalid": "sub", "externaluserid": "sub",
	"username": "sub", "login": "sub", "user": "sub", "id": "sub", "accountid": "sub", "memberid": "sub", "personid": "sub",
	"preferredusername": "sub", "nameid": "sub", "nameidentifier": "sub",
	"uniquename": "name", "nickname": "name", "givenname": "name", "firstname": "name",
	"expires": "exp", "expiresat": "exp", "expiry": "exp", "expiration": "exp", "expirationtime": "exp",
	"issuedat": "iat", "issuer": "iss",
}

// chatLookalikes are the same within chat.
var chatLookalikes = map[string]string{
	"id": "id", "chatid": "id",
	"webhookdomains": "webhook_domains", "webhookdomain": "webhook_domains", "chatwebhookdomains": "webhook_domains",
	"domains": "webhook_domains", "webhooks": "webhook_domains", "alloweddomains": "webhook_domains",
	"domainwhitelist": "webhook_domains", "domainallowlist": "webhook_domains", "whitelist": "webhook_domains",
}

// substituteOf returns the name of the first claim that may stand for another.
func (s *state) substituteOf(right string) string {
	for _, m := range s.token.Claims.Members() {
		var buf [40]byte
		if m.Value.Kind() != Null && substitutes[string(foldName(&buf, m.Name))] == right {
			return m.Name
		}
	}
	return ""
}

func judgeClaimNames(s *state) verdict {
	var found listing
	findLookalikes(s.token.Claims, "", lookalikes, &found, func(m Member, right string) bool {
		return harmless(m, right, s.meant(right))
	})
	findLookalikes(s.token.Claims, "", substitutes, &found, func(_ Member, right string) bool {
		return s.claim(right).Exists()
	})
	findLookalikes(s.chat(), "chat.", chatLookalikes, &found, func(m Member, right string) bool {
		return harmless(m, right, s.chat().Get(right))
	})
	if found.n == 0 {
		return held
	}
	v := bad("the names that Kindly reads", "Kindly ignores "+found.String())
	if s.domainsElsewhere() {
		return v.as(DomainsElsewhere)
	}
	return v
}

// domainsElsewhere says whether the list of domains is there, and not where Kindly
// reads it.
func (s *state) domainsElsewhere() bool {
	named := func(object Value, table map[string]string, right string) bool {
		return slices.ContainsFunc(object.Members(), func(m Member) bool {
			var buf [40]byte
			return table[string(foldName(&buf, m.Name))] == right && m.Value.Kind() == List
		})
	}
	return !s.chat().Get("webhook_domains").Exists() &&
		(named(s.chat(), chatLookalikes, "webhook_domains") || named(s.token.Claims, lookalikes, "chat.webhook_domains"))
}

// meant returns the claim of that name, also within chat.
func (s *state) meant(name string) Value {
	if inner, ok := strings.CutPrefix(name, "chat."); ok {
		return s.chat().Get(inner)
	}
	return s.claim(name)
}

func findLookalikes(object Value, path string, table map[string]string, found *listing, fine func(m Member, right string) bool) {
	for _, m := range object.Members() {
		var buf [40]byte
		right, ok := table[string(foldName(&buf, m.Name))]
		_, inner, dotted := strings.Cut(right, ".")
		switch {
		case !ok || fine(m, right) || m.Name == right && !dotted:
		case m.Name == right:
			found.add("a claim named " + quote(m.Name) + " (meant is " + inner + " within chat)")
		default:
			found.add(quote(path+m.Name) + " (meant is " + path + right + ")")
		}
	}
}

// harmless says whether m only repeats what the claim that is meant says, or has the
// name of another reader's claim, a URI: some tokens serve other readers too. Another
// letter case is never harmless, since some parsers cannot tell the two apart.
func harmless(m Member, right string, meant Value) bool {
	return meant.Exists() && (meant.JSON() == m.Value.JSON() || isURI(m.Name)) && !strings.EqualFold(m.Name, right)
}
