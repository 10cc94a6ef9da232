package token

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// secretNames are folded names (see foldName) under which only secrets stand.
// OpenID Connect's sid and session_state are not among them: they are ids of
// sessions elsewhere, and open none.
var secretNames = map[string]string{
	"password": "a password", "passwd": "a password", "pwd": "a password", "passphrase": "a password",
	"passwordhash": "a password's hash", "hashedpassword": "a password's hash", "passwordsalt": "a password's salt",
	"secret": "a secret", "clientsecret": "a secret", "sharedsecret": "a secret", "secretkey": "a secret",
	"hmacsecret": "a secret", "webhooksecret": "a secret", "totpsecret": "a secret", "mfasecret": "a secret",
	"apikey": "an API key", "apisecret": "an API key", "apitoken": "an API key", "xapikey": "an API key",
	"privatekey": "a private key", "signingkey": "a private key", "encryptionkey": "a private key",
	"sessionid": "a session id", "sessionkey": "a session id", "sessiontoken": "a session id",
	"sessioncookie": "a session id", "jsessionid": "a session id", "phpsessid": "a session id", "connectsid": "a session id",
	"setcookie":   "a cookie",
	"accesstoken": "a token", "refreshtoken": "a token", "idtoken": "a token", "authtoken": "a token",
	"bearertoken": "a token", "logintoken": "a token", "csrftoken": "a token", "xsrftoken": "a token",
	"connectionstring": "a password",
}

// ambiguousNames hold a secret only if the value could be one: a session may
// be the morning's.
var ambiguousNames = map[string]string{
	"session": "a session id", "cookie": "a cookie", "cookies": "a cookie", "token": "a token",
	"authorization": "a token", "credential": "a secret", "credentials": "a secret",
}

// shortestOpaque is the length from which one word under an ambiguous name
// counts as a secret.
const shortestOpaque = 16

// secretEndings make a secret of whatever goes before: db_password.
var secretEndings = []string{"password", "secret", "apikey", "privatekey", "accesstoken", "refreshtoken", "sessionid"}

// findSecrets collects the paths of claims that hold a secret, by their name or
// by their shape. It never looks at how random a value is: ids are random too.
func findSecrets(v Value, path string, found *listing) {
	for _, m := range v.Members() {
		what := ""
		switch m.Value.Kind() {
		case String:
			if what = secretShape(m.Value.text); what == "" {
				what = secretName(m.Name, m.Value.text)
			}
		case Object:
			if what = privateJWK(m.Value); what == "" {
				findSecrets(m.Value, join(path, m.Name), found)
			}
		case List:
			findSecrets(m.Value, join(path, m.Name), found)
		}
		if what != "" {
			found.add(quote(join(path, m.Name)) + " holds " + what)
		}
	}
}

// secretName names what a string under that name is.
func secretName(name, text string) string {
	var buf [40]byte
	folded := foldName(&buf, name)
	what, ok := secretNames[string(folded)]
	if !ok {
		what = secretEnding(folded)
	}
	if what == "" && len(text) >= shortestOpaque && isOpaque(text) {
		what = ambiguousNames[string(folded)]
	}
	if what == "" || !couldBeSecret(text) {
		return ""
	}
	return what
}

func secretEnding(folded []byte) string {
	for _, ending := range secretEndings {
		if len(folded) > len(ending) && string(folded[len(folded)-len(ending):]) == ending {
			return secretNames[ending]
		}
	}
	return ""
}

// couldBeSecret leaves out what only speaks of a secret: a date it was changed,
// a page to reset it, whether there is one.
func couldBeSecret(text string) bool {
	switch strings.ToLower(text) {
	case "", "true", "false", "yes", "no", "none", "null", "set", "unset", "active", "inactive":
		return false
	}
	return !strings.HasPrefix(text, "https://") && !strings.HasPrefix(text, "http://")
}

// tokenPrefixes are those that issuers of keys chose, so that leaked ones can
// be found; min is the shortest length of a real one.
var tokenPrefixes = []struct {
	prefix string
	min    int
	what   string
}{
	{"ghp_", 40, "a GitHub token"}, {"gho_", 40, "a GitHub token"}, {"ghu_", 40, "a GitHub token"},
	{"ghs_", 40, "a GitHub token"}, {"ghr_", 40, "a GitHub token"}, {"github_pat_", 40, "a GitHub token"},
	{"glpat-", 20, "a GitLab token"}, {"npm_", 40, "an npm token"},
	{"sk_live_", 20, "a Stripe key"}, {"sk_test_", 20, "a Stripe key"}, {"rk_live_", 20, "a Stripe key"},
	{"whsec_", 20, "a webhook secret"},
	{"AIza", 39, "a Google key"}, {"ya29.", 30, "a Google token"},
	{"xoxb-", 20, "a Slack token"}, {"xoxp-", 20, "a Slack token"}, {"xoxa-", 20, "a Slack token"},
	{"xoxr-", 20, "a Slack token"}, {"xoxs-", 20, "a Slack token"}, {"xapp-", 20, "a Slack token"},
	{"SG.", 60, "a SendGrid key"}, {"shpat_", 30, "a Shopify token"}, {"dop_v1_", 40, "a DigitalOcean token"},
	{"hvs.", 20, "a Vault token"}, {"sk-ant-", 40, "an Anthropic key"}, {"sk-proj-", 40, "an OpenAI key"},
	{"Bearer ", 24, "an Authorization header"},
	{"$2a$", 60, "a password's hash"}, {"$2b$", 60, "a password's hash"}, {"$2y$", 60, "a password's hash"},
	{"$argon2", 30, "a password's hash"}, {"$6$", 30, "a password's hash"},
}

// shortestSecret is below the min of every prefix, and of all other shapes.
const shortestSecret = 14

// secretShape names the secret that text looks like; "" if none.
func secretShape(text string) string {
	if len(text) < shortestSecret {
		return ""
	}
	switch text[0] {
	case 'g', 'n', 's', 'r', 'w', 'A', 'y', 'x', 'S', 'd', 'h', 'B', '$':
		for _, p := range tokenPrefixes {
			if len(text) >= p.min && strings.HasPrefix(text, p.prefix) && isOpaque(text[len(p.prefix):]) {
				return p.what
			}
		}
	case 'e':
		if isJWT(text) {
			return "another token"
		}
	}
	switch {
	case isAWSKey(text):
		return "an AWS key"
	case isBasic(text):
		return "an Authorization header"
	case strings.Contains(text, "-----BEGIN ") && strings.Contains(text, "PRIVATE KEY-----"):
		return "a private key"
	case hasPassword(text):
		return "a URL with a password"
	}
	return ""
}

// isOpaque: one word of the characters that keys are made of.
func isOpaque(s string) bool {
	for i := range len(s) {
		if c := s[i]; !alphabet[c] && c != '$' && c != ',' {
			return false
		}
	}
	return s != ""
}

// isAWSKey says whether text is the id of an access key, which words may begin like.
func isAWSKey(text string) bool {
	return len(text) == 20 && (strings.HasPrefix(text, "AKIA") || strings.HasPrefix(text, "ASIA")) &&
		!strings.ContainsFunc(text, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') })
}

// isBasic says whether text is user:password as an Authorization header has it.
func isBasic(text string) bool {
	encoded, ok := strings.CutPrefix(text, "Basic ")
	if !ok {
		return false
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	return err == nil && utf8.Valid(b) && bytes.ContainsRune(b, ':')
}

// isJWT says whether text is a signed or encrypted JWT.
func isJWT(text string) bool {
	if !strings.HasPrefix(text, "eyJ") || strings.Count(text, ".") < 2 {
		return false
	}
	first, _, _ := strings.Cut(text, ".")
	b, _, ok := decodeBase64URL(first)
	if !ok {
		return false
	}
	v, err := parseJSON(string(b))
	return err == nil && v.Get("alg").Exists()
}

// privateJWK says whether v is a JWK with its private or symmetric part.
func privateJWK(v Value) string {
	if v.Get("kty").Kind() == String && (v.Get("d").Kind() == String || v.Get("k").Kind() == String) {
		return "a private key (JWK)"
	}
	return ""
}

// hasPassword says whether text is a URL with user:password@.
func hasPassword(text string) bool {
	_, rest, ok := strings.Cut(text, "://")
	if !ok {
		return false
	}
	authority, _, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(authority, '@')
	return at > 0 && strings.Contains(authority[:at], ":")
}
