package redact

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const aSignedToken = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0."

// spellings are how programs write a value into what they send.
func spellings(v string) map[string]string {
	quoted, _ := json.Marshal(v)
	literal := strings.Trim(string(quoted), `"`)
	var points, entities, percents, lower strings.Builder
	for _, r := range v {
		if r > 0xffff {
			fmt.Fprintf(&points, `\U%08x`, r)
		} else {
			fmt.Fprintf(&points, `\u%04X`, r)
		}
		fmt.Fprintf(&entities, `&#x%x;`, r)
	}
	for _, b := range []byte(v) {
		fmt.Fprintf(&percents, `%%%02X`, b)
		fmt.Fprintf(&lower, `%%%02x`, b)
	}
	component := strings.ReplaceAll(url.QueryEscape(v), "+", "%20")
	nested, _ := json.Marshal(map[string]string{"body": `{"a":` + string(quoted) + `}`})
	return map[string]string{
		"as it is":                     v,
		"JSON":                         literal,
		"JSON.stringify":               strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(v),
		"PHP":                          strings.ReplaceAll(literal, "/", `\/`),
		".NET":                         strings.NewReplacer("+", `\u002B`, "'", `\u0027`, "<", `\u003C`, `"`, `\u0022`, "&", `\u0026`).Replace(strings.ReplaceAll(v, `\`, `\\`)),
		"Python":                       points.String(),
		"JSON in JSON":                 string(nested),
		"Django":                       strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;").Replace(v),
		"html/template":                strings.ReplaceAll(html.EscapeString(v), "+", "&#43;"),
		"HTML by numbers":              entities.String(),
		"encodeURIComponent":           component,
		"a form":                       url.QueryEscape(v),
		"a path":                       url.PathEscape(v),
		"URL in small letters":         strings.NewReplacer("%2F", "%2f", "%2B", "%2b", "%3D", "%3d", "%26", "%26").Replace(component),
		"URL, all":                     percents.String(),
		"URL, all, small":              lower.String(),
		"a URL in a URL":               url.QueryEscape("https://a.example/?b=" + component),
		"a form in JSON, PHP":          strings.ReplaceAll(strings.ReplaceAll(component, "%2F", "/"), "/", `\/`),
		"hex":                          hex.EncodeToString([]byte(v)),
		"HEX":                          strings.ToUpper(hex.EncodeToString([]byte(v))),
		"base64":                       base64.StdEncoding.EncodeToString([]byte(v)),
		"base64 without padding":       base64.RawStdEncoding.EncodeToString([]byte(v)),
		"base64url":                    base64.URLEncoding.EncodeToString([]byte(v)),
		"base64, one byte further on":  base64.StdEncoding.EncodeToString([]byte(":" + v + ":")),
		"base64, two bytes further on": base64.StdEncoding.EncodeToString([]byte("a:" + v)),
		"base64url, in the middle":     base64.RawURLEncoding.EncodeToString([]byte("user:" + v + "\nmore")),
		"base64 in PHP's JSON":         strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte(v)), "/", `\/`),
		"base64 in a URL":              url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(v))),
	}
}

// values are secrets that escape well.
var values = []string{
	"hush-hush-hush", `p"<&> w/ord'+`, "c2VjcmV0/Kg+x==", "pässwörd 😀 long", `back\slash "q" & more`, "s%3Aabcdef.ghi%2Bjkl", "MiXed0123", "tab\tand\nline",
}

func TestSecretsInEverySpelling(t *testing.T) {
	for _, v := range values {
		var r Redactor
		r.Learn(v)
		for name, text := range spellings(v) {
			got := r.Known("before " + text + " after")
			if !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") || !strings.Contains(got, Removed) {
				t.Errorf("%q, %s: %q is shown as %q", v, name, text, got)
			}
			// What is left is what was around it: in JSON in JSON and base64 alone there is something.
			left := strings.TrimSpace(strings.Replace(strings.TrimSuffix(strings.TrimPrefix(got, "before "), " after"), Removed, "", 1))
			if len(left) > 0 && !strings.Contains(name, "further") && !strings.Contains(name, "middle") &&
				!strings.Contains(name, "in JSON") && !strings.Contains(name, "in a URL") && strings.Trim(left, "=") != "" {
				t.Errorf("%q, %s: %q is left of %q", v, name, left, text)
			}
			if again := r.Known(got); again != got {
				t.Errorf("%q becomes %q", got, again)
			}
			if !r.Covers(text) {
				t.Errorf("%q, %s: a picture shows %q", v, name, text)
			}
		}
	}
}

func TestWhatAnEscapedCookieStandsFor(t *testing.T) {
	var r Redactor
	r.Learn("s%3Aabcdef.ghi%2Bjkl")
	for _, text := range []string{"s:abcdef.ghi+jkl", "s%3aabcdef.ghi%2bjkl", `"s:abcdef.ghi\u002Bjkl"`, base64.StdEncoding.EncodeToString([]byte("s:abcdef.ghi+jkl"))} {
		if got := r.Known(text); !strings.Contains(got, Removed) || strings.Contains(got, "abcdef") {
			t.Errorf("%s is shown as %s", text, got)
		}
	}
}

func TestOrdinaryTextStays(t *testing.T) {
	var r Redactor
	r.Learn("abc", "12345", "removed", "Hunter-2-secret", "a longer one than that")
	r.LearnTokens(aSignedToken + "short")
	for _, text := range []string{
		"", "abc 12345", "your order has shipped", `{"reply":"a \"b\" \\ c","n":12345,"ü":"\u00e4"}`, "100 % of 'em &amp; more &nbsp; %zz \\", "[removed]",
		"https://hooks.example.com/orders/12345?lang=en&page=2#top", "https://eyewear-fashion-store.example.com/", "staging.example.com:8443",
		"https://shop.example/2024/01/31/a-summer-sale-of-100-shoes-and-more", "https://shop.example/orders/00000000-1111-4222-8333-444444444444",
		"https://shop.example/static/app.9f86d081884c7d659a2feaa0.js", "see https://docs.kindly.ai/guides-and-examples/chat-authentication.",
		"hunter-2-secret", "the rest … of it", `\u00zz \x \u{ \u{110000000} &#; &#x; &nosuchthing; %u12`,
	} {
		if got := r.Text(text); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

// Whoever cuts a text before it is redacted leaves the beginning of a secret.
func TestSecretsAstrideACut(t *testing.T) {
	const secret = `s3cr3t/"v4lue" that is long`
	var r Redactor
	r.Learn(secret)
	escaped := `s3cr3t\/\"v4lue\u0022 that`
	for name, text := range map[string]string{
		"cut": secret[:15], "escaped": escaped[:14], "within an escape": escaped[:20], "base64": base64.StdEncoding.EncodeToString([]byte(secret))[:15],
		"a token": aSignedToken + "c2lnbmF0",
	} {
		if got := string(r.Raw([]byte("it is "+text), true)); strings.Contains(got, "s3cr3t") || strings.Contains(got, "czNjcjN0") || strings.Contains(got, "c2ln") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := r.Text("it is " + secret[:12] + "… (shortened)"); got != "it is [removed]… (shortened)" {
		t.Errorf("before an ellipsis: %s", got)
	}
	if got := r.Text("it is " + secret[:12]); got != "it is "+secret[:12] {
		t.Errorf("where nothing was cut: %s", got)
	}
}

func TestATokensSignatureIsASecretByItself(t *testing.T) {
	signature := strings.Repeat("c2lnbmF0dXJl_-", 6)
	var r Redactor
	r.LearnTokens("Bearer " + aSignedToken + signature + " and " + aSignedToken + "short")
	for _, text := range []string{signature, "x" + signature + "y", `{"a":"` + signature + `"}`, "%" + "63" + signature[1:]} {
		if got := r.Known(text); strings.Contains(got, signature[5:]) {
			t.Errorf("%s is shown as %s", text, got)
		}
	}
	if got := r.Known("short"); got != "short" {
		t.Errorf("a short one is hidden: %s", got)
	}
	for i := range 2*maxTokens + 1 {
		r.LearnTokens(aSignedToken + signatureOf(i))
	}
	if r.tokens[0].size+r.tokens[1].size > 2*maxTokens {
		t.Errorf("it keeps %d and %d", r.tokens[0].size, r.tokens[1].size)
	}
	if last := signatureOf(2 * maxTokens); r.Known(last) != Removed {
		t.Error("the last one is not known")
	}
}

func signatureOf(i int) string {
	sum := sha256.Sum256(fmt.Append(nil, i))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestClaimsHoldNoSecret(t *testing.T) {
	var r Redactor
	r.Learn("the-session-1")
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"sid":"the-session-1","sub":"7"}`))
	got := r.Known("eyJhbGciOiJSUzI1NiJ9." + payload + ".c2lnbmF0dXJl")
	decoded, err := base64.RawURLEncoding.DecodeString(strings.Split(got, ".")[1])
	if err != nil || string(decoded) != `{"sid":"[removed]","sub":"7"}` {
		t.Errorf("%s holds %q, %v", got, decoded, err)
	}
}

func TestJSONStaysJSON(t *testing.T) {
	var r Redactor
	r.Learn(`n"u\sh ü<`, "deliver")
	for name, tt := range map[string]struct{ body, want string }{
		"as JSON escapes it":      {`{"message":"is n\"u\\sh ü< it"}`, `{"message":"is [removed] it"}`},
		"with other escapes":      {`{"message":"n\"u\\sh \u00fc\u003c"}`, `{"message":"[removed]"}`},
		"as the name of a member": {`{"n\"u\\sh ü<":1}`, `{"[removed]":1}`},
		"in what is no JSON":      {`xn"u\sh ü<`, `x[removed]`},
		"not there":               {`{"message":"\n \u00fc"}`, `{"message":"\n \u00fc"}`},
		"a find within an escape": {`{"m":"\ndeliver","n":"\deliver"`, `{"m":"\n[removed]","n":"\[removed]"`},
	} {
		if got := string(r.Raw([]byte(tt.body), false)); got != tt.want {
			t.Errorf("%s: %s, not %s", name, got, tt.want)
		}
	}
	var other Redactor
	other.Learn("nabcdef")
	if got := string(other.Raw([]byte(`{"m":"\nabcdef"}`), false)); got != `{"m":"\nabcdef"}` {
		t.Errorf("a find within an escape: %s", got)
	}
	if got := string(r.JSON([]byte(`{"kind":"deliver","a":{"b":"deliver"}}`), 1)); got != `{"kind":"deliver","a":{"b":"[removed]"}}` {
		t.Errorf("what stands higher: %s", got)
	}
}

// Whoever sends tokens decides how many signatures are learnt, but not how much of memory they take.
func TestNoSignatureLongerThanAnyKeyMakesIsKept(t *testing.T) {
	var r Redactor
	r.LearnTokens(aSignedToken + strings.Repeat("x", maxSignature))
	r.LearnTokens(aSignedToken + strings.Repeat("x", maxSignature+1))
	if r.tokens[0].size != 1 {
		t.Errorf("%d are kept", r.tokens[0].size)
	}
}

func TestValuesGoOnAsTheyAre(t *testing.T) {
	var r Redactor
	r.Learn("hush-hush")
	r.LearnTokens(aSignedToken + strings.Repeat("x", 40))
	in := map[string]any{"a": []any{"it is hush-hush", 1.0, nil}, "hush-hush": true, "token": aSignedToken + strings.Repeat("x", 40)}
	got, _ := json.Marshal(r.Values(in))
	if want := `{"[removed]":true,"a":["it is [removed]",1,null],"token":"` + aSignedToken + strings.Repeat("x", 40) + `"}`; string(got) != want {
		t.Errorf("%s, not %s", got, want)
	}
}

func TestLearningWhileWriting(t *testing.T) {
	var r Redactor
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 200 {
				secret := fmt.Sprintf("secret-%d-%d-%s", i, j, strings.Repeat("x", j%7))
				r.Learn(secret)
				r.LearnTokens(fmt.Sprintf("%s%040d", aSignedToken, i*1000+j))
				if got := r.Text("it is " + url.QueryEscape(secret) + "\n"); got != "it is [removed]\n" {
					t.Errorf("it is shown: %s", got)
				}
			}
		})
	}
	all.Wait()
}

func TestNothingIsKnownByNil(t *testing.T) {
	var r *Redactor
	if got := r.Text("a " + aSignedToken + "c2ln https://a:b@c.example/"); got != "a "+aSignedToken+"[removed] https://c.example/" {
		t.Error(got)
	}
	if got := string(r.JSON([]byte(`{"a":"b"}`), 0)); got != `{"a":"b"}` {
		t.Error(got)
	}
}

// TestHostileTextsTakeLinearTime would take minutes otherwise.
func TestHostileTextsTakeLinearTime(t *testing.T) {
	var r Redactor
	r.Learn(strings.Repeat("a", 2000), aSignedToken+strings.Repeat("x", 40), "e.e.e.e.e.e", `\\\\\\\\`)
	for _, unit := range []string{"eyJ", "eyJhbGciOiJSUzI1NiJ9.", "e.", "eyJhbGciOiJSUzI1NiJ9.ABCDEFGH.x ", `\`, `\\u`, "%25", "&amp;", "a", "://", "https://a/?b=https://a/?b=", "?", `"a":"`, "<input "} {
		start := time.Now()
		text := strings.Repeat(unit, 256<<10/len(unit))
		r.Body([]byte(text), "", true)
		r.JSON([]byte(`{"a":"`+text+`"}`), 0)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%q: %v", unit, took)
		}
	}
}

func BenchmarkKnown(b *testing.B) {
	var r Redactor
	for i := range 20 {
		r.Learn(fmt.Sprintf("secret-number-%d", i))
	}
	for i := range 5000 {
		r.LearnTokens(aSignedToken + signatureOf(i))
	}
	text, _ := json.Marshal(map[string]string{"body": strings.Repeat(`{"reply":"your order has shipped","id":12}`, 50)})
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r.JSON(text, 0)
	}
}
