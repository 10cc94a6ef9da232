package webhook

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

func TestParseAnswerWhole(t *testing.T) {
	a, problems, err := ParseAnswer([]byte(`{
		"reply": "Hi <b>Ada</b>\n\nHow are you?", "exchange_slug": "order",
		"new_context": {"order": 42, "big": 1e400},
		"buttons": [{"button_type": "link", "label": "Site", "value": "https://example.com/"},
		            {"button_type": "takeover_request", "label": "Human"}],
		"image_carousel": [{"id": 7, "imageUrl": "https://example.com/a.png", "title": "A", "altText": "an A",
		                    "description": "d", "linkUrl": "https://example.com/", "newTab": true}],
		"aiReply": {"data": [null, {"x": "y"}]}, "own": {"status": "ok"}}`))
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v, %v", problems, err)
	}
	want := Answer{
		Reply: "Hi <b>Ada</b>\n\nHow are you?", ExchangeSlug: "order",
		NewContext: map[string]any{"order": json.Number("42"), "big": json.Number("1e400")},
		Buttons: []Button{{Type: "link", Label: "Site", Value: "https://example.com/"},
			{Type: "takeover_request", Label: "Human"}},
		ImageCarousel: []Image{{ImageURL: "https://example.com/a.png", Title: "A", AltText: "an A",
			Description: "d", LinkURL: "https://example.com/", NewTab: true}},
		AIReply: &AIReply{Data: []any{nil, map[string]any{"x": "y"}}},
	}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("got  %+v\nwant %+v", a, want)
	}
}

func TestParseAnswerProblems(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"a reply", `{"reply":"hi"}`, ""},
		{"an empty reply", `{"reply":""}`, ""},
		{"a member of one's own", `{"reply":"hi","status":"ok","data":{}}`, ""},
		{"an empty object", `{}`, "RESP-EMPTY INFO "},
		{"nothing that Kindly reads", `{"status":"ok"}`, "RESP-EMPTY SHOULD "},

		{"an empty body", "", "RESP-JSON MUST "},
		{"white space", " \n", "RESP-JSON MUST "},
		{"text", "OK", "RESP-JSON MUST "},
		{"HTML", "<!doctype html>", "RESP-JSON MUST "},
		{"a list", `[{"reply":"hi"}]`, "RESP-JSON MUST "},
		{"null", `null`, "RESP-JSON MUST "},
		{"a string", `"hi"`, "RESP-JSON MUST "},
		{"two objects", `{"reply":"hi"}{}`, "RESP-JSON MUST "},
		{"a trailing comma", `{"reply":"hi",}`, "RESP-JSON MUST "},
		{"bad UTF-8", "{\"reply\":\"\xff\"}", "RESP-JSON MUST "},
		{"gzip", "\x1f\x8b\x08", "RESP-JSON MUST "},
		{"too deep", `{"aiReply":{"data":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}}`, "RESP-JSON MUST "},
		{"just not too deep", `{"aiReply":{"data":` + strings.Repeat("[", 98) + strings.Repeat("]", 98) + `}}`, ""},
		{"absurdly deep", strings.Repeat("[", 100000), "RESP-JSON MUST "},
		{"too many values", `{"own":[` + strings.Repeat("{},", maxValues) + `{}]}`, "RESP-JSON MUST "},
		{"just not too many", `{"own":[` + strings.Repeat("{},", maxValues-4) + `{}],"reply":"a"}`, ""},
		{"too long", `{"reply":"` + strings.Repeat("a", MaxAnswer) + `"}`, "RESP-JSON MUST "},
		{"a byte order mark", "\ufeff{\"reply\":\"hi\"}", "RESP-JSON SHOULD "},
		{"a member twice", `{"reply":"a","reply":"b"}`, "RESP-JSON SHOULD "},
		{"a member twice inside", `{"buttons":[{"button_type":"link","label":"a","label":"b","value":"c"}]}`, "RESP-JSON SHOULD buttons"},

		{"reply is a list", `{"reply":["hi"]}`, "RESP-FIELDS MUST reply"},
		{"reply is null", `{"exchange_slug":"a","reply":null}`, "RESP-FIELDS SHOULD reply"},
		{"slug is a number", `{"exchange_slug":7}`, "RESP-FIELDS MUST exchange_slug"},
		{"context is a string", `{"new_context":"{}"}`, "RESP-FIELDS MUST new_context"},
		{"buttons is an object", `{"buttons":{"button_type":"link"}}`, "RESP-FIELDS MUST buttons"},
		{"a button is a string", `{"buttons":["yes"]}`, "RESP-FIELDS MUST buttons[0]"},
		{"a button's value is a number", `{"buttons":[{"button_type":"link","label":"a","value":"b"},{"button_type":"phone","label":"Call","value":12345678}]}`,
			"RESP-FIELDS MUST buttons[1].value"},
		{"a link without a value", `{"buttons":[{"button_type":"link","label":"a"}]}`, "RESP-FIELDS MUST buttons[0].value"},
		{"a quick reply without a value", `{"buttons":[{"button_type":"quick_reply","label":"a"}]}`, "RESP-FIELDS SHOULD buttons[0].value"},
		{"a button without a label", `{"buttons":[{"button_type":"abort_followup"}]}`, "RESP-FIELDS MUST buttons[0].label"},
		{"an unknown type is a note", `{"buttons":[{"button_type":"confetti","label":"a"}]}`, "RESP-FIELDS INFO buttons[0].button_type"},
		{"carousel is an object", `{"image_carousel":{}}`, "RESP-FIELDS MUST image_carousel"},
		{"an image without a URL", `{"image_carousel":[{"title":"a","altText":"b"}]}`, "RESP-FIELDS MUST image_carousel[0].imageUrl"},
		{"an image without alt text", `{"image_carousel":[{"imageUrl":"u","title":"a"}]}`, "RESP-FIELDS SHOULD image_carousel[0].altText"},
		{"newTab is a string", `{"image_carousel":[{"imageUrl":"u","title":"a","altText":"b","newTab":"true"}]}`,
			"RESP-FIELDS MUST image_carousel[0].newTab"},
		{"aiReply is a string", `{"aiReply":"hi"}`, "RESP-FIELDS MUST aiReply"},
		{"aiReply without data", `{"aiReply":{}}`, "RESP-FIELDS MUST aiReply.data"},
		{"aiReply with null data", `{"aiReply":{"data":null}}`, ""},

		{"message for reply", `{"message":"hi"}`, "RESP-FIELD-NAMES SHOULD message, RESP-EMPTY SHOULD "},
		{"Reply for reply", `{"Reply":"hi","exchange_slug":"a"}`, "RESP-FIELD-NAMES SHOULD Reply"},
		{"message beside reply is one's own", `{"reply":"hi","message":"sent"}`, ""},
		{"a message that is no text", `{"exchange_slug":"a","message":{"id":1}}`, ""},
		{"newContext", `{"reply":"hi","newContext":{"a":1}}`, "RESP-FIELD-NAMES SHOULD newContext"},
		{"context", `{"reply":"hi","context":{"a":1}}`, "RESP-FIELD-NAMES SHOULD context"},
		{"exchangeSlug", `{"reply":"hi","exchangeSlug":"a"}`, "RESP-FIELD-NAMES SHOULD exchangeSlug"},
		{"quick_replies", `{"reply":"hi","quick_replies":["a"]}`, "RESP-FIELD-NAMES SHOULD quick_replies"},
		{"carousel", `{"reply":"hi","carousel":[]}`, "RESP-FIELD-NAMES SHOULD carousel"},
		{"image_url", `{"reply":"hi","image_url":"u"}`, "RESP-FIELD-NAMES SHOULD image_url"},
		{"ai_reply", `{"ai_reply":{"data":1},"reply":"hi"}`, "RESP-FIELD-NAMES SHOULD ai_reply"},
		{"the look-alike of a null", `{"reply":null,"text":"hi","exchange_slug":"a"}`, "RESP-FIELDS SHOULD reply, RESP-FIELD-NAMES SHOULD text"},
		{"type and title in a button", `{"buttons":[{"type":"link","title":"a","value":"b"}]}`,
			"RESP-FIELD-NAMES SHOULD buttons[0].title, RESP-FIELD-NAMES SHOULD buttons[0].type, RESP-FIELDS MUST buttons[0].button_type, RESP-FIELDS MUST buttons[0].label"},
		{"alt_text in an image", `{"image_carousel":[{"imageUrl":"u","title":"a","alt_text":"b"}]}`,
			"RESP-FIELD-NAMES SHOULD image_carousel[0].alt_text, RESP-FIELDS SHOULD image_carousel[0].altText"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, problems, err := ParseAnswer([]byte(tt.body))
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%s %s %s", p.Rule.ID, p.Level, p.Path))
				if p.Expected == "" || p.Actual == "" || p.Fix == "" {
					t.Errorf("a problem says too little: %+v", p)
				}
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("got  %s\nwant %s\n%v", s, tt.want, problems)
			}
			if (err != nil) != strings.HasPrefix(tt.want, "RESP-JSON MUST") {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestLookAlikeSaysWhichIsMeant(t *testing.T) {
	_, problems, _ := ParseAnswer([]byte(`{"reply":"hi","newContext":{}}`))
	if len(problems) != 1 || problems[0].Fix != "Rename newContext to new_context." {
		t.Errorf("got %v", problems)
	}
}

func TestWhatStandsBesideAnEmptyFieldIsMeantForIt(t *testing.T) {
	for body, want := range map[string]int{`{"reply":"","text":"hi"}`: 1, `{"reply":"hi","text":"hi"}`: 0} {
		_, problems, _ := ParseAnswer([]byte(body))
		problems = slices.DeleteFunc(problems, func(p Problem) bool { return p.Rule.ID != RespFieldNames.ID })
		if len(problems) != want {
			t.Errorf("%s: %v, want %d of %s", body, problems, want, RespFieldNames.ID)
		}
	}
}

func TestSyntaxErrorSaysWhere(t *testing.T) {
	_, problems, _ := ParseAnswer([]byte("{\n  \"reply\": 'hi'\n}"))
	if want := "line 2, column 12"; !strings.Contains(problems[0].Actual, want) {
		t.Errorf("%q does not say %q", problems[0].Actual, want)
	}
}

// A flood of notes must hide no failure, and cost little.
func TestProblemsAreBounded(t *testing.T) {
	body := `{"buttons":[` + strings.Repeat(`{"button_type":"x","label":"a"},`, 10_000) + `7]}`
	_, problems, err := ParseAnswer([]byte(body))
	if err != nil || len(problems) != maxProblems+1 {
		t.Fatalf("%d problems, %v", len(problems), err)
	}
	lost := true
	for _, p := range problems {
		lost = lost && (p.Level != rule.Must || p.Path != "buttons[10000]")
	}
	if lost {
		t.Errorf("the failure is lost: %v", problems)
	}
}

func TestProblemsQuoteNoValue(t *testing.T) {
	const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJlc2lnbmF0dXJl"
	for _, body := range []string{
		jwt, `"` + jwt + `"`, `{"` + jwt + `":1,"` + jwt + `":2}`, `{"message":"` + jwt + `"}`,
		`{"reply":["` + jwt + `"]}`, `{"buttons":[{"button_type":"` + jwt + `","label":"a"}]}`, `{"reply":` + jwt + `}`,
	} {
		_, problems, err := ParseAnswer([]byte(body))
		if len(problems) == 0 {
			t.Errorf("no problem with %s", body)
		}
		if s := fmt.Sprint(problems, err); strings.Contains(s, "c2lnbmF0dXJl") {
			t.Errorf("the token is in %s", s)
		}
	}
}

func FuzzParseAnswer(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `null`, `[]`, `{"reply":"hi"}`, "\ufeff{}", `{"a":1,"a":2}`, `{"reply":1e999}`, `{"reply":"\ud800"}`,
		`{"buttons":[{"button_type":"link","label":"a","value":null},7,{"type":"x"}]}`,
		`{"image_carousel":[{"image_url":"u"}],"aiReply":{"data":[[[]]]},"newContext":{}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, problems, err := ParseAnswer(body)
		if len(problems) > 3*maxProblems {
			t.Fatalf("%d problems", len(problems))
		}
		unreadable := false
		for _, p := range problems {
			unreadable = unreadable || p.Rule.ID == RespJSON.ID && p.Level == rule.Must
			if p.Rule.ID == "" || p.Level == "" || p.Expected == "" || p.Actual == "" || p.Fix == "" {
				t.Fatalf("a problem says too little: %+v", p)
			}
		}
		var object map[string]json.RawMessage
		isObject := json.Unmarshal(body, &object) == nil && object != nil
		if unreadable != (err != nil) || err == nil && !isObject && !strings.HasPrefix(string(body), "\ufeff") {
			t.Fatalf("err %v, problems %v", err, problems)
		}
		if _, err := json.Marshal(a); err != nil {
			t.Fatalf("the answer cannot be passed on: %v", err)
		}
	})
}

func BenchmarkParseAnswer(b *testing.B) {
	body := []byte(`{"reply":"hi","buttons":[{"button_type":"link","label":"a","value":"b"}],"new_context":{"a":1}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ParseAnswer(body); err != nil {
			b.Fatal(err)
		}
	}
}
