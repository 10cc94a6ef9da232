package token

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// row is a token and exactly what it violates.
type row struct {
	name   string
	raw    Raw
	want   []string   // IDs, in the order of Rules
	level  rule.Level // of the first, if it differs from the rule's
	actual string     // is in the first one's Actual
}

func (r row) run(t *testing.T) {
	t.Helper()
	result := Check(r.raw, expect())
	if got := violatedIDs(result); !slices.Equal(got, r.want) {
		t.Fatalf("violates %v, want %v\n%+v", got, r.want, result.Violations)
	}
	if len(r.want) == 0 {
		return
	}
	first := result.Violations[0]
	if r.level == "" {
		r.level = first.Rule.Level
	}
	if first.Level != r.level {
		t.Errorf("level %s, want %s", first.Level, r.level)
	}
	if r.actual == "" || !strings.Contains(first.Actual, r.actual) {
		t.Errorf("actual %q, want something with %q", first.Actual, r.actual)
	}
	if first.Expected == "" || first.Fix == "" {
		t.Errorf("incomplete: %+v", first)
	}
	if accepted := !first.Refused() && len(r.raw) <= maxBytes; len(r.want) == 1 && result.Accepted() != accepted {
		t.Errorf("accepted: %v", !accepted)
	}
}

func one(id string) []string { return []string{id} }

func inChat(change object) object {
	c := object{"id": chatID, "webhook_domains": []string{"hooks.shop.example"}}
	maps.Copy(c, change)
	for k, v := range change {
		if v == any(remove) {
			delete(c, k)
		}
	}
	return object{"chat": c}
}

func secs(d int) int64 { return now.Unix() + int64(d) }

func latin1(s string) string { return strings.ReplaceAll(s, "ë", "\xeb") }

func jwsRows() []row {
	sound := mint(nil).Secret()
	cut := strings.LastIndex(sound, ".")
	none := b64(`{"alg":"none"}`) + "." + b64(mintJSON(nil)) + "."
	padded := base64.URLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT" }`)) // 28 bytes: two of padding
	return []row{
		{"a line end after the token", Raw(sound + "\n"), one("TOK-COMPACT"), "", "line end"},
		{"a line end within the signature", Raw(sound[:cut+10] + "\r\n" + sound[cut+10:]), one("TOK-COMPACT"), "", "line end"},
		{"quotes around the token", Raw(`"` + sound + `"`), one("TOK-COMPACT"), "", "quotes"},
		{"Bearer before the token", Raw("Bearer " + sound), one("TOK-COMPACT"), "", "Authorization"},
		{"padding", signText(keys().private, padded+"."+b64(mintJSON(nil))), one("TOK-COMPACT"), "", "padded"},
		{"standard base64", standardBase64(), one("TOK-COMPACT"), "", "standard base64"},
		{"stray bits in the signature's last character", strayBits(sound), one("TOK-COMPACT"), "", "stray bits"},
		{"two segments", Raw(sound[:cut]), []string{"TOK-COMPACT", "TOK-SIGNATURE"}, "", "2 segments"},
		{"four segments", Raw(sound + ".x"), []string{"TOK-COMPACT", "TOK-SIGNATURE"}, "", "4 segments"},
		{"an encrypted token", Raw(b64(`{"alg":"RS256"}`) + "." + b64("a key") + ".b.c.d"), []string{"TOK-COMPACT", "TOK-SIGNATURE"}, "", "encrypted"},
		{"no token", "", []string{"TOK-COMPACT"}, "", "empty"},
		{"the whole answer", Raw(`{"token":"` + sound + `"}`), []string{"TOK-COMPACT"}, "", "JSON"},
		{"alg none", Raw(none), []string{"TOK-ALG", "TOK-SIGNATURE"}, "", "not signed"},
		{"alg HS256", signed(`{"alg":"HS256"}`, mintJSON(nil)), one("TOK-ALG"), "", "shared secret"},
		{"alg in lower case", signed(`{"alg":"rs256"}`, mintJSON(nil)), one("TOK-ALG"), "", `"rs256"`},
		{"alg under another name", signed(`{"ALG":"RS256"}`, mintJSON(nil)), one("TOK-ALG"), "", `"ALG"`},
		{"alg a list", signed(`{"alg":["RS256"]}`, mintJSON(nil)), one("TOK-ALG"), "", "a list"},
		{"a critical extension", signed(`{"alg":"RS256","crit":["b64"],"b64":true}`, mintJSON(nil)), one("TOK-HEADER-SAFE"), "", "crit, b64"},
		{"an embedded key", signed(`{"alg":"RS256","jwk":{}}`, mintJSON(nil)), one("TOK-HEADER-SAFE"), "", "jwk"},
		{"an unknown key", signedBy(keys().otherPrivate, mintJSON(nil)), one("TOK-SIGNATURE"), "", "unknown key"},
		{"claims changed after signing", Raw(b64(`{"alg":"RS256","typ":"JWT"}`) + "." + b64(mintJSON(object{"sub": "u-1"})) + sound[cut:]),
			one("TOK-SIGNATURE"), "", "changed after signing"},
		{"a signature cut off", Raw(sound[:len(sound)-6]), one("TOK-SIGNATURE"), "", "252 bytes"},
		{"an empty signature", Raw(sound[:cut+1]), one("TOK-SIGNATURE"), "", "empty"},
		{"a payload that is no JSON", signed(`{"alg":"RS256"}`, `{"iat":1,}`), one("TOK-JSON"), "", "the payload is not JSON"},
		{"a payload that is a list", signed(`{"alg":"RS256"}`, `[1]`), one("TOK-JSON"), "", "a list"},
		{"a header that is no JSON", signed(`alg`, mintJSON(nil)), one("TOK-JSON"), "", "the header is not JSON"},
		{"a payload that is not UTF-8", signed(`{"alg":"RS256"}`, latin1(mintJSON(object{"name": "Zoë"}))), one("TOK-JSON"), "", "UTF-8"},
		{"a payload that is not UTF-8, and has another mistake", signed(`{"alg":"RS256"}`, latin1(mintJSON(object{"name": "Zoë", "exp": secs(86400)}))), []string{"TOK-JSON", "TOK-EXP-MAX"}, "", "UTF-8"},
		{"a payload behind a byte order mark", signed(`{"alg":"RS256"}`, "\ufeff"+mintJSON(object{"email": 7})), []string{"TOK-JSON", "TOK-EMAIL"}, "", "byte order mark"},
		{"too deep", signed(`{"alg":"RS256"}`, strings.Repeat(`{"a":`, 100)+"1"+strings.Repeat("}", 100)), one("TOK-JSON"), "", "levels deep"},
		{"a claim twice", signed(`{"alg":"RS256"}`, `{"sub":"x",`+mintJSON(nil)[1:]), one("TOK-DUPLICATE-KEYS"), "", `"sub"`},
		{"a claim twice, once escaped", signed(`{"alg":"RS256"}`, `{"s\u0075b":"x",`+mintJSON(nil)[1:]), one("TOK-DUPLICATE-KEYS"), "", `"sub"`},
		{"a member twice in chat", mint(object{"chat": lit(`{"id":"a","id":"` + chatID + `"}`)}), one("TOK-DUPLICATE-KEYS"), "", `"chat.id"`},
		{"a claim twice among many", signed(`{"alg":"RS256"}`, manyMembers(60)+`"x7":1,`+mintJSON(nil)[1:]), one("TOK-DUPLICATE-KEYS"), "", `"x7"`},
		{"alg twice", signed(`{"alg":"none","alg":"RS256"}`, mintJSON(nil)), one("TOK-DUPLICATE-KEYS"), "", `"alg"`},
	}
}

// manyMembers is the start of an object with n members of different names.
func manyMembers(n int) string {
	text := "{"
	for i := range n {
		text += fmt.Sprintf(`"x%d":1,`, i)
	}
	return text
}

func standardBase64() Raw {
	payload := mintJSON(object{"note": "???>>>~~~"})
	for !strings.ContainsAny(base64.RawStdEncoding.EncodeToString([]byte(payload)), "+/") {
		payload = " " + payload
	}
	return signText(keys().private, b64(`{"alg":"RS256"}`)+"."+base64.RawStdEncoding.EncodeToString([]byte(payload)))
}

// strayBits changes the last character so that a lax decoder reads the same:
// 256 bytes leave 4 unused bits in it.
func strayBits(sound string) Raw {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(sound) - 1
	return Raw(sound[:last] + string(digits[strings.IndexByte(digits, sound[last])|1]))
}

func timeRows() []row {
	return []row{
		{"no iat", mint(object{"iat": remove}), one("TOK-IAT"), "", "missing"},
		{"iat in milliseconds", mint(object{"iat": now.UnixMilli()}), one("TOK-IAT"), "", "milliseconds"},
		{"iat a string", mint(object{"iat": fmt.Sprint(now.Unix())}), one("TOK-IAT"), "", "the string"},
		{"half an hour in milliseconds", mint(object{"iat": now.UnixMilli(), "exp": now.UnixMilli() + 1_800_000}), []string{"TOK-IAT", "TOK-EXP", "TOK-EXP-MAX"}, "", "milliseconds"},
		{"half an hour with a fraction", mint(object{"iat": lit(fmt.Sprintf("%d.25", now.Unix())), "exp": lit(fmt.Sprintf("%d.25", now.Unix()+1800))}), []string{"TOK-IAT", "TOK-EXP", "TOK-EXP-MAX"}, "", ".25"},
		{"an hour ago, as text", mint(object{"iat": fmt.Sprint(now.Unix() - 3600), "exp": fmt.Sprint(now.Unix() - 3300)}), []string{"TOK-IAT", "TOK-EXP", "TOK-EXP-FUTURE", "TOK-IAT-SKEW"}, "", "the string"},
		{"iat with a fraction", mint(object{"iat": lit("1893553445.25")}), one("TOK-IAT"), "", "1893553445.25"},
		{"iat 1893553445.0", mint(object{"iat": lit("1893553445.0")}), one("TOK-IAT"), "", "no integer"},
		{"iat null", mint(object{"iat": nil}), one("TOK-IAT"), "", "null"},
		{"no exp", mint(object{"exp": remove}), one("TOK-EXP"), "", "missing"},
		{"exp in milliseconds", mint(object{"exp": now.UnixMilli()}), one("TOK-EXP"), "", "milliseconds"},
		{"exp 1e300", mint(object{"exp": lit("1e300")}), one("TOK-EXP"), "", "1e300"},
		{"exp 2^63", mint(object{"exp": lit("9223372036854775808")}), one("TOK-EXP"), "", "9223372036854775808"},
		{"exp under the name EXP", mint(object{"exp": remove, "EXP": secs(300)}), []string{"TOK-EXP", "TOK-CLAIM-NAMES"}, "", "missing"},
		{"a lifetime of 901 s", mint(object{"exp": secs(901)}), one("TOK-EXP-MAX"), "", "exp is 901 s after iat"},
		{"exp equals iat", mint(object{"iat": secs(9), "exp": secs(9)}), one("TOK-EXP-MAX"), "", "equals"},
		{"exp before iat", mint(object{"iat": secs(20), "exp": secs(10)}), one("TOK-EXP-MAX"), "", "10 s before"},
		{"expired this second", mint(object{"iat": secs(-50), "exp": secs(0)}), one("TOK-EXP-FUTURE"), "", "expired 0 s ago"},
		{"expired for a minute", mint(object{"iat": secs(-299), "exp": secs(-60)}), []string{"TOK-EXP-FUTURE", "TOK-IAT-CLOCK"}, "", "expired 60 s ago"},
		{"iat 301 s ahead", mint(object{"iat": secs(301), "exp": secs(400)}), one("TOK-IAT-SKEW"), "", "301 s ahead"},
		{"iat 301 s behind", mint(object{"iat": secs(-301)}), one("TOK-IAT-SKEW"), "", "301 s behind"},
		{"iat 61 s ahead", mint(object{"iat": secs(61)}), one("TOK-IAT-CLOCK"), "", "61 s ahead"},
		{"iat 300 s behind", mint(object{"iat": secs(-300)}), one("TOK-IAT-CLOCK"), "", "300 s behind"},
		{"nbf ahead", mint(object{"nbf": secs(30)}), one("TOK-NBF"), "", "30 s in the future"},
		{"nbf a string", mint(object{"nbf": "soon"}), one("TOK-NBF"), "", `"soon"`},
	}
}

func userRows() []row {
	return []row{
		{"no iss", mint(object{"iss": remove}), one("TOK-ISS"), "", "missing"},
		{"iss empty", mint(object{"iss": ""}), one("TOK-ISS"), "", "empty"},
		{"no sub", mint(object{"sub": remove}), one("TOK-SUB"), "", "missing"},
		{"sub a number", mint(object{"sub": 42}), one("TOK-SUB"), "", "the number 42"},
		{"sub white space", mint(object{"sub": " "}), one("TOK-SUB"), "", "white space"},
		{"sub undefined", mint(object{"sub": "undefined"}), one("TOK-SUB"), rule.Should, "missing value"},
		{"sub an e-mail address", mint(object{"sub": "ada@example.com"}), one("TOK-SUB-PRIVATE"), "", "e-mail"},
		{"name empty", mint(object{"name": ""}), one("TOK-NAME"), "", "empty"},
		{"name a list", mint(object{"name": []string{"Ada"}}), one("TOK-NAME"), "", "a list"},
		{"email without @", mint(object{"email": "ada"}), one("TOK-EMAIL"), "", `"ada"`},
		{"email with a display name", mint(object{"email": "Ada <ada@example.com>"}), one("TOK-EMAIL"), "", "Ada"},
		{"email null", mint(object{"email": nil}), one("TOK-EMAIL"), "", "null"},
		{"email_verified a string", mint(object{"email_verified": "true"}), one("TOK-EMAIL-VERIFIED"), "", `"true"`},
		{"email_verified 1", mint(object{"email_verified": 1}), one("TOK-EMAIL-VERIFIED"), "", "the number 1"},
		{"email not verified", mint(object{"email_verified": false}), one("TOK-EMAIL-STORED"), "", "false"},
		{"email without email_verified", mint(object{"email_verified": remove}), one("TOK-EMAIL-STORED"), "", "missing"},
		{"phone_number a number", mint(object{"phone_number": 4722334455}), one("TOK-PHONE"), "", "the number"},
		{"phone_number not E.164", mint(object{"phone_number": "22 33 44 55"}), one("TOK-PHONE"), rule.Should, "22 33"},
		{"phone_number_verified a string", mint(object{"phone_number_verified": "yes"}), one("TOK-PHONE-VERIFIED"), "", `"yes"`},
		{"phone_number not verified", mint(object{"phone_number_verified": false}), one("TOK-PHONE-STORED"), "", "false"},
		{"picture relative", mint(object{"picture": "/a.png"}), one("TOK-PICTURE"), "", "/a.png"},
		{"picture without scheme", mint(object{"picture": "//shop.example/a.png"}), one("TOK-PICTURE"), "", "//shop"},
		{"picture over http", mint(object{"picture": "http://shop.example/a.png"}), one("TOK-PICTURE"), "", "http://"},
		{"picture inline", mint(object{"picture": "data:image/png;base64,AAAA"}), one("TOK-PICTURE"), "", "data: URL"},
		{"picture with userinfo", mint(object{"picture": "https://ada@shop.example/a.png"}), one("TOK-PICTURE"), "", "user name"},
		{"picture javascript", mint(object{"picture": "javascript:alert(1)"}), one("TOK-PICTURE"), "", "javascript"},
	}
}

func chatRows() []row {
	return []row{
		{"no chat", mint(object{"chat": remove}), one("TOK-CHAT"), "", "missing"},
		{"chat a string", mint(object{"chat": chatID}), one("TOK-CHAT"), "", "a string"},
		{"chat null", mint(object{"chat": nil}), one("TOK-CHAT"), "", "null"},
		{"no chat.id", mint(inChat(object{"id": remove})), one("TOK-CHAT-ID"), "", "missing"},
		{"another chat's id", mint(inChat(object{"id": "another"})), one("TOK-CHAT-ID"), "", "another"},
		{"the chat id in upper case", mint(inChat(object{"id": strings.ToUpper(chatID)})), one("TOK-CHAT-ID"), "", "letter case"},
		{"chat.id a number", mint(inChat(object{"id": 7})), one("TOK-CHAT-ID"), "", "the number 7"},
		{"webhook_domains a string", mint(inChat(object{"webhook_domains": "a.example"})), one("TOK-CHAT-DOMAINS"), "", `"a.example"`},
		{"webhook_domains with a number", mint(inChat(object{"webhook_domains": []any{"a.example", 7}})), one("TOK-CHAT-DOMAINS"), "", "[1] is the number 7"},
		{"webhook_domains null", mint(inChat(object{"webhook_domains": nil})), one("TOK-CHAT-DOMAINS"), "", "null"},
		{"over 4 KB", mint(object{"note": strings.Repeat("x", 3000)}), one("TOK-SIZE"), "", "bytes"},
		{"over 8 KB", mint(object{"note": strings.Repeat("x", 7000)}), one("TOK-SIZE"), rule.Must, "bytes"},
		{"over 64 KB", Raw(strings.Repeat(".", 1<<20)), one("TOK-SIZE"), rule.Must, "1048576 bytes"},
	}
}

func TestEachViolationIsFoundAndNoOther(t *testing.T) {
	for _, r := range slices.Concat(jwsRows(), timeRows(), userRows(), chatRows()) {
		t.Run(r.name, r.run)
	}
}

func TestSoundTokensAreNotAccused(t *testing.T) {
	bare := object{
		"name": remove, "email": remove, "email_verified": remove, "phone_number": remove,
		"phone_number_verified": remove, "picture": remove, "chat": object{"id": chatID},
	}
	for _, r := range []row{
		{name: "all claims", raw: mint(nil)},
		{name: "no profile claims", raw: mint(bare)},
		{name: "1 minute", raw: mint(object{"exp": secs(60)})},
		{name: "5 minutes", raw: mint(object{"exp": secs(300)})},
		{name: "15 minutes", raw: mint(object{"exp": secs(900)})},
		{name: "aud, jti, a past nbf", raw: mint(object{"aud": []string{"kindly"}, "jti": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "nbf": secs(-5)})},
		{name: "nbf now", raw: mint(object{"nbf": secs(0)})},
		{name: "a kid", raw: signed(`{"alg":"RS256","kid":"2030-01","typ":"JWT"}`, mintJSON(nil))},
		{name: "iat 60 s ahead", raw: mint(object{"iat": secs(60)})},
		{name: "iat 60 s behind", raw: mint(object{"iat": secs(-60)})},
		{name: "no domains", raw: mint(inChat(object{"webhook_domains": []string{}}))},
		{name: "white space in the JSON", raw: signed("{ \"alg\" : \"RS256\" }\n", "\n\t"+mintJSON(nil)+"\r\n ")},
		{name: "escapes and other scripts", raw: mint(object{"name": lit(`"\u00c5sa \ud83d\ude00 \"\/\\ 李"`)})},
		{name: "the claims of OpenID Connect", raw: mint(object{
			"preferred_username": "ada", "given_name": "Ada", "family_name": "Lovelace", "nickname": "ada", "azp": "web",
			"sid": "08a5019c-17e1-4977-8f42-65a12843ea02", "session_state": "0b1cb0a6-3d1e-4c41-a6a6-7e2f6a1d9e55",
			"auth_time": secs(-99), "at_hash": "MTIzNDU2Nzg5MGFiY2RlZg", "acr": "1", "amr": []string{"pwd", "otp"},
			"scope": "openid email", "zoneinfo": "Europe/Oslo", "locale": "nb-NO", "updated_at": secs(-9999), "nonce": "n-0S6_WzA2Mj"})},
		{name: "extra claims of a shop", raw: mint(object{
			"customer_id": "C-1", "user_id": 42, "username": "ada", "role": "gold", "order": object{"id": "8d7f", "token_count": 3},
			"password_changed_at": secs(-99), "has_password": true, "session_count": 7, "secretary": "Bob", "image_count": 3,
			"reset_password": "https://shop.example/reset", "expires_at": "2031-01-01", "session": "morning"})},
		{name: "many claims", raw: signed(`{"alg":"RS256"}`, manyMembers(60)+mintJSON(nil)[1:])},
		{name: "copies of claims for another reader", raw: mint(object{"phone": "+4722334455", "chat_id": chatID})},
	} {
		t.Run(r.name, r.run)
	}
}

// TestEveryRuleIsViolatedByARow keeps the tables complete.
func TestEveryRuleIsViolatedByARow(t *testing.T) {
	covered := map[string]bool{ // by tests of their own
		"TOK-KEY-SIZE": true, "TOK-KEY-PUBLISHED": true, "TOK-SECRETS": true, "TOK-CLAIM-NAMES": true,
	}
	for _, r := range slices.Concat(jwsRows(), timeRows(), userRows(), chatRows()) {
		for _, id := range r.want {
			covered[id] = true
		}
	}
	for _, r := range Rules() {
		if !covered[r.ID] {
			t.Errorf("no row violates %s", r.ID)
		}
	}
}

// TestEveryRuleHoldsOrIsViolatedOrUnjudged: a rule is in one list at most, the
// lists keep the order of Rules, and nothing is silently left out.
func TestEveryRuleHoldsOrIsViolatedOrUnjudged(t *testing.T) {
	order := map[string]int{}
	for i, r := range Rules() {
		order[r.ID] = i
	}
	for _, r := range slices.Concat(jwsRows(), timeRows(), userRows(), chatRows()) {
		result := Check(r.raw, expect())
		seen := map[string]bool{}
		last := -1
		visit := func(r rule.Rule) {
			if i, known := order[r.ID]; !known || seen[r.ID] || i <= last {
				t.Errorf("%s is unknown, twice, or out of order", r.ID)
			}
			seen[r.ID], last = true, order[r.ID]
		}
		for _, v := range result.Violations {
			visit(v.Rule)
		}
		last = -1
		for _, u := range result.Unjudged {
			visit(u.Rule)
			if u.Reason == "" {
				t.Errorf("%s is unjudged without a reason", u.Rule.ID)
			}
		}
	}
}

func TestWhatCannotBeJudgedIsSaid(t *testing.T) {
	unjudged := func(raw Raw, e Expect) map[string]string {
		out := map[string]string{}
		for _, u := range Check(raw, e).Unjudged {
			out[u.Rule.ID] = u.Reason
		}
		return out
	}
	noKey, noTime, noChat := expect(), expect(), expect()
	noKey.Keys, noTime.Now, noChat.ChatID = nil, time.Time{}, ""
	for _, c := range []struct {
		name   string
		raw    Raw
		expect Expect
		want   []string
		reason string
	}{
		{"all given", mint(nil), expect(), nil, ""},
		{"no key", mint(nil), noKey, []string{"TOK-SIGNATURE", "TOK-KEY-SIZE", "TOK-KEY-PUBLISHED"}, "no public key"},
		{"no time", mint(nil), noTime, []string{"TOK-EXP-FUTURE", "TOK-IAT-SKEW", "TOK-IAT-CLOCK", "TOK-NBF"}, "time"},
		{"no chat id", mint(nil), noChat, []string{"TOK-CHAT-ID"}, "chat id"},
		{"iat is no integer", mint(object{"iat": "x"}), expect(), []string{"TOK-EXP-MAX", "TOK-IAT-SKEW", "TOK-IAT-CLOCK"}, "iat is no integer"},
		{"exp is no integer", mint(object{"exp": "x"}), expect(), []string{"TOK-EXP-MAX", "TOK-EXP-FUTURE"}, "exp is no integer"},
		{"the skew is reported once", mint(object{"iat": secs(-400)}), expect(), []string{"TOK-IAT-CLOCK"}, "TOK-IAT-SKEW"},
		{"email is no address", mint(object{"email": "x"}), expect(), []string{"TOK-EMAIL-STORED"}, "TOK-EMAIL"},
		{"chat is no object", mint(object{"chat": 1}), expect(), []string{"TOK-CHAT-ID", "TOK-CHAT-DOMAINS"}, "TOK-CHAT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := unjudged(c.raw, c.expect)
			if len(got) != len(c.want) {
				t.Errorf("unjudged: %v, want %v", got, c.want)
			}
			for _, id := range c.want {
				if !strings.Contains(got[id], c.reason) {
					t.Errorf("%s: %q, want something with %q", id, got[id], c.reason)
				}
			}
		})
	}
	if got := unjudged(Raw(strings.Repeat("x", 1<<20)), expect()); len(got) != len(Rules())-1 {
		t.Errorf("a token of 1 MB: %d unjudged, want all but TOK-SIZE", len(got))
	}
}

func TestAcceptedNeedsKeyAndTime(t *testing.T) {
	noKey, noTime, noChat := expect(), expect(), expect()
	noKey.Keys, noTime.Now, noChat.ChatID = nil, time.Time{}, ""
	for _, c := range []struct {
		name   string
		raw    Raw
		expect Expect
		want   bool
	}{
		{"a sound token", mint(nil), expect(), true},
		{"a SHOULD does not hold", mint(object{"iss": remove}), expect(), true},
		{"a MUST does not hold", mint(object{"sub": remove}), expect(), false},
		{"no key", mint(nil), noKey, false},
		{"no time", mint(nil), noTime, false},
		{"no chat id to compare", mint(nil), noChat, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Check(c.raw, c.expect).Accepted(); got != c.want {
				t.Errorf("accepted: %v", got)
			}
		})
	}
}

func TestRulesAreComplete(t *testing.T) {
	for _, r := range Rules() {
		if r.Area() != "TOK" || r.Level == "" || r.Fidelity == "" || r.Text == "" || !strings.HasPrefix(r.Source, "https://") || r.Fix == "" ||
			!strings.HasSuffix(r.Broken, ".") || !strings.HasSuffix(r.Why, ".") {
			t.Errorf("incomplete: %+v", r)
		}
	}
}
