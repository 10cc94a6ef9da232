package suites_test

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// A plainEndpoint is an auth endpoint such as a team writes in an afternoon: its
// session is a cookie.
type plainEndpoint struct {
	encoding *base64.Encoding                      // of tokens; nil: as it should be
	who      func(r *http.Request) string          // nil: whose session it is; "" is nobody
	before   func(w http.ResponseWriter, chat any) // what it writes before its answer
	flat     bool                                  // the claim chat is the id itself
	kept     *sync.Map                             // tokens by chat; nil: none is kept
	keptBy   func(r *http.Request) string          // what they are kept by instead
	// keptBefore are answers by chat that a cache before the endpoint keeps; nil: there is none
	keptBefore *sync.Map
	chat       func(string) string   // that the token is for; nil: the one that asks
	sub        func(user string) any // nil: the user's name
	sids       []string              // the sessions of two users; nil: those of plainSession
	// alsoCalled is a claim with the user's name, beside name; "": none is.
	alsoCalled string
	session    string                      // a claim that holds it; "": none does
	more       map[string]any              // claims
	odd        func(claims map[string]any) // changes them
}

// plainSession is the user of a session that nobody can guess.
func plainSession(r *http.Request) string {
	c, err := r.Cookie("sid")
	if err != nil {
		return ""
	}
	return map[string]string{"9f2c7be1a0d4": "user-ada", "51c0e8d7f3ab": "user-grace"}[c.Value]
}

func (e plainEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who := plainSession
	if e.who != nil {
		who = e.who
	}
	var body map[string]any
	if json.NewDecoder(r.Body).Decode(&body) != nil || r.Method != http.MethodPost {
		http.Error(w, `{"error":"bad request"}`, http.StatusBadRequest)
		return
	}
	if e.keptBefore != nil {
		if answer, ok := e.keptBefore.Load(fmt.Sprint(body["chat_id"])); ok && body["chat_id"] != nil {
			json.NewEncoder(w).Encode(answer)
			return
		}
	}
	user := who(r)
	if user == "" {
		http.Error(w, `{"error":"log in"}`, http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	chat, ok := body["chat_id"].(string)
	if e.before != nil {
		e.before(w, body["chat_id"])
	} else if !ok || len(chat) != 36 {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"chat_id"}`)
		return
	}
	if e.chat != nil {
		chat = e.chat(chat)
	}
	token := e.token(user, chat, r)
	if e.kept != nil {
		by := chat
		if e.keptBy != nil {
			by = e.keptBy(r)
		}
		kept, _ := e.kept.LoadOrStore(by, token)
		token = kept.(string)
	}
	answer := map[string]string{"token": token}
	if e.keptBefore != nil {
		e.keptBefore.Store(chat, answer)
	}
	json.NewEncoder(w).Encode(answer)
}

func (e plainEndpoint) token(user, chat string, r *http.Request) string {
	encoding := e.encoding
	if encoding == nil {
		encoding = base64.RawURLEncoding
	}
	now := time.Now().Unix()
	var named any = map[string]any{"id": chat, "webhook_domains": []string{"hook1.shop.example"}}
	if e.flat {
		named = chat
	}
	var sub any = user
	if e.sub != nil {
		sub = e.sub(user)
	}
	all := map[string]any{"iss": "shop", "sub": sub, "name": "Name of " + user, "iat": now, "exp": now + 300, "chat": named}
	if e.alsoCalled != "" {
		all[e.alsoCalled] = "Name of " + user
	}
	if c, err := r.Cookie("sid"); err == nil && e.session != "" {
		all[e.session] = c.Value
	}
	maps.Copy(all, e.more)
	if e.odd != nil {
		e.odd(all)
	}
	claims, _ := json.Marshal(all)
	input := encoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(input))
	signature, _ := rsa.SignPKCS1v15(nil, ourKey().Private, crypto.SHA256, sum[:])
	return input + "." + encoding.EncodeToString(signature)
}

// plainEndpointOf is what a team without a page gives: its endpoint, and two sessions.
func plainEndpointOf(t *testing.T, e plainEndpoint) target.Target {
	with := func(sid string) http.Header {
		return http.Header{"Cookie": {"sid=" + sid}, "Content-Type": {"application/json"}}
	}
	sids := e.sids
	if sids == nil {
		sids = []string{"9f2c7be1a0d4", "51c0e8d7f3ab"}
	}
	return target.Target{Endpoint: &target.EndpointConfig{URL: serve(t, e.ServeHTTP), Method: http.MethodPost, Header: with(sids[0]), ChatIDField: "chat_id", RequestForm: target.RequestForm{SecondHeader: with(sids[1])}}}
}

func TestEndpointsWithOneMistakeBesideAnother(t *testing.T) {
	t.Parallel()
	inQuery := func(r *http.Request) string {
		if id := r.URL.Query().Get("user_id"); id == "user-ada" || id == "user-grace" {
			return id
		}
		return plainSession(r)
	}
	numbers := map[string]string{"1": "user-ada", "2": "user-grace"}
	numberInQuery := func(r *http.Request) string {
		if id := r.URL.Query().Get("user_id"); id != "" {
			return numbers[id]
		}
		return plainSession(r)
	}
	number := func(user string) any { return map[string]int{"user-ada": 1, "user-grace": 2}[user] }
	var latest atomic.Value // the chat that asked last
	shared := func(chat string) string {
		latest.Store(chat)
		time.Sleep(3 * time.Millisecond) // it looks something up
		return latest.Load().(string)
	}
	guests := func(r *http.Request) string {
		if c, err := r.Cookie("sid"); err == nil && strings.HasPrefix(c.Value, "user-") {
			return c.Value
		}
		if user := plainSession(r); user != "" {
			return user
		}
		return "guest"
	}
	warns := func(w http.ResponseWriter, chat any) {
		if chat == nil {
			fmt.Fprint(w, "<br />\n<b>Warning</b>:  Undefined array key \"chat_id\" in <b>/srv/shop/token.php</b> on line <b>12</b><br />\n")
		}
	}
	type row struct {
		name  string
		e     plainEndpoint
		wants []want
	}
	for _, row := range due(t, []row{
		{"sound", plainEndpoint{}, []want{{"AUTH-NO-SESSION", reports.Passed, ""}, {"AUTH-BAD-SESSION", reports.Passed, ""}, {"AUTH-IDENTITY-BODY", reports.Passed, ""},
			{"AUTH-BIND-SESSION", reports.Passed, ""}, {"AUTH-ERROR-LEAK", reports.Passed, ""}, {"AUTH-CHATID-TYPE", reports.Passed, ""}}},
		{"standard base64, and no look at the session or the chat id", plainEndpoint{encoding: base64.StdEncoding,
			who: func(*http.Request) string { return "user-ada" }, before: func(http.ResponseWriter, any) {}},
			[]want{{"AUTH-NO-SESSION", reports.Failed, "it gave a token"}, {"AUTH-CHATID-TYPE", reports.Failed, "it gave a token"}}},
		{"the query names the user", plainEndpoint{who: inQuery}, []want{{"AUTH-IDENTITY-BODY", reports.Failed, "in the query"}, {"AUTH-NO-SESSION", reports.Passed, ""}}},
		{"the query names the user, and the sub is a number", plainEndpoint{who: numberInQuery, sub: number},
			[]want{{"AUTH-IDENTITY-BODY", reports.Failed, "in the query"}, {"AUTH-NO-SESSION", reports.Passed, ""}}},
		{"the chat is kept where all requests reach it", plainEndpoint{chat: shared, before: func(http.ResponseWriter, any) {}},
			[]want{{"AUTH-CONCURRENT", reports.Failed, "for another chat"}, {"AUTH-BIND-CHAT", reports.Passed, ""}, {"AUTH-CHATID-HOSTILE", reports.Warned, "lone surrogate: a token whose"},
				{"AUTH-CHATID-MISSING", reports.Failed, "it gave a token"}, {"AUTH-IDENTITY-BODY", reports.Passed, ""}}},
		{"tokens are kept by chat", plainEndpoint{kept: &sync.Map{}}, []want{{"AUTH-BIND-SESSION", reports.Failed, "the first one's token"}, {"AUTH-BIND-CHAT", reports.Passed, ""}}},
		{"guests get a token, and nothing else is wrong with sessions", plainEndpoint{who: guests},
			[]want{{"AUTH-NO-SESSION", reports.Failed, "it gave a token"}, {"AUTH-BAD-SESSION", reports.Skipped, "AUTH-NO-SESSION"}}},
		{"the claim chat is no object", plainEndpoint{flat: true}, []want{{"AUTH-BIND-CHAT", reports.Skipped, "TOK-CHAT"}, {"AUTH-CONCURRENT", reports.Skipped, "TOK-CHAT"}, {"AUTH-BIND-SESSION", reports.Passed, ""}}},
		{"a claim is the session", plainEndpoint{session: "ref"}, []want{{"TOK-SECRETS", reports.Failed, `"ref" holds the session`}, {"AUTH-BIND-SESSION", reports.Passed, ""}}},
		{"PHP says where it is", plainEndpoint{before: warns}, []want{{"AUTH-ERROR-LEAK", reports.Warned, "PHP"}, {"AUTH-CHATID-MISSING", reports.Failed, "it gave a token"}}},
	}, func(row row) string { return row.name }) {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			run := suites.RunQuietly(t.Context(), plainEndpointOf(t, row.e), suites.Options{Only: []string{"TOK-SECRETS", "AUTH-*SESSION", "AUTH-IDENTITY-BODY", "AUTH-BIND-CHAT", "AUTH-CONCURRENT", "AUTH-ERROR-LEAK", "AUTH-CHATID-*"}})
			for _, w := range row.wants {
				if c := find(t, run, w.id); c.Outcome != w.outcome || !strings.Contains(c.Actual+c.Reason, w.says) {
					t.Errorf("%s must be %s and say %q", w.id, w.outcome, w.says)
					describe(t, c)
				}
			}
		})
	}
}

// Where chats are mixed up, and it was not seen when it was looked for, all other checks are
// judged by what who asks alone gets all the same.
func TestChatsThatAreSeldomMixedUpAccuseNobodyElse(t *testing.T) {
	t.Parallel()
	var underWay, together atomic.Int32
	var latest atomic.Value
	chat := func(chat string) string {
		before, _ := latest.Swap(chat).(string)
		defer underWay.Add(-1)
		beside := underWay.Add(1) > 1
		time.Sleep(3 * time.Millisecond)
		if beside && together.Add(1) > 10 { // not yet where it is looked for
			return before
		}
		return chat
	}
	run := suites.RunQuietly(t.Context(), plainEndpointOf(t, plainEndpoint{chat: chat}), suites.Options{Only: []string{"TOK-*", "AUTH-*SESSION", "AUTH-BIND-CHAT", "AUTH-CONCURRENT", "AUTH-FRESH", "AUTH-CHATID-*"}})
	for _, c := range run.Checks {
		if noticed(c) != (c.ID == "AUTH-CONCURRENT") {
			t.Errorf("%s is %s", c.ID, c.Outcome)
			describe(t, c)
		}
	}
}

// What a library does not look at behind a token accuses no webhook: nobody else
// can sign what stands before it.
func TestDotsBehindATokenAreANote(t *testing.T) {
	t.Parallel()
	h := plain()
	h.before = func(_ http.ResponseWriter, r *http.Request) bool {
		r.Header.Set("Authorization", strings.TrimRight(r.Header.Get("Authorization"), ".")) // as Ruby splits
		return false
	}
	run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-SEGMENTS"}})
	if c := find(t, run, "HOOK-SEGMENTS"); c.Outcome != reports.Informed || run.ExitCode != 0 {
		t.Errorf("HOOK-SEGMENTS is %s, exit code %d", c.Outcome, run.ExitCode)
		describe(t, c)
	}
}

func TestAnAnswerToStrangersIsReadToo(t *testing.T) {
	t.Parallel()
	h := plain()
	h.stranger = func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, "<b>Warning</b>:  Undefined array key \"HTTP_AUTHORIZATION\" in <b>/srv/hook.php</b> on line <b>7</b><br />\n{\"reply\":\"Please log in\"}")
	}
	for name, serves := range map[string]http.Handler{
		"members get JSON":                        h,
		"members get JSON as HTML, which is less": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(asHTML{w}, r) }),
	} {
		shop := targetOf(t, h)
		shop.Webhooks[0].ConnectTo = serve(t, serves.ServeHTTP)
		run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"RESP-JSON", "HOOK-ERROR-LEAK"}})
		if c := find(t, run, "RESP-JSON"); c.Outcome != reports.Failed || !strings.Contains(c.Actual, "without a token") {
			t.Errorf("%s: RESP-JSON: %s %s", name, c.Outcome, c.Actual)
		}
		if c := find(t, run, "HOOK-ERROR-LEAK"); c.Outcome != reports.Warned {
			t.Errorf("%s: HOOK-ERROR-LEAK: %s %s", name, c.Outcome, c.Actual)
		}
	}
}

// asHTML calls whatever is written HTML, as PHP does unless it is told.
type asHTML struct{ http.ResponseWriter }

func (w asHTML) Write(b []byte) (int, error) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	return w.ResponseWriter.Write(b)
}

// An error that shows where the code stands is found wherever the code stumbles: over a
// header, a signature, or what it takes for granted in a token that verifies.
func TestAnErrorShowsItsInternalsWhereverItComes(t *testing.T) {
	t.Parallel()
	lacks := func(name string) func(*http.Request, map[string]any, map[string]any) bool {
		return func(_ *http.Request, _, claims map[string]any) bool { return claims != nil && claims[name] == nil }
	}
	type row struct {
		name     string
		stumbles func(r *http.Request, header, claims map[string]any) bool
	}
	each(t, []row{
		{"a signature is there", func(r *http.Request, _, _ map[string]any) bool { return r.Header.Get("Kindly-HMAC") == "" }},
		{"a token has three segments", func(r *http.Request, _, _ map[string]any) bool {
			raw := r.Header.Get("Authorization")
			return raw != "" && strings.Count(raw, ".") < 2
		}},
		{"a token names a key that is there", func(_ *http.Request, header, _ map[string]any) bool { return header["kid"] != nil }},
		{"a token says its algorithm", func(_ *http.Request, header, _ map[string]any) bool { return header != nil && header["alg"] == nil }},
		{"a token ends", lacks("exp")},
		{"a token has a chat", lacks("chat")},
		{"a token has a user", lacks("sub")},
	}, func(r row) string { return r.name }, func(t *testing.T, row row) {
		h := plain()
		h.before = func(w http.ResponseWriter, r *http.Request) bool {
			header, claims, _ := h.read(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			if r.Header.Get("Authorization") == "" {
				header, claims = nil, nil
			}
			if !row.stumbles(r, header, claims) {
				return false
			}
			http.Error(w, "Traceback (most recent call last):\n  File \"/srv/shop/hook.py\", line 7, in verify", http.StatusInternalServerError)
			return true
		}
		run := suites.RunQuietly(t.Context(), targetOf(t, h), suites.Options{Only: []string{"HOOK-ERROR-LEAK"}})
		if c := find(t, run, "HOOK-ERROR-LEAK"); c.Outcome != reports.Warned || !strings.Contains(c.Actual, "a stack trace") {
			t.Errorf("HOOK-ERROR-LEAK is %s", c.Outcome)
			describe(t, c)
		}
	})
}

// An origin that only begins, or ends, like the page's is somebody else's; that the page has
// a port here, and none in production, hides nothing.
func TestOriginsAreComparedAsAWhole(t *testing.T) {
	t.Parallel()
	type row struct {
		name    string
		serves  func(origin, own string) bool
		outcome reports.Outcome
		cause   string
	}
	const open = "endpoint-open-to-sites"
	each(t, []row{
		{"the same", func(origin, own string) bool { return origin == own }, reports.Passed, ""},
		{"begins like it", strings.HasPrefix, reports.Failed, open},
		{"has it in it", strings.Contains, reports.Failed, open},
		{"without credentials", func(_, own string) bool { return true }, reports.Failed, ""},
	}, func(r row) string { return r.name }, func(t *testing.T, row row) {
		shop := plainEndpointOf(t, plainEndpoint{})
		shop.Endpoint.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
			if origin := r.Header.Get("Origin"); row.serves(origin, "http://"+r.Host) {
				w.Header().Set("Access-Control-Allow-Origin", origin)
				if row.name != "without credentials" {
					w.Header().Set("Access-Control-Allow-Credentials", "true")
				}
			}
			plainEndpoint{}.ServeHTTP(w, r)
		})
		run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-CORS-FOREIGN"}})
		if c := find(t, run, "AUTH-CORS-FOREIGN"); c.Outcome != row.outcome || c.Cause != row.cause {
			describe(t, c)
			t.Errorf("AUTH-CORS-FOREIGN is %s for %q, want %s for %q", c.Outcome, c.Cause, row.outcome, row.cause)
		}
	})
}

// Who is remembered by a name that anybody can write, where the session is not known, is
// whoever says so.
func TestANameBesideALostSessionIsBelieved(t *testing.T) {
	t.Parallel()
	users := map[string]string{"17": "user-ada", "18": "user-grace"}
	remembered := func(r *http.Request) string {
		if user := plainSession(r); user != "" {
			return user
		}
		if c, err := r.Cookie("uid"); err == nil {
			return users[c.Value]
		}
		return ""
	}
	for name, row := range map[string]struct {
		who     func(*http.Request) string
		outcome reports.Outcome
	}{"it is believed": {remembered, reports.Failed}, "it is not": {plainSession, reports.Passed}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := plainEndpointOf(t, plainEndpoint{who: row.who})
			shop.Endpoint.Header["Cookie"] = []string{"sid=9f2c7be1a0d4; uid=17"}
			shop.Endpoint.SecondHeader["Cookie"] = []string{"sid=51c0e8d7f3ab; uid=18"}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-NO-SESSION", "AUTH-BAD-SESSION"}})
			if c := find(t, run, "AUTH-BAD-SESSION"); c.Outcome != row.outcome {
				describe(t, c)
				t.Errorf("AUTH-BAD-SESSION is %s, want %s", c.Outcome, row.outcome)
			}
			if c := find(t, run, "AUTH-NO-SESSION"); c.Outcome != reports.Passed {
				describe(t, c)
			}
		})
	}
}

// So does that of an endpoint which takes it for granted that each session has its user.
func TestAnInventedSessionMayShowInternals(t *testing.T) {
	t.Parallel()
	shop := plainEndpointOf(t, plainEndpoint{})
	shop.Endpoint.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("sid"); err == nil && plainSession(r) == "" {
			http.Error(w, `{"error":"nil pointer","stack":"goroutine 12 [running]:\nmain.token()"}`, http.StatusInternalServerError)
			return
		}
		plainEndpoint{}.ServeHTTP(w, r)
	})
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-ERROR-LEAK"}})
	if c := find(t, run, "AUTH-ERROR-LEAK"); c.Outcome != reports.Warned || !strings.Contains(c.Actual, "with an invented session: the answer shows a stack trace") {
		describe(t, c)
		t.Errorf("AUTH-ERROR-LEAK is %s", c.Outcome)
	}
}

// A webhook may read the user's name from a claim that Kindly does not know: what is
// forged of such a token names somebody there too.
func TestANameInAnotherClaimIsForgedToo(t *testing.T) {
	t.Parallel()
	h := plain()
	h.name = "full_name"
	h.believe = func(_, claims map[string]any, _ bool, _ string) bool { return claims["full_name"] != nil }
	shop := plainEndpointOf(t, plainEndpoint{alsoCalled: "full_name"})
	shop.PrivateKey = ourKey()
	shop.Webhooks = targetOf(t, h).Webhooks
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"HOOK-WRONG-KEY", "HOOK-ESCAPES"}})
	for id, says := range map[string]string{"HOOK-WRONG-KEY": "which was made up for the forged token", "HOOK-ESCAPES": "it came back as it was"} {
		if c := find(t, run, id); !strings.Contains(c.Actual, says) {
			t.Errorf("%s does not say %q", id, says)
			describe(t, c)
		}
	}
}

// The query may stand in for a body that is not there, and not for one that lacks the chat
// id; and a token for no chat says nothing of the query.
func TestAChatIDInTheQueryAloneIsAlone(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		chat    func(body, query string) string
		outcome reports.Outcome
		says    string
	}{
		"the query stands in for a body": {func(body, query string) string {
			if body == "" {
				return query
			}
			return member([]byte(body), "chat_id")
		}, reports.Warned, "and no body: it gave a token"},
		"the body is all that counts, and may lack it": {func(body, _ string) string { return cmp.Or(member([]byte(body), "chat_id"), "none") }, reports.Skipped, "see AUTH-CHATID-MISSING"},
		"nothing can do without a body": {func(body, _ string) string {
			if body == "" {
				panic(http.ErrAbortHandler)
			}
			return member([]byte(body), "chat_id")
		}, reports.Passed, ""},
		"the body is all that counts": {func(body, _ string) string { return member([]byte(body), "chat_id") }, reports.Passed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := plainEndpointOf(t, plainEndpoint{})
			shop.Endpoint.ChatIDField, shop.Endpoint.RequestForm.Body = "", map[string]any{"chat_id": target.ChatID, "locale": "nb"}
			shop.Endpoint.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if id := row.chat(string(body), r.URL.Query().Get("chat_id")); id != "" {
					json.NewEncoder(w).Encode(map[string]string{"token": plainEndpoint{}.token("user-ada", id, r)})
					return
				}
				http.Error(w, `{"error":"chat_id"}`, http.StatusBadRequest)
			})
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-CHATID-QUERY"}})
			if c := find(t, run, "AUTH-CHATID-QUERY"); c.Outcome != row.outcome || !strings.Contains(c.Actual+c.Reason, row.says) {
				describe(t, c)
				t.Errorf("it is %s, want %s", c.Outcome, row.outcome)
			}
		})
	}
}
