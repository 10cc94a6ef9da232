package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
)

// asProblem checks that an answer is a problem, and returns its detail.
func asProblem(t *testing.T, status int, contentType string, body []byte) string {
	t.Helper()
	var p problem
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("the problem is not JSON: %v: %q", err, body)
	}
	if contentType != "application/problem+json" {
		t.Errorf("Content-Type is %q", contentType)
	}
	if !strings.HasPrefix(p.Type, problemType) || p.Title == "" || p.Detail == "" || p.Status != status {
		t.Errorf("status %d, problem is not complete: %s", status, body)
	}
	return p.Detail
}

// publicKeyJSON is the customer's public key as a JSON string.
func publicKeyJSON() string {
	b, _ := json.Marshal(string(publicPEM()))
	return string(b)
}

const unknownID = "00000000-0000-4000-8000-000000000000"

// routeCases has a good request for each route of the table, by method and path.
func routeCases(chatID string, tokenJSON string) map[string]struct {
	path, body string
	want       int
} {
	type c = struct {
		path, body string
		want       int
	}
	chat := "/mock/v1/chats/" + chatID
	return map[string]c{
		"GET /kindly-chat.js":      {"/kindly-chat.js", "", 200},
		"GET /kindly-chat-pure.js": {"/kindly-chat-pure.js", "", 200},
		"POST /mock/v1/client":     {"/mock/v1/client", `{"bot_key":"bot","build":"kindly-chat","script_id":"kindly-chat","callback":"function","new":1}`, 204},
		"POST /mock/v1/chats":      {"/mock/v1/chats", `{"bot_key":"bot","source":"web","web_host":"a.example","unknown":true}`, 201},
		"POST /mock/v1/chats/{id}/callbacks": {chat + "/callbacks",
			`{"phase":"settled","reason":"INITIAL_CONNECT","outcome":"token","sync":false,"elapsed_ms":12.5,"type":"string","error":"","length":50000000}`, 204},
		"POST /mock/v1/chats/{id}/token":        {chat + "/token", `{"token":` + tokenJSON + `,"reason":"INITIAL_CONNECT"}`, 200},
		"POST /mock/v1/chats/{id}/messages":     {chat + "/messages", `{"text":"hello","context":{"order":42}}`, 200},
		"GET /mock/v1/chats/{id}":               {chat, "", 200},
		"GET /mock/v1/chats":                    {"/mock/v1/chats?limit=1", "", 200},
		"GET /mock/v1/users":                    {"/mock/v1/users", "", 200},
		"GET /mock/v1/journal":                  {"/mock/v1/journal?limit=5&chat=" + chatID, "", 200},
		"GET /mock/v1/stream":                   {"/mock/v1/stream?after=0", "", 200},
		"GET /mock/v1/wait":                     {"/mock/v1/wait?kind=chat.created", "", 200},
		"POST /mock/v1/deliveries/{seq}/resend": {"/mock/v1/deliveries/3/resend", `{"token":"none"}`, 200},
		"GET /mock/v1/deliveries/{seq}/curl":    {"/mock/v1/deliveries/3/curl", "", 200},
		"GET /mock/v1/faults":                   {"/mock/v1/faults", "", 200},
		"PUT /mock/v1/faults":                   {"/mock/v1/faults", `{"call_twice":true}`, 200},
		"GET /mock/v1/bots":                     {"/mock/v1/bots", "", 200},
		"GET /openapi.yaml":                     {"/openapi.yaml", "", 200},
		"POST /api/v1/send":                     {"/api/v1/send", `{"user_id":"u-1","message":"hello","unknown":1}`, 200},
		"POST /api/v1/greet":                    {"/api/v1/greet", `{"user_id":"u-1"}`, 200},
		"POST /mock/v1/bots":                    {"/mock/v1/bots", `{"key":"new","public_keys":[{"name":"k","pem":` + publicKeyJSON() + `}],"webhooks":[{"url":"https://hooks.example.com/","hmac_secret":"hush-hush"}]}`, 201},
		"GET /mock/v1/bots/{key}":               {"/mock/v1/bots/bot", "", 200},
		"POST /mock/v1/reset":                   {"/mock/v1/reset", "", 204},
		"GET /mock/v1/health":                   {"/mock/v1/health", "", 200},

		"GET /mock/v1/checks":                   {"/mock/v1/checks", "", 200},
		"GET /mock/v1/checks/report":            {"/mock/v1/checks/report", "", 200},
		"GET /mock/v1/checks/stream":            {"/mock/v1/checks/stream", "", 200},
		"POST /mock/v1/checks/runs":             {"/mock/v1/checks/runs", `{"only":["HOOK"]}`, 202},
		"GET /mock/v1/checks/runs/{run}":        {"/mock/v1/checks/runs/1", "", 200},
		"GET /mock/v1/checks/runs/{run}/report": {"/mock/v1/checks/runs/1/report", "", 200},
		"POST /mock/v1/checks/runs/{run}/stop":  {"/mock/v1/checks/runs/1/stop", "", 200},
	}
}

// eachRoute runs f for every route of the table, each on a mock of its own.
func eachRoute(t *testing.T, f func(t *testing.T, k mock, rt route, path, body string, want int)) {
	for _, rt := range (&server{}).table() {
		name := rt.method + " " + rt.path
		t.Run(name, func(t *testing.T) {
			hook := newHook(t, replying("{}"))
			k := newMock(t, mockkindly.Options{}, mockkindly.Webhook{URL: hook.URL})
			chat := newChat(t, k)
			say(t, k, chat.ID) // its delivery is event 3
			raw := sign(claims(chat.ID, time.Now()))
			c, ok := routeCases(chat.ID, `"`+raw.Secret()+`"`)[name]
			if !ok {
				t.Fatal("this route has no test case")
			}
			f(t, k, rt, c.path, c.body, c.want)
		})
	}
}

// isText names the routes that don't answer JSON.
var isText = map[string]bool{
	"/openapi.yaml": true, "/mock/v1/stream": true, "/mock/v1/checks/stream": true, "/mock/v1/deliveries/{seq}/curl": true,
}

func TestRoutesAnswer(t *testing.T) {
	eachRoute(t, func(t *testing.T, k mock, rt route, path, body string, want int) {
		w := do(k, rt.method, path, body)
		if w.Code != want {
			t.Fatalf("status %d, want %d: %s", w.Code, want, w.Body)
		}
		if want != 204 && !strings.HasSuffix(path, ".js") {
			if isText[rt.path] {
				return
			}
			if !json.Valid(w.Body.Bytes()) || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("no JSON: %s", w.Body)
			}
			if w.Header().Get("Cache-Control") != "no-store" {
				t.Error("the answer may be cached")
			}
		}
	})
}

func TestWhatTheWidgetReportsOfACallback(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	chat := newChat(t, k)
	body := `{"phase":"settled","reason":"INITIAL_CONNECT","outcome":"threw","sync":true,"elapsed_ms":1234.5,"type":"object","error":"no session"}`
	if w := do(k, "POST", "/mock/v1/chats/"+chat.ID+"/callbacks", body); w.Code != http.StatusNoContent {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	events := k.Journal().Events(0)
	want := mockkindly.CallbackReport{Phase: "settled", Reason: mockkindly.InitialConnect, Outcome: "threw", Sync: true, Elapsed: 1234 * time.Millisecond, Type: "object", Error: "no session"}
	if got := events[len(events)-1].Callback; got == nil || *got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestRoutesTakeTextPlainOfTheWidgetOnly(t *testing.T) {
	eachRoute(t, func(t *testing.T, k mock, rt route, path, body string, want int) {
		if body == "" {
			t.Skip("has no body")
		}
		if rt.side != widgetSide {
			want = http.StatusUnsupportedMediaType
		}
		if w := do(k, rt.method, path, body, "Content-Type", "text/plain;charset=UTF-8"); w.Code != want {
			t.Errorf("text/plain: status %d, want %d: %s", w.Code, want, w.Body)
		}
		if w := do(k, rt.method, path, body, "Content-Type", "application/x-www-form-urlencoded"); w.Code != 415 {
			t.Errorf("a form: status %d", w.Code)
		}
	})
}

func TestRoutesRefuseBadBodies(t *testing.T) {
	eachRoute(t, func(t *testing.T, k mock, rt route, path, body string, _ int) {
		if body == "" {
			t.Skip("has no body")
		}
		for name, tt := range map[string]struct {
			body   string
			want   int
			detail string
		}{
			"empty":                 {"", 400, "empty"},
			"not JSON":              {"{\n\n!", 400, "line 3"},
			"cut off":               {body[:len(body)-1], 400, "too early"},
			"cut off in true":       {`{"x":tru`, 400, "too early"},
			"cut off in an escape":  {`{"x\`, 400, "too early"},
			"no word of JSON":       {`{"x":trouble}`, 400, "'o'"},
			"a list":                {"[]", 400, `"["`},
			"null":                  {"null", 400, "not a JSON object"},
			"more after it":         {body + "\n{}", 400, "there is more"},
			"half a value after it": {body + "\n{\"", 400, "line 2, there is more"},
			"not UTF-8":             {"{\"text\":\"\xff\"}", 400, "UTF-8"},
			"too large":             {`{"x":"` + strings.Repeat("x", maxBody) + `"}`, 413, fmt.Sprint(maxBody)},
		} {
			t.Run(name, func(t *testing.T) {
				w := do(k, rt.method, path, tt.body, "Content-Type", "application/json")
				if w.Code != tt.want {
					t.Fatalf("status %d, want %d: %.300s", w.Code, tt.want, w.Body)
				}
				if d := asProblem(t, w.Code, w.Header().Get("Content-Type"), w.Body.Bytes()); !strings.Contains(d, tt.detail) {
					t.Errorf("the detail %q does not say %q", d, tt.detail)
				}
			})
		}
	})
}

func TestRoutesRefuseOtherMethods(t *testing.T) {
	eachRoute(t, func(t *testing.T, k mock, rt route, path, body string, _ int) {
		for _, method := range []string{"PUT", "DELETE", "PATCH", "BREW"} {
			if method == "PUT" && rt.path == "/mock/v1/faults" {
				continue
			}
			w := do(k, method, path, body)
			if w.Code != 405 || !strings.Contains(w.Header().Get("Allow"), rt.method) {
				t.Fatalf("%s: status %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
			}
			asProblem(t, w.Code, w.Header().Get("Content-Type"), w.Body.Bytes())
		}
	})
}

func TestRoutesAndForeignOrigins(t *testing.T) {
	eachRoute(t, func(t *testing.T, k mock, rt route, path, body string, want int) {
		foreign := do(k, rt.method, path, body, "Origin", "https://evil.example")
		preflight := do(k, "OPTIONS", path, "", "Origin", "https://evil.example", "Access-Control-Request-Method", rt.method)
		cors := foreign.Header().Get("Access-Control-Allow-Origin")
		if foreign.Header().Get("Access-Control-Allow-Credentials")+preflight.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Error("credentials are allowed")
		}
		if rt.side == widgetSide {
			if foreign.Code != want || cors != "*" {
				t.Errorf("the widget's route: status %d, Access-Control-Allow-Origin %q", foreign.Code, cors)
			}
			if preflight.Code != 204 || preflight.Header().Get("Access-Control-Allow-Origin") != "*" ||
				!strings.Contains(preflight.Header().Get("Access-Control-Allow-Methods"), rt.method) {
				t.Errorf("preflight: status %d, %v", preflight.Code, preflight.Header())
			}
			return
		}
		allowed := strings.Contains(preflight.Header().Get("Access-Control-Allow-Methods"), rt.method) // a path may be of both sides
		if foreign.Code != 403 || cors != "" || allowed || preflight.Code/100 == 2 && rt.path != "/mock/v1/chats" {
			t.Errorf("the admin's route: status %d, CORS %q, preflight %d", foreign.Code, cors, preflight.Code)
		}
	})
}

func TestAdminOrigins(t *testing.T) {
	for _, tt := range []struct {
		name, header, value string
		want                int
	}{
		{"own page", "Origin", "http://example.com", 200}, // httptest's host
		{"own page, by letter case", "Origin", "http://EXAMPLE.com", 200},
		{"other port", "Origin", "http://example.com:8080", 403},
		{"subdomain", "Origin", "http://a.example.com", 403},
		{"look-alike", "Origin", "http://example.com.evil.net", 403},
		{"sandboxed frame", "Origin", "null", 403},
		{"no URL", "Origin", "::", 403},
		{"script element of another site", "Sec-Fetch-Site", "cross-site", 403},
		{"script element of a sibling", "Sec-Fetch-Site", "same-site", 403},
		{"own page's fetch", "Sec-Fetch-Site", "same-origin", 200},
		{"typed into the address bar", "Sec-Fetch-Site", "none", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if w := do(newMock(t, mockkindly.Options{}), "GET", "/mock/v1/journal", "", tt.header, tt.value); w.Code != tt.want {
				t.Errorf("status %d, want %d", w.Code, tt.want)
			}
		})
	}
}

func TestAdminHosts(t *testing.T) {
	for _, tt := range []struct {
		allowed, host string
		want          int
	}{
		{"", "anything.example", 200},
		{"127.0.0.1", "127.0.0.1:8484", 200},
		{"localhost:8484", "LOCALHOST:8484", 200},
		{"localhost:8484", "localhost:9999", 421},
		{"::1", "[::1]:8484", 200},
		{"127.0.0.1", "rebound.evil.example:8484", 421},
		{"127.0.0.1", "127.0.0.1.evil.example", 421},
	} {
		t.Run(tt.allowed+" asked as "+tt.host, func(t *testing.T) {
			o := Options{}
			if tt.allowed != "" {
				o.Hosts = []string{tt.allowed}
			}
			k := newMockFor(t, o, mockkindly.Options{})
			if w := do(k, "GET", "http://"+tt.host+"/mock/v1/health", ""); w.Code != tt.want {
				t.Errorf("admin: status %d, want %d", w.Code, tt.want)
			}
			if w := do(k, "GET", "http://"+tt.host+"/kindly-chat.js", ""); w.Code != 200 {
				t.Errorf("widget: status %d", w.Code)
			}
		})
	}
}

func TestRoutesOfUnknownThings(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	for _, tt := range []struct{ method, path, body string }{
		{"POST", "/mock/v1/chats", `{"bot_key":"who"}`},
		{"POST", "/mock/v1/chats", `{"bot_key":""}`},
		{"POST", "/mock/v1/chats/" + unknownID + "/callbacks", `{"phase":"called","reason":"EXPIRED"}`},
		{"POST", "/mock/v1/chats/" + unknownID + "/token", `{"token":"a.b.c"}`},
		{"POST", "/mock/v1/chats/" + unknownID + "/messages", `{"text":"hi"}`},
		{"POST", "/mock/v1/chats/" + unknownID + "/messages", `{"text":"hi","context":{"a":1}}`},
		{"GET", "/mock/v1/chats/" + unknownID, ""},
		{"GET", "/mock/v1/bots/who", ""},
		{"GET", "/nothing/here", ""},
		{"POST", "/", ""},
	} {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			w := do(k, tt.method, tt.path, tt.body)
			if w.Code != 404 {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			asProblem(t, w.Code, w.Header().Get("Content-Type"), w.Body.Bytes())
		})
	}
}

func TestRoutesExplainBadFields(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	chat := "/mock/v1/chats/" + newChat(t, k).ID
	for _, tt := range []struct{ name, path, body, detail string }{
		{"phase", chat + "/callbacks", `{"phase":"done","reason":"EXPIRED"}`, "phase"},
		{"reason", chat + "/callbacks", `{"phase":"called","reason":"LATER"}`, "reason"},
		{"outcome", chat + "/callbacks", `{"phase":"settled","reason":"EXPIRED","outcome":"fine"}`, "outcome"},
		{"type of a field", chat + "/callbacks", `{"phase":"called","reason":"EXPIRED","sync":"yes"}`, "sync"},
		{"no token", chat + "/token", `{"reason":"EXPIRED"}`, "token"},
		{"a token's reason", chat + "/token", `{"token":"a.b.c","reason":"FORWARDED"}`, "reason"},
		{"a token that is a number", chat + "/token", `{"token":5}`, "token"},
		{"no text", chat + "/messages", `{}`, "text"},
		{"context that is no object", chat + "/messages", `{"text":"a","context":[1]}`, "context"},
		{"context that is too large", chat + "/messages", `{"text":"a","context":{"a":"` + strings.Repeat("x", maxContext) + `"}}`, "context"},
		{"unknown source", "/mock/v1/chats", `{"bot_key":"bot","source":"fax"}`, "source"},
		{"unknown member", "/mock/v1/bots", `{"key":"b","public_key":"x"}`, `"public_key"`},
		{"bot without a key", "/mock/v1/bots", `{"id":1}`, "key"},
		{"public key that is none", "/mock/v1/bots", `{"key":"b","public_keys":[{"pem":"x"}]}`, "public_keys[0].pem"},
		{"webhook without a scheme", "/mock/v1/bots", `{"key":"b","webhooks":[{"url":"hooks.example.com"}]}`, "webhooks[0].url"},
		{"webhook of another scheme", "/mock/v1/bots", `{"key":"b","webhooks":[{"url":"ftp://a.example/"}]}`, "webhooks[0].url"},
		{"webhooks of the same name", "/mock/v1/bots", `{"key":"b","webhooks":[{"url":"https://a.example/"},{"url":"https://a.example/"}]}`, "webhooks[1].name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := do(k, "POST", tt.path, tt.body)
			if w.Code != 400 {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if d := asProblem(t, w.Code, w.Header().Get("Content-Type"), w.Body.Bytes()); !strings.Contains(d, tt.detail) {
				t.Errorf("the detail %q does not name %s", d, tt.detail)
			}
		})
	}
	for _, query := range []string{"after=-1", "after=x", "limit=0", "limit=100000"} {
		if w := do(k, "GET", "/mock/v1/journal?"+query, ""); w.Code != 400 {
			t.Errorf("journal?%s: status %d", query, w.Code)
		}
	}
}

func TestJournalRoutePages(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	mine, other := newChat(t, k), newChat(t, k)
	for range 5 {
		do(k, "POST", "/mock/v1/chats/"+mine.ID+"/callbacks", `{"phase":"called","reason":"EXPIRED"}`)
		do(k, "POST", "/mock/v1/chats/"+other.ID+"/callbacks", `{"phase":"called","reason":"EXPIRED"}`)
	}
	got, next, pages := 0, uint64(0), 0
	for more := true; more && pages < 10; pages++ {
		w := do(k, "GET", fmt.Sprintf("/mock/v1/journal?chat=%s&limit=2&after=%d", mine.ID, next), "")
		var p struct {
			Events []struct {
				Chat string
			}
			Next uint64
			More bool
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Events {
			if e.Chat != mine.ID {
				t.Errorf("an event of chat %s", e.Chat)
			}
		}
		got, next, more = got+len(p.Events), p.Next, p.More
	}
	if got != 6 || pages != 3 || next != k.Journal().Last() {
		t.Errorf("%d events on %d pages up to %d, want 6 on 3 up to %d", got, pages, next, k.Journal().Last())
	}
}

func TestScriptIsRevalidated(t *testing.T) {
	w := do(newMock(t, mockkindly.Options{}), "GET", "/kindly-chat.js", "")
	if w.Header().Get("Cache-Control") != "no-cache" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") || w.Body.Len() == 0 {
		t.Errorf("%v, %d bytes", w.Header(), w.Body.Len())
	}
}

func TestClosedMockRefuses(t *testing.T) {
	k := newMock(t, mockkindly.Options{})
	id := newChat(t, k).ID
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	for path, body := range map[string]string{
		"/mock/v1/chats":                     `{"bot_key":"bot"}`,
		"/mock/v1/chats/" + id + "/messages": `{"text":"a"}`,
		"/mock/v1/chats/" + id + "/token":    `{"token":"a.b.c"}`,
		"/mock/v1/bots":                      `{"key":"b"}`,
		"/mock/v1/reset":                     "",
	} {
		if w := do(k, "POST", path, body); w.Code != 503 {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
}
