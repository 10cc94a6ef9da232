package token

import (
	"strings"
	"testing"
)

// claimsURI is before the names that .NET's ClaimTypes have.
const claimsURI = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"

func TestLookalikesAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		change object
		want   string // "" if nothing is to be said
	}{
		"avatar":                         {object{"avatar": "https://x.example/a"}, `"avatar" (meant is picture)`},
		"photoURL":                       {object{"photoURL": "https://x.example/a"}, "picture"},
		"image":                          {object{"image": "https://x.example/a"}, "picture"},
		"phone":                          {object{"phone": "+4799999999"}, "phone_number"},
		"phoneNumber":                    {object{"phoneNumber": "+4799999999"}, "phone_number"},
		"phoneVerified":                  {object{"phoneVerified": false}, "phone_number_verified"},
		"full_name":                      {object{"full_name": "A. L."}, "name"},
		"fullName":                       {object{"fullName": "A. L."}, "name"},
		"displayName":                    {object{"displayName": "A. L."}, "name"},
		"mail":                           {object{"mail": "a@example.com"}, "email"},
		"emailAddress":                   {object{"emailAddress": "a@example.com"}, "email"},
		"Email beside email":             {object{"Email": "ada@example.com"}, `"Email" (meant is email)`},
		"emailVerified":                  {object{"emailVerified": false}, "email_verified"},
		"emailVerified alone":            {object{"email_verified": remove, "emailVerified": true}, "email_verified"},
		"chat_id":                        {object{"chat_id": "other"}, "chat.id"},
		"chatId alone":                   {object{"chatId": chatID, "chat": remove}, "chat.id"},
		"chat.id as one name":            {object{"chat.id": "other"}, `a claim named "chat.id" (meant is id within chat)`},
		"webhookDomains":                 {object{"webhookDomains": []string{}}, "chat.webhook_domains"},
		"webhook_domains at the top":     {object{"webhook_domains": []string{}}, "chat.webhook_domains"},
		"chat.chat_id":                   {inChat(object{"chat_id": "x"}), `"chat.chat_id" (meant is chat.id)`},
		"chat.webhookDomains":            {inChat(object{"webhookDomains": []string{}}), "chat.webhook_domains"},
		"chat.ID":                        {inChat(object{"ID": chatID}), "chat.id"},
		"Chat":                           {object{"Chat": object{"id": chatID}}, "meant is chat"},
		"EXP beside exp":                 {object{"EXP": 1}, `"EXP" (meant is exp)`},
		"expiresAt without exp":          {object{"expiresAt": 1, "exp": remove}, "meant is exp"},
		"userId without sub":             {object{"userId": "u", "sub": remove}, "meant is sub"},
		"uid without sub":                {object{"uid": "u", "sub": remove}, "meant is sub"},
		"issuedAt without iat":           {object{"issuedAt": 1, "iat": remove}, "meant is iat"},
		"external_id without sub":        {object{"external_id": "u", "sub": remove}, `"external_id" (meant is sub)`},
		"user_id without sub":            {object{"user_id": "u", "sub": remove}, `"user_id" (meant is sub)`},
		"username without sub":           {object{"username": "ada", "sub": remove}, `"username" (meant is sub)`},
		"nickname without name":          {object{"nickname": "Ada", "name": remove}, `"nickname" (meant is name)`},
		".NET's nameid":                  {object{"nameid": "u", "sub": remove}, `"nameid" (meant is sub)`},
		".NET's unique_name":             {object{"unique_name": "ada", "name": remove}, `"unique_name" (meant is name)`},
		".NET's URI of the id":           {object{claimsURI + "nameidentifier": "u", "sub": remove}, `nameidentifier" (meant is sub)`},
		".NET's URI of the address":      {object{claimsURI + "emailaddress": "a@example.com", "email": remove}, `emailaddress" (meant is email)`},
		".NET's URI of the name":         {object{claimsURI + "name": "Ada", "name": remove}, `name" (meant is name)`},
		"URIs beside what is meant":      {object{claimsURI + "nameidentifier": "u", claimsURI + "name": "ada", "https://shop.example/email": "work@example.com"}, ""},
		"unique_name beside name":        {object{"unique_name": "ada", "nameid": "u"}, ""},
		"external_id beside sub":         {object{"external_id": "x"}, ""},
		"userId beside sub":              {object{"userId": "u"}, ""},
		"expiresAt beside exp":           {object{"expiresAt": 1}, ""},
		"username":                       {object{"username": "ada"}, ""},
		"names of parts":                 {object{"first_name": "Ada", "given_name": "Ada", "nickname": "A"}, ""},
		"a copy under another name":      {object{"avatar": "https://shop.example/a/4711.png", "chatId": chatID}, ""},
		"a very long name":               {object{strings.Repeat("_", 99) + "avatar": 1}, ""},
		"other members of chat":          {inChat(object{"topic": "order", "language": "nb"}), ""},
		"names that only fold to nought": {object{"_": 1, "": 2}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			v, violated := Check(mint(c.change), expect()).Violation("TOK-CLAIM-NAMES")
			if violated != (c.want != "") || !strings.Contains(v.Actual, c.want) {
				t.Errorf("says %q, want something with %q", v.Actual, c.want)
			}
		})
	}
}
