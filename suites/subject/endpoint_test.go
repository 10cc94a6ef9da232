package subject

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

const otherChat = "7c1a9d34-5555-4666-8777-988888888888"

// asks is a request for the test chat; CHAT stands for its id.
func asks(method, rawURL, contentType, body string, headers ...string) *Endpoint {
	put := func(s string) string { return strings.ReplaceAll(s, "CHAT", testChat) }
	r := wire.Request{Method: method, URL: put(rawURL), Header: http.Header{}, Body: []byte(put(body))}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], put(headers[i+1]))
	}
	return &Endpoint{ChatID: testChat, Request: r, gate: gateKeys(nil)}
}

const (
	site  = "https://shop.example"
	parts = "--b\r\nContent-Disposition: form-data; name=\"chat\"\r\n\r\nCHAT\r\n--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n1\r\n--b--\r\n"
)

// Every form of a request can be made for another chat, with another value, with
// none, and with more in it.
func TestEveryFormCanBeEdited(t *testing.T) {
	for name, tt := range map[string]struct {
		e               *Endpoint
		slot            string
		with42, without string // the part that holds the chat id: path and query, body, or header
		place           func(wire.Request) string
		further         string
	}{
		"a JSON member": {asks("POST", site+"/t", "application/json", `{"chatId":"CHAT","n":1.50}`), "body member chatId",
			`{"chatId":42,"n":1.50}`, `{"n":1.50}`, bodyOf, `{"chatId":"OTHER","n":1.50,"sub":"x"}`},
		"deep in JSON": {asks("POST", site+"/t", "application/json", `{"q":"a","v":{"in":{"chat":"CHAT"}}}`), "body member v.in.chat",
			`{"q":"a","v":{"in":{"chat":42}}}`, `{"q":"a","v":{"in":{}}}`, bodyOf, `{"q":"a","sub":"x","v":{"in":{"chat":"OTHER","sub":"x"},"sub":"x"}}`},
		"a batch": {asks("POST", site+"/t", "application/json", `{"0":{"json":{"chatId":"CHAT"}}}`), "body member 0.json.chatId",
			`{"0":{"json":{"chatId":42}}}`, `{"0":{"json":{}}}`, bodyOf, `{"0":{"json":{"chatId":"OTHER","sub":"x"},"sub":"x"}}`},
		"a list": {asks("POST", site+"/", "text/plain;charset=UTF-8", `["CHAT"]`), "body member 0",
			`[42]`, `[]`, bodyOf, `["OTHER"]`},
		"a form": {asks("POST", site+"/t", "application/x-www-form-urlencoded", `b=%20x&chat=CHAT&a=`), "form field chat",
			`b=%20x&chat=42&a=`, `b=%20x&a=`, bodyOf, `b=%20x&chat=OTHER&a=&sub=x`},
		"a multipart form": {asks("POST", site+"/t", "multipart/form-data; boundary=b", parts), "form field chat",
			strings.Replace(parts, "CHAT", "42", 1), parts[strings.Index(parts, "--b\r\nContent-Disposition: form-data; name=\"n\""):], bodyOf,
			"--b\r\nContent-Disposition: form-data; name=\"sub\"\r\n\r\nx\r\n" + strings.Replace(parts, "CHAT", "OTHER", 1)},
		"text": {asks("POST", site+"/t", "text/plain", `CHAT`), "body", "42", "", bodyOf, "OTHER"},
		"XML": {asks("POST", site+"/t", "text/xml; charset=utf-8", `<e:Body><t:Issue n="1"><t:chat>CHAT</t:chat></t:Issue></e:Body>`), "element chat",
			`<e:Body><t:Issue n="1"><t:chat>42</t:chat></t:Issue></e:Body>`, `<e:Body><t:Issue n="1"></t:Issue></e:Body>`, bodyOf, `<e:Body><t:Issue n="1"><t:chat>OTHER</t:chat></t:Issue></e:Body>`},
		"JSON in base64": {asks("POST", site+"/t", "text/plain", base64.StdEncoding.EncodeToString([]byte(`{"chat":"`+testChat+`"}`))), "body chat",
			`{"chat":42}`, `{}`, func(r wire.Request) string {
				plain, _ := base64.StdEncoding.DecodeString(string(r.Body))
				return string(plain)
			}, `{"chat":"OTHER","sub":"x"}`},
		"a query": {asks("GET", site+"/t?x=1&chat=CHAT", "", ""), "query parameter chat",
			site + "/t?x=1&chat=42", site + "/t?x=1", urlOf, site + "/t?x=1&chat=OTHER&sub=x"},
		"JSON in a query": {asks("GET", site+"/t?input="+url.QueryEscape(`{"chat":"CHAT"}`), "", ""), "query parameter input.chat",
			site + "/t?input=" + url.QueryEscape(`{"chat":42}`), site + "/t?input=" + url.QueryEscape(`{}`), urlOf,
			site + "/t?input=" + url.QueryEscape(`{"chat":"OTHER","sub":"x"}`)},
		"a path": {asks("PUT", site+"/chats/CHAT/token", "", ""), "path", site + "/chats/42/token", site + "/chats/token", urlOf,
			site + "/chats/OTHER/token?sub=x"},
		"a prefix": {asks("POST", site+"/t", "application/json", `{"conversation":"kindly:CHAT"}`), "body member conversation",
			`{"conversation":"kindly:42"}`, `{"conversation":"kindly:"}`, bodyOf, `{"conversation":"kindly:OTHER","sub":"x"}`},
		"a query language": {asks("POST", site+"/t", "application/json", `{"query":"mutation { token(chat: \"CHAT\") }"}`), "body member query",
			`{"query":"mutation { token(chat: \"42\") }"}`, `{"query":"mutation { token(chat: \"\") }"}`, bodyOf, `{"query":"mutation { token(chat: \"OTHER\") }","sub":"x"}`},
		"a header": {asks("POST", site+"/t", "", "", "X-Chat", "CHAT"), "header X-Chat", "42", "",
			func(r wire.Request) string { return r.Header.Get("X-Chat") }, "OTHER"},
	} {
		t.Run(name, func(t *testing.T) {
			slots := tt.e.Slots()
			if len(slots) != 1 || slots[0].String() != tt.slot {
				t.Errorf("slots: got %v, want %q", slots, tt.slot)
			}
			plain := strings.ReplaceAll(tt.place(tt.e.Request), testChat, otherChat)
			if got := tt.place(tt.e.WithChat(otherChat)); got != plain {
				t.Errorf("for another chat: got %q, want %q", got, plain)
			}
			r, err := tt.e.WithValue(42)
			if got := tt.place(r); err != nil || got != tt.with42 {
				t.Errorf("with 42: got %q, %v, want %q", got, err, tt.with42)
			}
			r, err = tt.e.WithoutChat()
			if got := tt.place(r); err != nil || got != tt.without {
				t.Errorf("without: got %q, %v, want %q", got, err, tt.without)
			}
			r, err = tt.e.WithMembers(otherChat, map[string]any{"sub": "x"})
			if want := strings.ReplaceAll(tt.further, "OTHER", otherChat); err != nil || tt.place(r) != want {
				t.Errorf("with more: got %q, %v, want %q", tt.place(r), err, want)
			}
		})
	}
}

func bodyOf(r wire.Request) string { return string(r.Body) }
func urlOf(r wire.Request) string  { return r.URL }

func TestChatIDThatIsNotInTheRequestCannotBeLeftOut(t *testing.T) {
	e := asks("POST", site+"/t", "application/json", `{"chat":"5f4dcc3b5aa765d61d8327deb882cf99"}`)
	if _, err := e.WithoutChat(); err != ErrNoSlot {
		t.Errorf("got %v, want %v", err, ErrNoSlot)
	}
	if e.NamesChat() {
		t.Error("it names a chat")
	}
}

func TestSentAreTheOtherValuesOfThePage(t *testing.T) {
	e := asks("POST", site+"/t?lang=en", "application/json", `{"chatId":"CHAT","user":{"id":7},"csrf_token":"a"}`,
		"X-User", "ada", "Cookie", "sid=1", "Authorization", "Bearer x", "Accept", "*/*", "Next-Action", "7f")
	var got []string
	for _, l := range e.Sent() {
		got = append(got, l.String()+"="+l.Text())
	}
	if want := []string{"query parameter lang=en", "header X-User=ada", "body member user.id=7"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTokenIsReadFromWhereThePagesStood(t *testing.T) {
	const mine, other = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJiIn0.c2lo"
	const state = "eyJhbGciOiJIUzI1NiJ9.eyJzdGF0ZSI6MX0.eHg"
	answer := func(body string, headers ...string) func(string) wire.Exchange {
		return func(raw string) wire.Exchange {
			h := http.Header{}
			for i := 0; i < len(headers); i += 2 {
				h.Set(headers[i], strings.ReplaceAll(headers[i+1], "TOKEN", raw))
			}
			return wire.Exchange{Response: &wire.Response{Status: 200, Header: h, Body: []byte(strings.ReplaceAll(body, "TOKEN", raw))}}
		}
	}
	for name, of := range map[string]func(string) wire.Exchange{
		"a member":            answer(`{"state":"` + state + `","data":{"kindly":{"jwt":"TOKEN"}}}`),
		"in a list":           answer(`[{"result":{"data":{"json":"TOKEN"}}}]`),
		"with a scheme":       answer(`{"authorization":"Bearer TOKEN"}`),
		"JSON in JSON":        answer(`{"body":"{\"token\":\"TOKEN\"}"}`),
		"a JSON string":       answer(`"TOKEN"`),
		"plain text":          answer("TOKEN"),
		"text with a newline": answer("TOKEN\n"),
		"a server component":  answer(`0:{"a":"$@1","s":"` + state + `"}` + "\n1:{\"token\":\"TOKEN\"}\n"),
		"a header":            answer("", "X-Token", "TOKEN", "X-State", state),
		"a cookie":            answer("", "Set-Cookie", "kindly=TOKEN; Path=/; HttpOnly"),
	} {
		place := learnPlace(of(mine), token.Raw(mine))
		if !place.known() {
			t.Errorf("%s: the place was not learnt", name)
		}
		if got, ok := place.read(of(other)); !ok || got != token.Raw(other) {
			t.Errorf("%s: got %v, %t from %s, want the other token", name, got, ok, place)
		}
	}
	if place := learnPlace(answer(`{"ok":true}`)(mine), token.Raw(mine)); place.known() {
		t.Errorf("a token that is not there was found in %s", place)
	}
}

// A token that is broken into lines is one all the same, wherever it stands and whatever
// ends its lines, for the page's user and for a stranger.
func TestATokenThatIsBrokenIntoLinesIsFound(t *testing.T) {
	const whole = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIiwiY2hhdCI6eyJpZCI6IjEifX0.c2lnbmF0dXJl"
	for name, body := range map[string]string{
		"text":             whole[:30] + "\n" + whole[30:],
		"text, and a line": whole[:30] + "\n" + whole[30:] + "\n",
		"CR LF":            whole[:30] + "\r\n" + whole[30:70] + "\r\n" + whole[70:] + "\r\n",
		"JSON":             `{"data":{"jwt":"` + whole[:30] + `\n` + whole[30:] + `\n"}}`,
	} {
		ex := wire.Exchange{Response: &wire.Response{Status: 200, Body: []byte(body)}}
		raw, ok := chatToken(ex)
		if !ok || !HoldsToken(ex) {
			t.Errorf("%s: no token is found", name)
			continue
		}
		if decoded, err := token.Decode(raw); err != nil || decoded.Subject() != "a" {
			t.Errorf("%s: it can't be read: %v", name, err)
		}
		if again, ok := learnPlace(ex, raw).read(ex); !ok || again != raw {
			t.Errorf("%s: from where it stood comes %d bytes, want %d", name, len(again.Secret()), len(raw.Secret()))
		}
	}
	for _, none := range []string{"eyes\nand ears", `{"a":"eyJhbGciOiJSUzI1NiJ9\nx"}`, "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0\n\n"} {
		if raw := brokenTokens([]byte(none)); len(raw) > 0 {
			t.Errorf("%q is taken for a token", none)
		}
	}
}

// Base64 that is no base64url holds what JSON may escape, and what PHP warns of may stand
// before it: the page reads its token all the same, and so is its endpoint known by it.
func TestATokenThatJSONEscapesIsFound(t *testing.T) {
	const whole = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIiwiY2hhdCI6eyJpZCI6IjEifX0=.c2ln/bmF0+dXJl/w=="
	for name, body := range map[string]string{
		"PHP":                `{"token":"` + strings.ReplaceAll(whole, "/", `\/`) + `"}`,
		"PHP, with warnings": "<b>Warning</b>: no chat\n" + `{"token":"` + strings.ReplaceAll(whole, "/", `\/`) + `"}`,
		".NET":               `{"token":"` + strings.ReplaceAll(whole, "+", `\u002B`) + `"}`,
		"all of them":        `{"token":"` + strings.NewReplacer("/", `\u002f`, "+", `\u002b`, "=", `\u003d`).Replace(whole) + `"}`,
	} {
		if !answerHolds(browser.Request{ResponseBody: []byte(body)}, strings.Split(whole, ".")) {
			t.Errorf("%s: the page's request is not known by its answer", name)
		}
		ex := wire.Exchange{Response: &wire.Response{Status: 200, Body: []byte(body)}}
		if raw, ok := chatToken(ex); !ok || raw != whole {
			t.Errorf("%s: the token found is of %d bytes, want %d", name, len(raw.Secret()), len(whole))
		}
		if again, ok := learnPlace(ex, whole).read(ex); !ok || again != whole {
			t.Errorf("%s: from where it stood comes %d bytes, want %d", name, len(again.Secret()), len(whole))
		}
	}
}

func TestWithoutTheSessionTheGateIsStillPassed(t *testing.T) {
	basic := "Basic c3RhZ2luZzpwYXNz"
	for name, tt := range map[string]struct {
		headers []string
		login   *browser.Login
		kept    []string
	}{
		"a cookie":                   {[]string{"Cookie", "sid=1"}, nil, nil},
		"a bearer token":             {[]string{"Authorization", "Bearer x"}, nil, nil},
		"basic beside a cookie":      {[]string{"Authorization", basic, "Cookie", "sid=1"}, nil, []string{"Authorization"}},
		"basic alone is the session": {[]string{"Authorization", basic}, nil, nil},
		"a known bypass":             {[]string{"X-Vercel-Protection-Bypass", "x", "Cookie", "sid=1"}, nil, []string{"X-Vercel-Protection-Bypass"}},
		"a header of the login, which has steps": {[]string{"X-Staging", "x", "Cookie", "sid=1"},
			&browser.Login{Headers: map[string]string{"X-Staging": "x"}, Steps: []browser.Step{{Goto: site}}}, []string{"X-Staging"}},
		"a header that is the login": {[]string{"X-Session", "x"}, &browser.Login{Headers: map[string]string{"X-Session": "x"}}, nil},
		"a cookie of a gate":         {[]string{"Cookie", "_vercel_jwt=a; sid=1"}, nil, []string{"Cookie"}},
		"the chat id's header stays": {[]string{"X-Chat", "CHAT", "Cookie", "sid=1"}, nil, []string{"X-Chat"}},
	} {
		e := asks("POST", site+"/t", "application/json", `{"chatId":"CHAT"}`, tt.headers...)
		e.gate = gateKeys(tt.login)
		r := e.WithoutSession(e.Request)
		delete(r.Header, "Content-Type")
		if got := slices.Sorted(maps.Keys(r.Header)); !slices.Equal(got, tt.kept) {
			t.Errorf("%s: kept %q, want %q", name, got, tt.kept)
		}
		if strings.Contains(r.Header.Get("Cookie"), "sid") {
			t.Errorf("%s: the session is still there: %q", name, r.Header.Get("Cookie"))
		}
	}
}

func TestReadableSessionsCanBeWritten(t *testing.T) {
	for name, tt := range map[string][2]string{
		"plain":          {"sid=x9; user=ada%40shop.example", "sid=x9; user=eve%40shop.example"},
		"JSON":           {`u={"email":"ada@shop.example","n":1}`, `u={"email":"eve@shop.example","n":1}`},
		"escaped JSON":   {"u=" + url.QueryEscape(`{"email":"ada@shop.example"}`), "u=" + url.QueryEscape(`{"email":"eve@shop.example"}`)},
		"base64 of JSON": {"u=eyJlbWFpbCI6ImFkYUBzaG9wLmV4YW1wbGUifQ", "u=eyJlbWFpbCI6ImV2ZUBzaG9wLmV4YW1wbGUifQ"},
		"base64":         {"u=YWRhQHNob3AuZXhhbXBsZQ==", "u=ZXZlQHNob3AuZXhhbXBsZQ=="},
	} {
		e := asks("POST", site+"/t", "application/json", `{"chatId":"CHAT"}`, "Cookie", tt[0])
		h := e.Request.Header.Clone()
		found := e.EditReadable(h, func(_, text string) (string, bool) { return "eve@shop.example", text == "ada@shop.example" })
		if got := h.Get("Cookie"); !found || got != tt[1] {
			t.Errorf("%s: got %t, %q, want %q", name, found, got, tt[1])
		}
	}
	e := asks("POST", site+"/t", "", "", "Cookie", "sid=0123456789abcdef")
	if e.EditReadable(e.Request.Header, func(string, string) (string, bool) { return "x", false }) {
		t.Error("an opaque session was found readable")
	}
}

// A chat in a frame of another site calls its endpoint from there: browsers ask
// for the frame's origin, not the page's.
func TestTheOriginOfAnEndpointIsTheFramesThatCallsIt(t *testing.T) {
	const frame = "https://chat.example"
	v := &Visit{ChatID: testChat, Token: "a.b.c", Started: []mockkindly.ClientReport{{PageURL: frame + "/embed"}}}
	v.State.URL = site + "/"
	v.Record.Requests = []browser.Request{{Method: "POST", URL: frame + "/token", ResourceType: "Fetch", Status: 200, ResponseBody: []byte(`{"token":"a.b.c"}`)}}
	e, err := discover(v)
	if err != nil || e.PageOrigin != frame || e.Cross() {
		t.Errorf("got %+v, %v", e, err)
	}
	v.Record.Requests[0].ResourceType, v.Record.Requests[0].URL = "WebSocket", "wss://chat.example/live"
	if e, err := discover(v); err != nil || !e.Socket || e.Request.URL != frame+"/live" {
		t.Errorf("got %+v, %v", e, err)
	}
}

// RFC 6265, 5.1.3 and 5.1.4: of its host or, where it has a dot, of the hosts below; and
// of its path and what is below that, not of what begins with the same letters.
func TestCookiesThatABrowserSendsToAURL(t *testing.T) {
	for _, row := range []struct {
		cookie browser.Cookie
		url    string
		sent   bool
	}{
		{browser.Cookie{Domain: "shop.example", Path: "/"}, "https://shop.example/auth", true},
		{browser.Cookie{Domain: "shop.example", Path: "/"}, "https://shop.example", true},
		{browser.Cookie{Domain: "shop.example", Path: "/"}, "https://SHOP.example/auth", true},
		{browser.Cookie{Domain: "shop.example", Path: "/"}, "https://api.shop.example/auth", false},
		{browser.Cookie{Domain: ".shop.example", Path: "/"}, "https://api.shop.example/auth", true},
		{browser.Cookie{Domain: ".shop.example", Path: "/"}, "https://myshop.example/auth", false},
		{browser.Cookie{Domain: "shop.example", Path: "/auth"}, "https://shop.example/auth", true},
		{browser.Cookie{Domain: "shop.example", Path: "/auth"}, "https://shop.example/auth/token?a=1", true},
		{browser.Cookie{Domain: "shop.example", Path: "/auth/"}, "https://shop.example/auth/token", true},
		{browser.Cookie{Domain: "shop.example", Path: "/auth"}, "https://shop.example/auth2", false},
		{browser.Cookie{Domain: "shop.example", Path: "/auth"}, "https://shop.example/", false},
		{browser.Cookie{Domain: "shop.example", Path: "/", Secure: true}, "http://shop.example/auth", false},
		{browser.Cookie{Domain: "127.0.0.1", Path: "/", Secure: true}, "http://127.0.0.1:8080/auth", true},
	} {
		row.cookie.Name, row.cookie.Value = "sid", "1"
		if got := CookiesFor([]browser.StoredCookie{{Cookie: row.cookie}}, row.url) != ""; got != row.sent {
			t.Errorf("%q of %q, to %s: sent is %v", row.cookie.Path, row.cookie.Domain, row.url, got)
		}
	}
}

// A refusal that says where to log in may have a token in that address, of nobody's chat.
func TestWhereToLogInIsNoTokenGivenAway(t *testing.T) {
	const state, member = "eyJhbGciOiJIUzI1NiJ9.eyJuZXh0IjoiL3Nob3AifQ.c2lnbmF0dXJl", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIiwiY2hhdCI6eyJpZCI6IjEifX0.c2lnbmF0dXJl"
	for body, holds := range map[string]bool{
		`{"error":"log in","login_url":"https://id.example/authorize?state=` + state + `"}`: false,
		`{"error":"log in","token":"` + member + `"}`:                                       true,
	} {
		ex := wire.Exchange{Response: &wire.Response{Status: 401, Body: []byte(body)}}
		if HoldsToken(ex) != holds {
			t.Errorf("%s: it gives a token away: %t", body, !holds)
		}
	}
}
