package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/redact"
)

const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1LTQ3MTEiLCJuYW1lIjoiQWRhIn0.c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4tdGhhdC1pcy1sb25n"

const body = `{"bot_id":4711,"chat_id":"6f1c8f3e-2b7a-4c59-9d1e-0a4b5c6d7e8f","user_id":"6f1c8f3e-2b7a-4c59-9d1e-0a4b5c6d7e8f",
"message":"I am Ada Lovelace","context":{"email":"ada@lovelace.example","phone":"+47 900 00 000","customer":90071,"member":true,"Ada L.":"x","since":"2019-05-04"},
"exchange":{"exchange_id":"0b5c0a4e-7a51-4f0e-9a3e-111111111111","language_code":"nb","exchange_slug":"order"},
"_links":{"chat":"https://api.kindly.example/chats/6f1c8f3e-2b7a-4c59-9d1e-0a4b5c6d7e8f"},"source":"web","web_url":"https://shop.example/users/augusta?mail=ada@lovelace.example"}`

func delivery() Delivery {
	return Delivery{
		At: time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC), TookMS: 1.5,
		Request: Request{
			Protocol: "HTTP/1.1", Method: "POST", Host: "abc.tunnel.example", Path: "/kindly?who=augusta", Size: len(body), Signature: "right", Token: "accepted",
			Headers: []Header{
				{"content-type", "application/json"}, {"Kindly-HMAC", "uEeD0Q7eW9btdx6LFvvlpwkzQBWdbknsQkg1C27Cx7Q="}, {"Authorization", "Bearer " + jwt},
				{"Cookie", "session=a-cookie-that-nobody-may-see"}, {"X-User", "ada@lovelace.example"}, {"User-Agent", "Kindly/7"},
			},
		},
		Answer: &Answer{Status: 200, Headers: []Header{{"Set-Cookie", "id=another-cookie; Path=/"}, {"X-Key", "the-shared-secret"}}, Size: 2},
	}
}

func record(t *testing.T, o Options, times int) (text string, all []Delivery) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kindly.jsonl")
	r, err := Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	for range times {
		if _, err := r.Write(delivery(), []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(path) // before Close: it is there when Write returns
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write(delivery(), nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a closed recording takes a delivery: %v", err)
	}
	for d, err := range Read(bytes.NewReader(written)) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	if len(all) != times {
		t.Fatalf("%d of %d deliveries are there", len(all), times)
	}
	return string(written), all
}

// secrets must not be in any recording, personal values in none without KeepValues.
// None is made of letters that a stand-in or a digest, in hex, may have by chance.
var (
	secrets  = []string{"uEeD0Q7eW9", "c2lnbmF0dXJl", "eyJzdWIi", "nobody-may-see", "another-cookie", "the-shared-secret"}
	personal = []string{"Ada", "augusta", "ada@", "lovelace", ":90071", "900 00", "2019-05", "6f1c8f3e"}
)

func TestRecordingHoldsNoCredential(t *testing.T) {
	for _, keep := range []bool{false, true} {
		known := &redact.Redactor{}
		known.Learn("the-shared-secret")
		text, _ := record(t, Options{KeepValues: keep, Redact: known}, 1)
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("keep %t: %q is in %s", keep, secret, text)
			}
		}
		for _, value := range personal {
			if strings.Contains(text, value) != keep {
				t.Errorf("keep %t: %q is in the line: %t\n%s", keep, value, !keep, text)
			}
		}
	}
}

func TestStandInsLookLikeWhatTheyReplace(t *testing.T) {
	_, all := record(t, Options{}, 2)
	var first, own map[string]any
	for text, into := range map[string]*map[string]any{string(all[0].Request.Body): &first, body: &own} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	if text, again := string(all[0].Request.Body), string(all[1].Request.Body); text != again || all[0].Request.Digest != all[1].Request.Digest {
		t.Errorf("the same body gives\n%s\nand\n%s", text, again)
	}
	if first["chat_id"] != first["user_id"] {
		t.Error("equal values have different stand-ins")
	}
	for _, name := range []string{"bot_id", "exchange", "source"} {
		got, _ := json.Marshal(first[name])
		want, _ := json.Marshal(own[name])
		if string(got) != string(want) {
			t.Errorf("%s is %s, and says nothing of a person", name, got)
		}
	}
	context, before := first["context"].(map[string]any), own["context"].(map[string]any)
	for name, value := range before {
		if text, ok := value.(string); ok && name != "Ada L." && FormatOf(context[name].(string)) != FormatOf(text) {
			t.Errorf("%s: %v stands for %v", name, context[name], text)
		}
	}
	if n := context["customer"].(float64); n < 10_000 || n > 99_999 || context["member"] != true {
		t.Errorf("the context is %v", context)
	}
	if link := first["_links"].(map[string]any)["chat"].(string); !strings.HasPrefix(link, "https://api.kindly.example/") {
		t.Errorf("the link is %s", link)
	}
}

func TestAnotherRunHasOtherStandIns(t *testing.T) {
	_, one := record(t, Options{}, 1)
	_, two := record(t, Options{}, 1)
	if one[0].Request.Digest == two[0].Request.Digest || string(one[0].Request.Body) == string(two[0].Request.Body) || one[0].Run == two[0].Run {
		t.Error("stand-ins don't depend on a key: they can be looked up")
	}
	key := bytes.Repeat([]byte{7}, 64)
	_, three := record(t, Options{Rand: bytes.NewReader(key)}, 1)
	_, four := record(t, Options{Rand: bytes.NewReader(key)}, 1)
	if three[0].Request.Digest != four[0].Request.Digest {
		t.Error("the randomness is not what was given")
	}
}

func TestALineIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kindly.jsonl")
	r, err := Create(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	d := delivery()
	for range 3000 {
		d.Request.Headers = append(d.Request.Headers, Header{"X-" + strings.Repeat("a", 90), "1"})
	}
	if _, err := r.Write(d, []byte(`{"message":"`+strings.Repeat("a", MaxBody)+`"}`)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || len(text) > MaxLine {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
}

func TestReadGoesOnBehindALineThatIsNone(t *testing.T) {
	text, _ := record(t, Options{}, 1)
	long := `{"v":1,"x":"` + strings.Repeat("a", 2*MaxLine) + "\"}\n"
	var found []string
	for _, err := range Read(strings.NewReader(text + "hello\n\n" + long + `{"v":9}` + "\n" + text + text[:40])) {
		if err == nil {
			found = append(found, "ok")
			continue
		}
		var line *LineError
		if !errors.As(err, &line) {
			t.Fatal(err)
		}
		found = append(found, err.Error())
	}
	want := []string{"ok", "line 2: it is no delivery in JSON", "line 4: it is longer than 262144 bytes",
		"line 5: it is of version 9, and this kindlytest reads 1", "ok", "line 7: " + ErrUnfinished.Error()}
	if strings.Join(found, "\n") != strings.Join(want, "\n") {
		t.Errorf("found\n%s", strings.Join(found, "\n"))
	}
}

// What is somebody else's is left as it is.
func TestOnlyRecordingsAreAppendedTo(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		ours bool
	}{
		"empty":                {"", true},
		"a recording":          {"{\"v\":1}\n", true},
		"killed at once":       {"{\"v", true},
		"a report":             {"{\n  \"schema\": 2\n}\n", false},
		"a program":            {"const http = 1;\n", false},
		"a line, and no other": {"\n", false},
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Create(path, Options{})
		if (err == nil) != row.ours {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != row.text {
			t.Errorf("%s: the file is %q, %v", name, text, err)
		}
	}
	if _, err := Create(os.DevNull, Options{}); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a device: %v", err)
	}
}

func TestAKilledRecordingGoesOnOnALineOfItsOwn(t *testing.T) {
	text, _ := record(t, Options{}, 1)
	path := filepath.Join(t.TempDir(), "kindly.jsonl")
	if err := os.WriteFile(path, []byte(text+text[:40]), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Create(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	line, err := r.Write(delivery(), []byte(body))
	if err := errors.Join(err, r.Close()); err != nil || line != 3 {
		t.Fatalf("it is line %d, after a whole one and one that was left open: %v", line, err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	good, bad := 0, 0
	for _, err := range Read(file) {
		if err != nil {
			bad++
		} else {
			good++
		}
	}
	if good != 2 || bad != 1 {
		t.Errorf("%d good and %d bad lines", good, bad)
	}
}

func FuzzParse(f *testing.F) {
	line, err := encode(Delivery{Version: 1, Run: "a", Number: 1, At: time.Unix(1, 0).UTC(), Request: Request{Method: "POST", Headers: []Header{{"a", "b"}}, Body: json.RawMessage(`{"a":1}`)}, Answer: &Answer{Status: 200}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(`{"v":1}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		d, err := Parse(line)
		if err != nil {
			return
		}
		text, err := encode(d)
		if err != nil {
			return // a time that JSON has no form for
		}
		if again, err := Parse(bytes.TrimSpace(text)); err != nil && len(text) <= MaxLine {
			t.Errorf("%s is a delivery, and %s is none: %v, %+v", line, text, err, again)
		}
	})
}

// FuzzStandIn looks for bodies that are not written as JSON, or not twice alike.
func FuzzStandIn(f *testing.F) {
	f.Add([]byte(body))
	f.Add([]byte(`{"a":[1e400,-0,"\u0000",{"":null}]}`))
	r := &Recorder{stand: standIns{[]byte("key")}}
	f.Fuzz(func(t *testing.T, body []byte) {
		one := r.body(body)
		if one != nil && (!json.Valid(one) || !bytes.Equal(one, r.body(body))) {
			t.Errorf("%q becomes %s", body, one)
		}
	})
}
