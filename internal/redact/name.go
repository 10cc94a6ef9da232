package redact

import (
	"slices"
	"strings"
	"sync"
	"unicode"
)

// secretWords make a credential of a field whose name holds one of them.
var secretWords = []string{
	"token", "secret", "passw", "passphrase", "pwd", "credential", "csrf", "xsrf", "signature", "samlresponse", "assertion",
	"jwt", "hmac", "bearer", "authorization", "sessionid", "sessionkey",
	"apikey", "accesskey", "privatekey", "signingkey", "functionskey", "subscriptionkey", "accountkey", "sharedkey", "masterkey", "authkey",
}

// secretNames are whole names that mean a credential among the parameters of a
// URL, and of a form.
var secretNames = []string{
	"key", "k", "sig", "auth", "code", "authcode", "accesscode", "state", "sessionstate", "nonce", "ticket", "sid",
	"pass", "pw", "otp", "totp", "pin", "sas",
}

// publicKeys say of a key before that word that it is none to a door.
var publicKeys = []string{"bot", "public", "publishable", "site", "sort", "order", "group", "primary", "foreign", "partition", "cache", "idempotency", "websocket"}

// isSecretMember tells whether a member of JSON of the name holds a credential: session_id, accessToken, X-CSRFToken, apikey.
func isSecretMember(name string) bool {
	folded := foldName(name)
	for _, about := range []string{"algorithm", "type", "expiresin"} {
		if strings.HasSuffix(folded, about) { // Kindly-HMAC-algorithm, token_type
			return false
		}
	}
	if strings.HasPrefix(folded, "accesscontrol") { // Access-Control-Allow-Credentials
		return false
	}
	return folded == "sid" || strings.HasSuffix(folded, "session") ||
		slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(folded, word) })
}

// judged are the names that were judged before, a few: there are not many, and
// each event of a journal has a dozen.
var judged struct {
	sync.RWMutex
	names map[string]bool
}

// IsSecretName tells it of a parameter of a URL, of a field of a form or of a
// header, where logins hand things over, and gateways want their keys.
func IsSecretName(name string) bool {
	judged.RLock()
	secret, known := judged.names[name]
	judged.RUnlock()
	if known {
		return secret
	}
	secret = judgeParameter(name)
	judged.Lock()
	defer judged.Unlock()
	if judged.names == nil {
		judged.names = map[string]bool{}
	}
	if len(judged.names) < 1000 && len(name) < 100 {
		judged.names[strings.Clone(name)] = secret
	}
	return secret
}

func judgeParameter(name string) bool {
	folded := foldName(name)
	if isSecretMember(name) || strings.Contains(folded, "session") || slices.Contains(secretNames, folded) {
		return true
	}
	words := wordsOf(name)
	last := len(words) - 1
	return last > 0 && (words[last] == "auth" || words[last] == "key" && !slices.Contains(publicKeys, words[last-1]))
}

// foldName writes a name in small letters and digits only.
func foldName(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// wordsOf are the words of accessKey, access_key, access-key and user[access.key].
func wordsOf(name string) []string {
	var spaced strings.Builder
	small := false
	for _, r := range name {
		if small && unicode.IsUpper(r) {
			spaced.WriteByte(' ')
		}
		small = unicode.IsLower(r) || unicode.IsDigit(r)
		spaced.WriteRune(unicode.ToLower(r))
	}
	return strings.FieldsFunc(spaced.String(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
