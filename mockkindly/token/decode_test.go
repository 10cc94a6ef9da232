package token

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestDecodeGivesTheClaims(t *testing.T) {
	tok, err := Decode(mint(object{"role": []any{"gold", 7}}))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]any{
		"Algorithm":      {tok.Algorithm(), "RS256"},
		"Issuer":         {tok.Issuer(), "https://shop.example"},
		"Subject":        {tok.Subject(), "u-4711"},
		"Name":           {tok.Name(), "Ada Lovelace"},
		"Email":          {tok.Email(), "ada@example.com"},
		"EmailVerified":  {tok.EmailVerified(), true},
		"Phone":          {tok.Phone(), "+4722334455"},
		"PhoneVerified":  {tok.PhoneVerified(), true},
		"Picture":        {tok.Picture(), "https://shop.example/a/4711.png"},
		"ChatID":         {tok.ChatID(), chatID},
		"WebhookDomains": {tok.WebhookDomains(), []string{"hooks.shop.example"}},
		"IssuedAt":       {tok.IssuedAt(), now.Truncate(time.Second)},
		"Expires":        {tok.Expires(), now.Truncate(time.Second).Add(5 * time.Minute)},
		"an extra claim": {tok.Claims.Get("role").JSON(), `["gold",7]`},
	} {
		if !reflect.DeepEqual(c[0], c[1]) {
			t.Errorf("%s = %v, want %v", name, c[0], c[1])
		}
	}
}

func TestDecodeForgivesTheFormOnly(t *testing.T) {
	sound := mint(nil).Secret()
	for name, raw := range map[string]string{"as it is": sound, "line end": sound + "\n", "quotes": `"` + sound + `"`, "Bearer": "Bearer " + sound} {
		if tok, err := Decode(Raw(raw)); err != nil || tok.Subject() != "u-4711" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, raw := range map[string]string{
		"empty": "", "no JSON": b64("x") + "." + b64("{}") + ".", "a list": b64("{}") + "." + b64("[]") + ".",
		"one segment": b64("{}"), "no base64": "*.*.*", "too large": strings.Repeat(sound, 200),
	} {
		if tok, err := Decode(Raw(raw)); err == nil || tok != nil {
			t.Errorf("%s: decoded", name)
		}
	}
}

func TestAccessorsOfWrongTypesGiveNothing(t *testing.T) {
	tok, err := Decode(mint(object{
		"iat": "1", "exp": 1e300, "sub": 1, "name": nil, "email": object{}, "email_verified": "true", "phone_number": 47,
		"phone_number_verified": 1, "picture": []string{"x"}, "chat": object{"id": 7, "webhook_domains": []any{"a.example", 1, nil}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	if tok.Subject()+tok.Name()+tok.Email()+tok.Phone()+tok.Picture()+tok.ChatID() != "" || tok.EmailVerified() || tok.PhoneVerified() {
		t.Error("a value of the wrong type was read")
	}
	if !tok.IssuedAt().IsZero() || !tok.Expires().IsZero() {
		t.Error("a time of the wrong type was read")
	}
	if got := tok.WebhookDomains(); !reflect.DeepEqual(got, []string{"a.example"}) {
		t.Errorf("webhook domains %v", got)
	}
}

// That a time is written otherwise than in seconds is a rule's: it is told all the same.
func TestTimesInOtherUnitsAreRead(t *testing.T) {
	for name, written := range map[string]any{
		"seconds": now.Unix(), "milliseconds": now.UnixMilli(), "nanoseconds": now.UnixNano(), "ticks of .NET": now.Unix()*1e7 + ticksTo1970, "text": fmt.Sprint(now.Unix()), "a fraction": lit(fmt.Sprintf("%d.75", now.Unix())),
	} {
		tok, err := Decode(mint(object{"exp": written}))
		if err != nil {
			t.Fatal(err)
		}
		if got := tok.Expires().Unix(); got != now.Unix() {
			t.Errorf("%s: %d, want %d", name, got, now.Unix())
		}
	}
}

func TestValueIsSafeWhereNothingIs(t *testing.T) {
	var v Value
	if v.Get("a").Get("b").Exists() || len(v.Members()) > 0 || v.Kind() != Missing || v.JSON() != "" {
		t.Error("the zero value holds something")
	}
	if b, err := json.Marshal(v); err != nil || string(b) != "null" {
		t.Errorf("marshals as %s, %v", b, err)
	}
}

func TestParseJSON(t *testing.T) {
	good := []string{
		"0", "-0", "12", "-1.5", "1e3", "1E+3", "0.1e-9", `""`, `"a"`, `"\u00e6\n\"\\\/"`, `"\ud83d\ude00"`, `"\ud800"`, `"\ud800\u0041"`,
		"true", "false", "null", "[]", "[ ]", "[1,2]", "{}", "{ }", `{"a":1}`, " { \"a\" : [ 1 , { } ] } \n", `{"a":1,"a":2}`,
		strings.Repeat("[", 64) + strings.Repeat("]", 64),
	}
	bad := []string{
		"", " ", "01", "-", "+1", "1.", ".1", "1e", "0x1", "NaN", "Infinity", "'a'", `"`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"\n\"", "\"\x00\"", `"\`,
		"tru", "nul", "[", "[1", "[1,", "[1,]", "[,1]", "{", `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{a:1}`, `{"a" 1}`, `{1:1}`, "1 2", "{}{}", "//", "{} x",
		"\ufeff{}", "\"\xff\"", "\x00", "{\x00}", strings.Repeat("[", 66) + strings.Repeat("]", 66), strings.Repeat("[", 50_000),
	}
	for _, s := range good {
		if v, err := parseJSON(s); err != nil || v.JSON() != strings.TrimSpace(s) {
			t.Errorf("%.40q: %q, %v", s, v.JSON(), err)
		}
	}
	for _, s := range bad {
		if _, err := parseJSON(s); err == nil {
			t.Errorf("%.40q is accepted", s)
		}
	}
}

// FuzzParseJSON compares with encoding/json, which is as strict but for UTF-8
// and depth.
func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{mintJSON(nil), `{"a":[1,-0.5e+7,"\ud83d\ude00\ud800x",null,true,{}]}`, "[[[", "01", `"\u00`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseJSON(s)
		if err == nil && !json.Valid([]byte(s)) {
			t.Fatalf("%q is accepted", s)
		}
		if err != nil {
			if text := err.Error(); json.Valid([]byte(s)) && !strings.Contains(text, "UTF-8") && !strings.Contains(text, "levels") {
				t.Fatalf("%q is refused: %v", s, err)
			}
			return
		}
		if v.Kind() == String {
			var want string
			if err := json.Unmarshal([]byte(s), &want); err != nil || want != v.text {
				t.Fatalf("%q reads %q, encoding/json reads %q", s, v.text, want)
			}
		}
		if b, err := json.Marshal(v); err != nil || !json.Valid(b) {
			t.Fatalf("%q marshals as %q, %v", s, b, err)
		}
	})
}
