package forge

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

var validBody = []byte(`{"chat_id":"6f1c9b52-3c55-4f5e-9e0b-0d7d1c7d3a11","message":"blåbær, \"så\" 🫐","n":1.0,"web_url":"https://a.example/b"}`)

func TestBodies(t *testing.T) {
	for _, check := range []string{"LIVE-HOOK-BODY", "LIVE-AUTH-BODY", "AUTH-BODY-MALFORMED"} {
		bodies, err := Bodies(check, validBody)
		if err != nil || len(bodies) == 0 {
			t.Fatalf("%s: %d bodies, %v", check, len(bodies), err)
		}
		names := map[string]bool{}
		for _, b := range bodies {
			if names[b.Name] || b.Why == "" || b.ContentType == "" {
				t.Errorf("%s, %s: comes twice, or is not explained", check, b.Name)
			}
			names[b.Name] = true
			if object := isObject(b.Bytes); object != (b.Want == NoServerError) {
				t.Errorf("%s, %s: is a JSON object: %v, yet %q is wanted", check, b.Name, object, b.Want)
			}
			if len(b.Bytes) > 3<<19 {
				t.Errorf("%s, %s has %d bytes", check, b.Name, len(b.Bytes))
			}
		}
	}
	if bodies, err := Bodies("RESP-JSON", validBody); bodies != nil || err != nil {
		t.Errorf("a check without bodies has %d, %v", len(bodies), err)
	}
	if _, err := Bodies("LIVE-HOOK-BODY", []byte("[]")); err == nil {
		t.Error("a valid body that is no object is taken")
	}
}

// isObject also takes what is too deep for encoding/json.
func isObject(data []byte) bool {
	var m map[string]json.RawMessage
	err := json.Unmarshal(data, &m)
	return err == nil && m != nil || err != nil && strings.Contains(err.Error(), "max depth")
}

func TestHeavyBodiesKeepTheValidFields(t *testing.T) {
	bodies, err := heavy(validBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bodies {
		if !bytes.HasPrefix(b.Bytes, validBody[:len(validBody)-1]) {
			t.Errorf("%s: %.100s", b.Name, b.Bytes)
		}
	}
}

func TestChatIDs(t *testing.T) {
	for _, check := range []string{"AUTH-CHATID-TYPE", "AUTH-CHATID-HOSTILE"} {
		values := ChatIDs(check)
		if len(values) == 0 {
			t.Fatalf("%s has none", check)
		}
		for _, v := range values {
			body, err := With(validBody, "chat_id", v.JSON)
			if err != nil || !json.Valid(body) {
				t.Errorf("%s, %s: cannot be put into a body: %v", check, v.Name, err)
			}
			var decoded any
			if err := json.Unmarshal(v.JSON, &decoded); err != nil {
				t.Errorf("%s, %s: %v", check, v.Name, err)
			}
			if s, ok := decoded.(string); v.IsString && (!ok || s != v.String) || ok && !v.IsString && utf8.ValidString(s) && !strings.ContainsRune(s, utf8.RuneError) {
				t.Errorf("%s, %s: decodes to %.40q, not to %.40q", check, v.Name, decoded, v.String)
			}
			if _, ok := decoded.(string); ok && v.String != "" && check == "AUTH-CHATID-TYPE" {
				t.Errorf("%s: %s is a usable string", check, v.Name)
			}
		}
	}
	if ChatIDs("AUTH-FRESH") != nil {
		t.Error("a check without chat ids has some")
	}
}

func TestRawJSONMeansTheSame(t *testing.T) {
	spellings, err := RawJSON(validBody)
	if err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal(validBody, &want); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{string(validBody): "the payload"}
	for _, s := range spellings {
		var got any
		if err := json.Unmarshal(s.Bytes, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s means something else: %s, %v", s.Name, s.Bytes, err)
		}
		if before, ok := seen[string(s.Bytes)]; ok {
			t.Errorf("%s is like %s", s.Name, before)
		}
		seen[string(s.Bytes)] = s.Name
	}
	for _, want := range []string{`bl\u00e5b\u00e6r, \"s\u00e5\" \ud83e\uded0`, `https:\/\/a.example\/b`, `"\u0063hat_id"`, `": 1.0`} {
		if !strings.Contains(joined(spellings), want) {
			t.Errorf("no spelling has %s", want)
		}
	}
	escaped, err := RawJSON([]byte(`{"m":"\u00e6 \"q\""}`))
	if err != nil || !strings.Contains(joined(escaped), `{"m":"æ \"q\""}`) {
		t.Errorf("no spelling without escapes: %s, %v", joined(escaped), err)
	}
}

func joined(spellings []Spelling) string {
	var b strings.Builder
	for _, s := range spellings {
		b.Write(append(s.Bytes, '\n'))
	}
	return b.String()
}

func TestSignaturesAreWrong(t *testing.T) {
	sum := sha256.Sum256([]byte("body"))
	sum[0] = 0xff // so that the base64 has a slash
	correct := base64.StdEncoding.EncodeToString(sum[:])
	spellings, err := Signatures(correct)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, s := range spellings {
		names[s.Name] = true
		if decoded, err := base64.StdEncoding.DecodeString(string(s.Bytes)); err == nil && bytes.Equal(decoded, sum[:]) {
			t.Errorf("%s is correct", s.Name)
		}
		if strings.ContainsAny(string(s.Bytes), "\r\n\x00") {
			t.Errorf("%s cannot be a header", s.Name)
		}
	}
	if !names["base64url"] || !names["hex"] || !names["empty"] {
		t.Errorf("some are missing: %v", names)
	}
	alike, err := Signatures(base64.StdEncoding.EncodeToString(make([]byte, 30)))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range alike {
		if s.Name == "base64url" {
			t.Error("base64url is listed where it is no different")
		}
	}
	if _, err := Signatures("not base64"); err == nil || strings.Contains(err.Error(), "not base64") {
		t.Errorf("got %v, want an error that does not quote the signature", err)
	}
}

func TestWithout(t *testing.T) {
	got, err := Without(validBody, "chat_id")
	if err != nil || strings.Contains(string(got), "chat_id") || !strings.Contains(string(got), `"n":1.0`) {
		t.Errorf("%s, %v", got, err)
	}
}
