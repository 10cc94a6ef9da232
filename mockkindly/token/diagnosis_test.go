package token

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mistaken is a token as people make it by one mistake, and what must be said.
type mistaken struct {
	name   string
	raw    Raw
	want   Diagnosis
	in     []string // the violations that come from it
	say    string   // in what was seen
	fix    string   // in the fix
	unsaid string   // nowhere in the fix
}

func hs256(secret string) Raw {
	text := b64(`{"alg":"HS256","typ":"JWT"}`) + "." + b64(mintJSON(nil))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return Raw(text + "." + b64(string(mac.Sum(nil))))
}

func rs512(k *rsa.PrivateKey) Raw {
	text := b64(`{"alg":"RS512","typ":"JWT"}`) + "." + b64(mintJSON(nil))
	h := crypto.SHA512.New()
	h.Write([]byte(text))
	sig, err := rsa.SignPKCS1v15(nil, k, crypto.SHA512, h.Sum(nil))
	if err != nil {
		panic(err)
	}
	return Raw(text + "." + b64(string(sig)))
}

// ofProvider names no chat, and is signed by something else than RSA.
func ofProvider(alg string, size int, claims object) Raw {
	claims = maps.Clone(claims)
	if claims["chat"] == nil {
		claims["chat"] = remove
	}
	return Raw(b64(`{"alg":"`+alg+`","typ":"JWT"}`) + "." + b64(mintJSON(claims)) + "." + b64(strings.Repeat("\x01", size)))
}

// signedOver signs something else than header.payload.
func signedOver(what string) Raw {
	digest := sha256.Sum256([]byte(what))
	sig, err := rsa.SignPKCS1v15(rand.Reader, keys().private, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return Raw(b64(`{"alg":"RS256","typ":"JWT"}`) + "." + b64(mintJSON(nil)) + "." + b64(string(sig)))
}

// hashedWith is signed by the right key, over another hash than the header names.
func hashedWith(hash crypto.Hash) Raw {
	text := b64(`{"alg":"RS256","typ":"JWT"}`) + "." + b64(mintJSON(nil))
	h := hash.New()
	h.Write([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, keys().private, hash, h.Sum(nil))
	if err != nil {
		panic(err)
	}
	return Raw(text + "." + b64(string(sig)))
}

// compressed is what jjwt's compressWith(GZIP) writes.
func compressed() Raw {
	text := b64(`{"alg":"RS256","zip":"GZIP"}`) + "." + b64("\x1f\x8b\x08\x00\x00")
	digest := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, keys().private, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return Raw(text + "." + b64(string(sig)))
}

func withPSS() Raw {
	text := b64(`{"alg":"RS256","typ":"JWT"}`) + "." + b64(mintJSON(nil))
	digest := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPSS(rand.Reader, keys().private, crypto.SHA256, digest[:], nil)
	if err != nil {
		panic(err)
	}
	return Raw(text + "." + b64(string(sig)))
}

func withoutDigestInfo() Raw {
	text := b64(`{"alg":"RS256","typ":"JWT"}`) + "." + b64(mintJSON(nil))
	digest := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, keys().private, crypto.Hash(0), digest[:])
	if err != nil {
		panic(err)
	}
	return Raw(text + "." + b64(string(sig)))
}

func handedOn() []mistaken {
	sound := mint(nil).Secret()
	cut := strings.LastIndex(sound, ".") + 1
	sig, _ := base64.RawURLEncoding.DecodeString(sound[cut:])
	compact := one("TOK-COMPACT")
	return []mistaken{
		{"a Python bytes literal", Raw("b'" + sound + "'"), PythonBytes, compact, "b'…'", `decode("ascii")`, "no encoding of your own"},
		{"a Python bytes literal in JSON twice", Raw(`"b'` + sound + `'"`), InQuotes, compact, "quotes", "response.json()", ""},
		{"quotes", Raw(`"` + sound + `"`), InQuotes, compact, "quotes", "response.json()", "encoding"},
		{"quotes that are escaped", Raw(`\"` + sound + `\"`), InQuotes, compact, "quotes", "response.json()", ""},
		{"the whole answer", Raw(`{"token": "` + sound + `"}`), InJSON, compact, `member "token"`, "return token", ""},
		{"an answer with another name", Raw(`{"jwt":"` + sound + `"}`), InJSON, compact, `member "jwt"`, "member", ""},
		{"an answer in an envelope", Raw(`{"data":{"access_token":"` + sound + `"}}`), InJSON, compact, `"data.access_token"`, "member", ""},
		{"Bearer", Raw("Bearer " + sound), WithBearer, compact, "Authorization", "alone", ""},
		{"a line end", Raw(sound + "\n"), WithSpace, compact, "line end", "trim", ""},
		{"base64 once more", Raw(base64.StdEncoding.EncodeToString([]byte(sound))), Base64Twice, compact, "base64", "as", ""},
		{"base64 of it with a line end", Raw(base64.StdEncoding.EncodeToString([]byte(sound + "\n"))), Base64Twice, compact, "base64", "", ""},
		{"URL-encoded quotes", Raw(url.QueryEscape(`"` + sound + `"`)), PercentEncoded, compact, "URL-encoded", "decodeURIComponent", ""},
		{"a login page", "<!DOCTYPE html>\n<html lang=\"en\"><title>Log in 100%25</title></html>", HTMLForToken, compact, "HTML", "login page", "trim"},
		{"an error's text", "Internal Server Error", TextForToken, compact, "some text", "response.ok", "trim"},
		{"an error as JSON", `{"error":"not logged in"}`, TextForToken, compact, "holds none", "response.ok", "member"},
		{"a promise made text", "[object Promise]", NotAwaited, compact, "[object Promise]", "await", ""},
		{"a missing member made text", "undefined", MissingMadeText, compact, "undefined", "null", ""},
		{"a session id", "9f86d081884c7d659a2feaa0c55ad015", Opaque, compact, "no dot", "JWT", ""},
		{"a signature in hex", Raw(sound[:cut] + hex.EncodeToString(sig)), SignatureInHex, one("TOK-SIGNATURE"), "hex", "bytes", "openssl rsa"},
		{"a signature in base64 twice", Raw(sound[:cut] + b64(base64.StdEncoding.EncodeToString(sig))), SignatureInHex, one("TOK-SIGNATURE"), "base64", "bytes", "openssl rsa"},
		{"100 bytes of the signature are left", Raw(sound[:cut] + b64(string(sig[:100]))), CutOff, one("TOK-SIGNATURE"), "100 bytes", "too short", "openssl rsa"},
		{"the signature ends within a byte", Raw(sound[:len(sound)-5]), CutOff, []string{"TOK-COMPACT", "TOK-SIGNATURE"}, "length", "too short", "openssl rsa"},
		{"a column of 255 characters", Raw(sound[:255]), CutOff, []string{"TOK-COMPACT", "TOK-JSON"}, "payload ends in the middle", "too short", ""},
		{"the payload ends within a byte", Raw(sound[:strings.Index(sound, ".")+102]), CutOff, compact, "payload ends in the middle", "too short", ""},
		{"cut off", Raw(sound[:len(sound)-6]), CutOff, one("TOK-SIGNATURE"), "cut off", "too short", "openssl rsa"},
	}
}

func signedWrongly() []mistaken {
	sound := mint(nil).Secret()
	cut := strings.LastIndex(sound, ".")
	both := []string{"TOK-ALG", "TOK-SIGNATURE"}
	const upload = "ublic half"
	return []mistaken{
		{"HS256", hs256("secret"), HMAC, both, "shared secret", `algorithm: "RS256"`, upload},
		{"HS256 by another name", Raw(strings.Replace(hs256("s").Secret(), b64(`{"alg":"HS256","typ":"JWT"}`), b64(`{"alg":"RS256","typ":"JWT"}`), 1)),
			HMAC, one("TOK-SIGNATURE"), "HMAC", "RS256", upload},
		{"HS256 whose secret is the public key", hs256(string(publicKeyAsSecret(keys().key.Public)[2])), HMACPublicKey, both, "", "no secret", upload},
		{"a payload that is compressed", compressed(), Compressed, one("TOK-JSON"), "zip", "jjwt", upload},
		{"none", Raw(b64(`{"alg":"none"}`) + "." + b64(mintJSON(nil)) + "."), Unsigned, both, "", "Sign with RS256", upload},
		{"RS512", rs512(keys().private), OtherAlgorithm, both, "RS512", "the key may stay", upload},
		{"ES256", Raw(b64(`{"alg":"ES256"}`) + "." + b64(mintJSON(nil)) + "." + b64(strings.Repeat("\x01", 64))), OtherKeyType, both, "ES256", "RSA key", "only the name"},
		{"another of the known keys", signedBy(keys().otherPrivate, mintJSON(nil)), OtherKnownKey, one("TOK-SIGNATURE"), `"other.pem"`, "uploaded key", ""},
		{"an access token of an identity provider", signedBy(keys().small, mintJSON(object{"chat": remove, "scope": "openid profile", "azp": "shop"})), ForAnotherService,
			one("TOK-SIGNATURE"), "names no chat", "token of your own", "openssl"},
		{"Supabase's access token", ofProvider("HS256", 32, object{"aud": "authenticated", "role": "authenticated", "aal": "aal1"}), ForAnotherService, both, "names no chat", "token of your own", `algorithm: "RS256"`},
		{"Supabase's access token by an asymmetric key", ofProvider("ES256", 64, object{"amr": []any{object{"method": "password"}}}), ForAnotherService, both, "names no chat", "token of your own", "genrsa"},
		{"Passport's access token", signedBy(keys().small, mintJSON(object{"chat": remove, "scopes": []string{}})), ForAnotherService, one("TOK-SIGNATURE"), "names no chat", "token of your own", upload},
		{"Entra's ID token", signedBy(keys().small, mintJSON(object{"chat": remove, "oid": "x", "tid": "y"})), ForAnotherService, one("TOK-SIGNATURE"), "names no chat", "token of your own", upload},
		{"Auth0's token without an audience", Raw(b64(`{"alg":"dir","enc":"A256GCM","iss":"https://shop.eu.auth0.com/"}`) + "..aXY.dGV4dA.dGFn"), ForAnotherService, one("TOK-COMPACT"), "issued", "token of your own", "RS256"},
		{"a team's own token with scopes, HS256", ofProvider("HS256", 32, object{"scopes": []string{}, "chat": object{"id": chatID}}), HMAC, both, "shared secret", `algorithm: "RS256"`, upload},
		{"claims changed after signing", Raw(b64(`{"alg":"RS256","typ":"JWT"}`) + "." + b64(mintJSON(object{"sub": "u-1"})) + sound[cut:]),
			ChangedAfterSigning, one("TOK-SIGNATURE"), "changed after signing", "change nothing", "ublic half"},
		{"the payload is signed only", signedOver(b64(mintJSON(nil))), HandMadeSignature, one("TOK-SIGNATURE"), "the payload only", "library", upload},
		{"echo has written a line end", signedOver(b64(`{"alg":"RS256","typ":"JWT"}`) + "." + b64(mintJSON(nil)) + "\n"), HandMadeSignature, one("TOK-SIGNATURE"), "line end behind it", "nothing behind it", upload},
		{"base64 was signed in lines, and they were joined", signedOver(lines(b64(`{"alg":"RS256","typ":"JWT"}`)) + "." + lines(b64(mintJSON(nil)))), HandMadeSignature, one("TOK-SIGNATURE"), "broken into lines", "nothing behind it", upload},
		{"a hash is hashed again", signedOver(hashOf(b64(`{"alg":"RS256","typ":"JWT"}`) + "." + b64(mintJSON(nil)))), HandMadeSignature, one("TOK-SIGNATURE"), "MessageType DIGEST", "hashed once", upload},
		{"the JSON is signed", signedOver(`{"alg":"RS256","typ":"JWT"}.` + mintJSON(nil)), HandMadeSignature, one("TOK-SIGNATURE"), "before they were encoded", "library", upload},
		{"SHA-512 under the name of RS256", hashedWith(crypto.SHA512), HandMadeSignature, one("TOK-SIGNATURE"), "with SHA-512", "library", "after signing"},
		{"SHA-1 under the name of RS256", hashedWith(crypto.SHA1), HandMadeSignature, one("TOK-SIGNATURE"), "with SHA-1", "library", "after signing"},
		{"PSS under the name of RS256", withPSS(), HandMadeSignature, one("TOK-SIGNATURE"), "PS256", "library", upload},
		{"a hash encrypted with the key", withoutDigestInfo(), HandMadeSignature, one("TOK-SIGNATURE"), "DigestInfo", "openssl dgst", upload},
	}
}

func badlyTimed() []mistaken {
	hour := 3600
	times := func(iat, exp int) Raw { return mint(object{"iat": secs(iat), "exp": secs(exp)}) }
	skew := []string{"TOK-IAT-SKEW"}
	late := []string{"TOK-EXP-FUTURE", "TOK-IAT-SKEW"}
	return []mistaken{
		{"milliseconds", mint(object{"iat": now.UnixMilli(), "exp": now.UnixMilli() + 300_000}), Milliseconds, []string{"TOK-IAT", "TOK-EXP"}, "milliseconds", "1000", "900"},
		{"ticks of .NET", mint(object{"iat": now.Unix()*1e7 + ticksTo1970, "exp": (now.Unix()+300)*1e7 + ticksTo1970}), Milliseconds, []string{"TOK-IAT", "TOK-EXP"}, ".NET's ticks", "not Ticks", "900"},
		{"milliseconds in nbf", mint(object{"nbf": now.UnixMilli()}), Milliseconds, one("TOK-NBF"), "milliseconds", "1000", "minus a minute"},
		{"text", mint(object{"iat": fmt.Sprint(secs(0))}), TimeAsText, one("TOK-IAT"), "the string", "number", ""},
		{"a date", mint(object{"exp": "2030-01-02T03:10:00Z"}), TimeAsText, one("TOK-EXP"), "2030", "number", ""},
		{"a fraction, as time.time() gives it", mint(object{"iat": lit(fmt.Sprintf("%d.25", secs(0)))}), TimeWithFraction, one("TOK-IAT"), ".25", "int(time.time())", ""},
		{"a lifetime as exp", mint(object{"exp": 2000}), DurationForInstant, one("TOK-EXP"), "2000: a duration", "exp = iat + 300", "clock"},
		{"a lifetime in words", mint(object{"exp": "5m"}), DurationForInstant, one("TOK-EXP"), `"5m"`, "expiresIn", "clock"},
		{"the time since the start of the process", mint(object{"iat": 52, "exp": 352}), DurationForInstant, []string{"TOK-IAT", "TOK-EXP"}, "", "since 1970", "NTP"},
		{`expiresIn: "300"`, times(0, 0), LifetimeAsText, []string{"TOK-EXP-MAX", "TOK-EXP-FUTURE"}, "", `the text "300" as milliseconds`, "15 minutes at most"},
		{`expiresIn: "300", with a fraction`, mint(object{"exp": lit(fmt.Sprintf("%d.3", secs(0)))}), LifetimeAsText, one("TOK-EXP"), ".3", `the text "300" as milliseconds`, ""},
		{`expiresIn: "3600", three seconds later`, times(-4, -1), LifetimeAsText, one("TOK-EXP-FUTURE"), "expired", "milliseconds", "clock"},
		{"expiresIn: 300000", times(0, 300_000), LifetimeInMilliseconds, one("TOK-EXP-MAX"), "300 s in milliseconds", "seconds", ""},
		{"exp ten minutes before iat", times(20, -580), ExpiryBeforeIssue, []string{"TOK-EXP-MAX", "TOK-EXP-FUTURE"}, "", "iat plus", ""},
		{"utcnow() in Oslo in winter", times(-hour, -hour+300), TimeZone, late, "1 h, to the second", "utcnow()", "NTP"},
		{"a naive now() in Oslo", times(hour, hour+300), TimeZone, skew, "1 h, to the second", "datetime.now(timezone.utc)", "NTP"},
		{"a naive now() in Kolkata", times(5*hour+1800, 5*hour+2100), TimeZone, skew, "5 h 30 min", "UTC", "NTP"},
		{"a naive now() in Kathmandu", times(5*hour+2700, 5*hour+3600), TimeZone, skew, "5 h 45 min", "UTC", "NTP"},
		{"New York, after a slow answer", times(-5*hour-9, -5*hour+291), TimeZone, late, "", "UTC", "NTP"},
		{"exp alone in another zone", times(0, -2*hour+900), TimeZone, []string{"TOK-EXP-MAX", "TOK-EXP-FUTURE"}, "", "UTC", "NTP"},
		{"exp alone ahead by a zone", times(0, 2*hour+900), TimeZone, one("TOK-EXP-MAX"), "2 h off", "UTC", "NTP"},
		{"a clock seven minutes ahead", times(420, 720), ClockAhead, skew, "420 s ahead", "NTP", "UTC"},
		{"a clock two minutes ahead", times(120, 420), ClockAhead, one("TOK-IAT-CLOCK"), "120 s ahead", "NTP", "UTC"},
		{"a clock ten minutes behind, or an old token", times(-600, -300), ClockOrKept, late, "", "new token on each call", "UTC"},
	}
}

func badlyWorded() []mistaken {
	return []mistaken{
		{"sub is a number", mint(object{"sub": 42}), SubjectAsNumber, one("TOK-SUB"), "42", "String(user.id)", ""},
		{"user_id for sub", mint(object{"sub": remove, "user_id": "u"}), SubjectElsewhere, one("TOK-SUB"), `"user_id" may be it`, "sub", ""},
		{"external_id for sub", mint(object{"sub": remove, "external_id": "u"}), SubjectElsewhere, one("TOK-SUB"), `"external_id" may be it`, "sub", ""},
		{"nameid for sub", mint(object{"sub": remove, "nameid": "u"}), SubjectElsewhere, one("TOK-SUB"), `"nameid" may be it`, ".NET", ""},
		{"sub under .NET's name", mint(object{"sub": remove, claimsURI + "nameidentifier": "u"}), SubjectElsewhere, one("TOK-SUB"), "nameidentifier", "JwtRegisteredClaimNames.Sub", ""},
		{"Go's names in capitals", mint(object{"chat": remove, "Chat": object{"ID": chatID, "WebhookDomains": []string{}}}), NamesInCapitals, one("TOK-CHAT"), `"Chat" is there`, "json:", ""},
		{"all within data", mint(object{"chat": remove, "sub": remove, "data": object{"sub": "u", "chat": object{"id": chatID}}}), ClaimsNested, []string{"TOK-CHAT", "TOK-SUB"}, `within "data"`, "not jwt.sign({data", ""},
		{"sub within user", mint(object{"sub": remove, "user": object{"sub": "u"}}), ClaimsNested, one("TOK-SUB"), `within "user"`, "", "sub, and write"},
		{"a user beside", mint(object{"sub": remove, "user": object{"id": "u"}}), SubjectElsewhere, one("TOK-SUB"), `"user" may be it`, "sub", ""},
		{"a lifetime that is no number", mint(object{"exp": nil}), TimeIsNull, one("TOK-EXP"), "null", "NaN", "900"},
		{"chat_id beside chat", mint(object{"chat": remove, "chat_id": chatID}), ChatElsewhere, one("TOK-CHAT"), `"chat_id"`, `"chat": {`, ""},
		{"chatId in chat", mint(inChat(object{"id": remove, "chatId": chatID})), ChatIDMisnamed, one("TOK-CHAT-ID"), `"chat.chatId" has it`, "Name it id", "content type"},
		{"chat_id beside chat, which has none", mint(object{"chat": object{"webhook_domains": []string{}}, "chat_id": chatID}), ChatIDMisnamed, one("TOK-CHAT-ID"), `"chat_id" has it`, "within chat", "content type"},
		{"webhookDomains in chat", mint(inChat(object{"webhook_domains": remove, "webhookDomains": []string{"hooks.example.com"}})), DomainsElsewhere, one("TOK-CLAIM-NAMES"), "webhookDomains", "webhook_domains", ""},
		{"webhook_domains beside chat", mint(object{"chat": object{"id": chatID}, "webhook_domains": []string{"hooks.example.com"}}), DomainsElsewhere, one("TOK-CLAIM-NAMES"), "meant is chat.webhook_domains", "within chat", ""},
		{"the chat id was not in the body", mint(inChat(object{"id": nil})), ChatIDNotRead, one("TOK-CHAT-ID"), "null", "text/plain", "session"},
		{"the chat id is undefined", mint(inChat(object{"id": "undefined"})), ChatIDNotRead, one("TOK-CHAT-ID"), "undefined", "chatId or chat_id", ""},
		{"the chat id in upper case", mint(inChat(object{"id": strings.ToUpper(chatID)})), ChatIDChanged, one("TOK-CHAT-ID"), "letter case", "as it came", "session"},
		{"the chat id without hyphens", mint(inChat(object{"id": strings.ReplaceAll(chatID, "-", "")})), ChatIDChanged, one("TOK-CHAT-ID"), "another form", "as it came", "session"},
		{"no chat id at all", mint(inChat(object{"id": remove})), ChatIDNotRead, one("TOK-CHAT-ID"), "missing", "chatId or chat_id", ""},
	}
}

func allMistaken() []mistaken {
	return slices.Concat(handedOn(), signedWrongly(), badlyTimed(), badlyWorded())
}

// TestMistakesAreNamed: the mistake is told by what is seen, its fix is the
// right one, and a wrong one is nowhere.
func TestMistakesAreNamed(t *testing.T) {
	for _, c := range allMistaken() {
		t.Run(c.name, func(t *testing.T) {
			e := expect()
			e.Keys = append(e.Keys, keys().other)
			result := Check(c.raw, e)
			if len(result.Violations) == 0 {
				t.Fatal("nothing is wrong")
			}
			said := false
			for _, id := range c.in {
				v, ok := result.Violation(id)
				if !ok || v.Diagnosis != c.want {
					t.Errorf("%s is diagnosed %q, want %q: %+v", id, v.Diagnosis.ID, c.want.ID, v)
				}
				said = said || strings.Contains(v.Actual, c.say)
				if !strings.Contains(v.Fix, c.fix) || c.unsaid != "" && strings.Contains(v.Fix, c.unsaid) {
					t.Errorf("%s: the fix is %q, want %q in it, and not %q", id, v.Fix, c.fix, c.unsaid)
				}
			}
			if !said {
				t.Errorf("%q is said nowhere in %+v", c.say, result.Violations)
			}
			for _, v := range result.Violations {
				if v.Diagnosis.ID != "" && v.Diagnosis != c.want {
					t.Errorf("%s is diagnosed %s too", v.Rule.ID, v.Diagnosis.ID)
				}
			}
		})
	}
}

// TestATokenThatNamesAChatIsTheTeamsOwn, also by a name that Kindly does not read.
func TestATokenThatNamesAChatIsTheTeamsOwn(t *testing.T) {
	for _, name := range []string{"chat_id", "Chat", "webhook_domains"} {
		raw := signedBy(keys().small, mintJSON(object{"chat": remove, name: "x", "scope": "openid"}))
		if v, _ := Check(raw, expect()).Violation("TOK-SIGNATURE"); v.Diagnosis != UnknownKey {
			t.Errorf("with %s it is diagnosed %q", name, v.Diagnosis.ID)
		}
	}
}

// TestWholeSignaturesOfOthersAreNotCutOff, however short.
func TestWholeSignaturesOfOthersAreNotCutOff(t *testing.T) {
	text := b64(`{"alg":"RS256","typ":"JWT"}`) + "." + b64(mintJSON(nil)) + "."
	for _, size := range []int{64, 71, 96, 128, 132, 192} {
		if v, _ := Check(Raw(text+b64(strings.Repeat("x", size))), expect()).Violation("TOK-SIGNATURE"); v.Diagnosis != UnknownKey {
			t.Errorf("of %d bytes: %q", size, v.Diagnosis.ID)
		}
	}
	if v, _ := Check(Raw(strings.TrimSuffix(text, ".")), expect()).Violation("TOK-COMPACT"); v.Diagnosis.ID != "" || !strings.Contains(v.Actual, "the signature is missing") {
		t.Errorf("without a signature: %+v", v)
	}
}

// TestWhatIsWithinIsJudgedToo: a wrapping does not hide the other mistakes.
func TestWhatIsWithinIsJudgedToo(t *testing.T) {
	inner := mint(object{"sub": 42}).Secret()
	for _, raw := range []string{"b'" + inner + "'", `{"jwt":"` + inner + `"}`, base64.URLEncoding.EncodeToString([]byte(inner)), url.QueryEscape(`"` + inner + `"`)} {
		if got := violatedIDs(Check(Raw(raw), expect())); !slices.Equal(got, []string{"TOK-COMPACT", "TOK-SUB"}) {
			t.Errorf("%.12s…: %v", raw, got)
		}
	}
}

// TestLifetimesThatPeopleChooseAreNoMistakeOfUnits: a token that lives too long
// lives too long, and nothing else.
func TestLifetimesThatPeopleChooseAreNoMistakeOfUnits(t *testing.T) {
	for _, lifetime := range []int{901, 1200, 1800, 3600, 5400, 7200, 10800, 12 * 3600, 86400, 7 * 86400, 30 * 86400, 10 * 3600, 20 * 3600} {
		v, _ := Check(mint(object{"exp": secs(lifetime)}), expect()).Violation("TOK-EXP-MAX")
		if v.Rule.ID == "" || v.Diagnosis.ID != "" || !strings.Contains(v.Fix, "15 minutes at most") {
			t.Errorf("%d s: %+v", lifetime, v)
		}
	}
}

// maxFix is what a terminal shows in three lines.
const maxFix = 190

func TestDiagnosesAreComplete(t *testing.T) {
	seen := map[Diagnosis]bool{}
	for _, c := range allMistaken() {
		seen[c.want] = true
	}
	for _, d := range []Diagnosis{Encrypted, HandMadeBase64, UnknownKey} { // rows of TestEachViolationIsFoundAndNoOther
		seen[d] = true
	}
	id := regexp.MustCompile(`^token(-[a-z0-9]+)+$`)
	ids := map[string]bool{}
	for _, d := range Diagnoses() {
		if !id.MatchString(d.ID) || ids[d.ID] || d.Title == "" || strings.HasSuffix(d.Title, ".") || !strings.HasSuffix(d.Fix, ".") || len(d.Fix) > maxFix || len(d.Title) > 100 {
			t.Errorf("%+v, of %d bytes", d, len(d.Fix))
		}
		if ids[d.ID] = true; !seen[d] {
			t.Errorf("no row shows %s", d.ID)
		}
	}
	for d := range seen {
		if !ids[d.ID] {
			t.Errorf("%s is not listed", d.ID)
		}
	}
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return string(sum[:])
}

// lines is a text in lines of 64 letters, as openssl base64 writes it and a shell takes
// the last line end off.
func lines(text string) string {
	var out []string
	for len(text) > 64 {
		out, text = append(out, text[:64]), text[64:]
	}
	return strings.Join(append(out, text), "\n")
}
