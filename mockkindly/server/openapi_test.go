package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const openAPIName = "openapi.json"

// description is openapi.yaml as JSON, and a compiler that knows it.
func description(t *testing.T) (map[string]any, *jsonschema.Compiler) {
	t.Helper()
	text, err := yaml.YAMLToJSON(OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(openAPIName, doc); err != nil {
		t.Fatal(err)
	}
	return doc.(map[string]any), c
}

func TestOpenAPIMeetsItsSchema(t *testing.T) {
	doc, c := description(t)
	for name := range at(doc, "components", "schemas") {
		if _, err := c.Compile(openAPIName + "#/components/schemas/" + name); err != nil {
			t.Error(err)
		}
	}
	c = jsonschema.NewCompiler() // formats are not asserted: the schema takes a $ref for an absolute URI
	file, err := os.Open("testdata/openapi-schema-3.1.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	meta, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource("meta.json", meta); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("meta.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Error(err)
	}
}

// TestOpenAPIHasNoKeyWithoutAValue finds unquoted text with a comma, which ends
// within { } at the comma: the rest is a key that nobody meant.
func TestOpenAPIHasNoKeyWithoutAValue(t *testing.T) {
	doc, _ := description(t)
	var look func(where string, v any)
	look = func(where string, v any) {
		switch v := v.(type) {
		case nil:
			t.Errorf("%s has no value", where)
		case map[string]any:
			for key, inner := range v {
				look(where+"/"+key, inner)
			}
		case []any:
			for i, inner := range v {
				look(fmt.Sprint(where, "/", i), inner)
			}
		}
	}
	look("", doc)
	for i, line := range strings.Split(string(OpenAPI()), "\n") {
		for text := range strings.SplitSeq(line, "description: ") {
			if strings.Contains(line, "{") && !strings.HasPrefix(text, `"`) && strings.Contains(text, "; ") {
				t.Errorf("line %d: text with a semicolon is to be quoted", i+1)
			}
		}
	}
}

// What strict linters ask beside the schema: whatever is required is described, and
// each operation says how it refuses.
func TestOpenAPIDescribesWhatItRequires(t *testing.T) {
	doc, _ := description(t)
	var look func(where string, v any)
	look = func(where string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if required, ok := v["required"].([]any); ok {
				for _, name := range required {
					if _, described := at(v, "properties")[name.(string)]; !described {
						t.Errorf("%s requires %s, and does not describe it", where, name)
					}
				}
			}
			if answers, ok := v["responses"].(map[string]any); ok && v["operationId"] != nil && !slices.ContainsFunc(slices.Collect(maps.Keys(answers)), func(status string) bool { return status[0] == '4' }) {
				t.Errorf("%s does not say how it refuses", where)
			}
			for key, inner := range v {
				look(where+"/"+key, inner)
			}
		case []any:
			for i, inner := range v {
				look(fmt.Sprint(where, "/", i), inner)
			}
		}
	}
	look("", doc)
}

func TestOpenAPINamesTheServerThatItCameFrom(t *testing.T) {
	w := doAt(newMock(t, mockkindly.Options{}), "kindly.test:8123", "GET", "/openapi.yaml", "", "", "")
	var doc struct{ Servers []struct{ URL string } }
	if err := yaml.Unmarshal(w.Body.Bytes(), &doc); err != nil || len(doc.Servers) != 1 || doc.Servers[0].URL != "http://kindly.test:8123" {
		t.Errorf("%v: the servers are %v", err, doc.Servers)
	}
}

// at walks down objects.
func at(v any, keys ...string) map[string]any {
	for _, k := range keys {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	m, _ := v.(map[string]any)
	return m
}

func TestOpenAPIHasEveryRoute(t *testing.T) {
	doc, _ := description(t)
	tags := map[side]string{widgetSide: "widget", adminSide: "admin", serverSide: "application"}
	known := map[string]bool{}
	for _, rt := range (&server{}).table() {
		known[strings.ToLower(rt.method)+" "+rt.path] = true
		op := at(doc, "paths", rt.path, strings.ToLower(rt.method))
		if got := fmt.Sprint(op["tags"]); got != "["+tags[rt.side]+"]" {
			t.Errorf("%s %s has the tags %s", rt.method, rt.path, got)
		}
	}
	for path, item := range at(doc, "paths") {
		for method := range item.(map[string]any) {
			if method != "parameters" && !known[method+" "+path] {
				t.Errorf("there is no route %s %s", method, path)
			}
		}
	}
}

// checkAnswer compares an answer with what the description says of it.
func checkAnswer(t *testing.T, doc map[string]any, c *jsonschema.Compiler, method, path string, w *httptest.ResponseRecorder) {
	t.Helper()
	where := []string{"paths", path, strings.ToLower(method), "responses", fmt.Sprint(w.Code)}
	response := at(doc, where...)
	if ref, ok := response["$ref"].(string); ok {
		where = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		response = at(doc, where...)
	}
	if response == nil {
		t.Errorf("%s %s does not describe %d", method, path, w.Code)
		return
	}
	if w.Body.Len() == 0 {
		return
	}
	media, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
	if at(response, "content", media) == nil {
		t.Errorf("%s %s does not describe %s", method, path, media)
	}
	if !strings.HasSuffix(media, "json") {
		return
	}
	pointer := "#"
	for _, key := range append(where, "content", media, "schema") {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(key)
	}
	schema, err := c.Compile(openAPIName + pointer)
	if err != nil {
		t.Fatal(err)
	}
	got, err := jsonschema.UnmarshalJSON(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(got); err != nil {
		t.Errorf("%s %s: %v", method, path, err)
	}
}

func TestAnswersAreAsDescribed(t *testing.T) {
	doc, c := description(t)
	eachRoute(t, func(t *testing.T, k mock, rt route, path, body string, _ int) {
		checkAnswer(t, doc, c, rt.method, rt.path, do(k, rt.method, path, body))
	})
}

// TestEveryKindOfEventIsAsDescribed lets all of them happen.
func TestEveryKindOfEventIsAsDescribed(t *testing.T) {
	doc, c := description(t)
	hook := newHook(t, replying(`{"reply":"a\n\nb","buttons":[{"button_type":"link","label":"x","value":"https://a.example"}],"new_context":{"k":1},"exchange_slug":"bye","image_carousel":[{"imageUrl":"https://a.example/i.png"}],"Reply":1}`))
	k := newMock(t, mockkindly.Options{Bots: []mockkindly.Bot{{Key: "bot", PublicKeys: mockkindly.MustBot("bot", publicPEM()).PublicKeys,
		Webhooks: []mockkindly.Webhook{{Name: "hook", URL: "https://hooks.example.com/", ConnectTo: hook.URL, Secret: "hush-hush"}, {Name: "dead", URL: "http://127.0.0.1:1/"}},
		Dialogues: []mockkindly.Dialogue{
			{Slug: "ask", Phrases: []string{"where is my order"}, Webhook: "hook"},
			{Slug: "bye", Answer: answering("Bye")},
			{Fallback: true, Webhook: "dead"},
		}}}})
	chat, raw := authenticated(t, k, "hooks.example.com")
	for _, reason := range []string{mockkindly.Expired, mockkindly.Forwarded} {
		if _, err := k.Authenticate(chat.ID, "no token", reason); err != nil {
			t.Fatal(err)
		}
	}
	base := "/mock/v1/chats/" + chat.ID
	for _, r := range []struct{ path, body string }{
		{"/mock/v1/client", `{"bot_key":"bot"}`},
		{base + "/token", `{"token":"` + raw.Secret() + `"}`},
		{base + "/callbacks", `{"phase":"called","reason":"EXPIRED"}`},
		{base + "/callbacks", `{"phase":"settled","reason":"EXPIRED","outcome":"threw","error":"oops"}`},
		{base + "/messages", `{"text":"Where is my order?!"}`},
		{base + "/messages", `{"text":"something else"}`},
		{base + "/messages", `{"slug":"unheard-of"}`},
	} {
		if w := do(k, "POST", r.path, r.body); w.Code >= 300 {
			t.Fatalf("%s: %d %s", r.path, w.Code, w.Body)
		}
	}
	seen := map[mockkindly.Kind]bool{}
	for _, e := range k.Journal().Events(0) {
		seen[e.Kind] = true
	}
	for _, kind := range mockkindly.Kinds() {
		if !seen[kind] {
			t.Errorf("nothing of the kind %s happened", kind)
		}
	}
	checkAnswer(t, doc, c, "GET", "/mock/v1/journal", do(k, "GET", "/mock/v1/journal?limit=1000", ""))
	checkAnswer(t, doc, c, "GET", "/mock/v1/chats/{id}", do(k, "GET", base, ""))
	checkAnswer(t, doc, c, "GET", "/mock/v1/users", do(k, "GET", "/mock/v1/users", ""))
	checkAnswer(t, doc, c, "GET", "/mock/v1/bots", do(k, "GET", "/mock/v1/bots", ""))
	checkAnswer(t, doc, c, "POST", "/mock/v1/chats/{id}/messages", do(k, "POST", base+"/messages", `{"text":"where is my order"}`))
	checkAnswer(t, doc, c, "POST", "/mock/v1/chats/{id}/token", do(k, "POST", base+"/token", `{"token":"x"}`))
	checkRoundTrip(t, k.Journal().Events(0))
}

// checkRoundTrip reads events back from their JSON form.
func checkRoundTrip(t *testing.T, events []mockkindly.Event) {
	t.Helper()
	for _, e := range events {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back mockkindly.Event
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		again, err := json.Marshal(back)
		if err != nil || !bytes.Equal(text, again) {
			t.Errorf("%v: was\n%s\nand is\n%s", err, text, again)
		}
	}
}
