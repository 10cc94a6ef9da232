//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/kindlytest/kindlytest/fixtures/realkindly"
	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

const secretOfWebhook = "a-secret-of-the-webhook" // that of listenBefore

// oddApp is a webhook that answers by what is said: at first it fails at "fail", is
// silent at "slow", and leads elsewhere at "moved".
func oddApp(t *testing.T) string {
	var mu sync.Mutex
	times := map[string]int{}
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var said struct {
			Message string `json:"message"`
		}
		_ = json.Unmarshal(body, &said)
		mu.Lock()
		times[said.Message]++
		n := times[said.Message]
		mu.Unlock()
		switch {
		case said.Message == "fail" && n <= 2:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case said.Message == "slow" && n == 1:
			<-r.Context().Done()
			return
		case said.Message == "moved" && r.URL.Path == "/kindly":
			w.Header().Set("Location", "/kindly/moved")
			w.WriteHeader(http.StatusTemporaryRedirect)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"reply":"hello"}`)
	}))
	t.Cleanup(app.Close)
	return app.URL
}

var messages = []string{"hello", "hello again", "fail", "slow", "moved"}

// learnFrom reads a recording with the program.
func learnFrom(t *testing.T, recording, out string) observed.Learnt {
	t.Helper()
	if text, err := exec.Command("kindlytest", "learn", recording, "--out", out).CombinedOutput(); err != nil {
		t.Fatalf("learn: %v\n%s", err, text)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	l, err := observed.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return *l
}

// of is a row's observation.
func of(t *testing.T, l observed.Learnt, id string) string {
	t.Helper()
	i := slices.IndexFunc(l.Rows, func(r observed.Row) bool { return r.ID == id })
	if i < 0 {
		return "(no such row)"
	}
	return strings.TrimSpace(string(l.Rows[i].Verdict) + " " + l.Rows[i].Observed)
}

var numbers = regexp.MustCompile(`\d+\.\d+|\d+`)

// alike says whether two observations say the same. Times may be apart as far as a
// busy machine needs: what is not played is not there at all, or far off.
func alike(a, b string) bool {
	if numbers.ReplaceAllString(a, "#") != numbers.ReplaceAllString(b, "#") {
		return false
	}
	of := numbers.FindAllString(b, -1)
	for i, n := range numbers.FindAllString(a, -1) {
		x, _ := strconv.ParseFloat(n, 64)
		y, _ := strconv.ParseFloat(of[i], 64)
		if d := max(x-y, y-x); d > 0 && (!strings.Contains(n, ".") || d > 2.5) {
			return false
		}
	}
	return true
}

// A habitRow is one habit of the other Kindly's, and what is seen of it.
type habitRow struct{ id, seen string }

// requestHabits are seen by listen. In the column of run are those that show in a
// plain request, without anything that fails.
var requestHabits = []struct {
	habitRow
	run bool
}{
	{habitRow{"request.timeout", "differs Kindly hung up after 3.0 s"}, false},
	{habitRow{"request.retries", "differs 3 of 3 failed deliveries came again, after 0.3 s, then 0.9 s"}, false},
	{habitRow{"request.redirects", "differs 1 of 1 were followed"}, false},
	{habitRow{"request.content-type", "agrees application/json; charset=utf-8"}, true},
	{habitRow{"request.hmac-algorithm", "agrees HMAC-SHA-256 (base64 encoded)"}, false},
	{habitRow{"request.hmac", "agrees right"}, false},
	{habitRow{"request.method", "agrees POST"}, true},
	{habitRow{"request.user-agent", "new " + realkindly.UserAgent}, true},
	{habitRow{"request.protocol", "new HTTP/1.1"}, true},
	{habitRow{"request.spelling", "differs content-type, kindly-hmac, kindly-hmac-algorithm"}, true},
	{habitRow{"request.framing", "differs Transfer-Encoding"}, true},
	{habitRow{"header.x-kindly-delivery", "new in 9 of 9"}, false},
	{habitRow{"header.X-Kindly-Version", "new in 9 of 9"}, false},
	{habitRow{"header.accept", "new in 9 of 9"}, false},
	{habitRow{"header.accept-encoding", "new in 9 of 9"}, false},
	{habitRow{"payload.organization_id", "agrees integer, always"}, true},
	{habitRow{"payload.bot_id", "differs string, always"}, true},
	{habitRow{"payload.user_id", "agrees string, always"}, true},
	{habitRow{"payload.chat_labels", "differs null, always"}, true},
	{habitRow{"payload._links", "differs in none of 9"}, false},
	{habitRow{"payload._links.chat", "differs in none of 9"}, false},
	{habitRow{"payload.attachments", "not seen"}, true},
	{habitRow{"payload.exchange.language_code", "agrees string, always"}, true},
	{habitRow{"payload.exchange.confidence", "new number, always"}, true},
	{habitRow{"payload.platform", "new string, always"}, true},
	{habitRow{"payload.sent_at", "new string, always"}, true},
	{habitRow{"payload.delivery_id", "new string, always"}, true},
	{habitRow{"payload.beta", "new boolean, always"}, true},
	{habitRow{"payload.score", "new integer, always"}, true},
	{habitRow{"payload.agents", "new list, always"}, true},
	{habitRow{"payload.locale", "new object, always"}, true},
	{habitRow{"payload.locale.country", "new string, always"}, true},
	{habitRow{"payload.handover", "new null, always"}, true},
}

// valuesOf are the kinds and the values of members, of those that have any.
var valuesOf = map[string]string{
	"organization_id": "77", "bot_id": `"b-12"`, "exchange.language_code": `"nb"`, "user_id": "digits", "delivery_id": "uuid", "sent_at": "date-time",
}

// TestKindlyIsPlayedAsItWasSeen lets another Kindly deliver through listen, learns
// from that, and compares what serve and run then send.
func TestKindlyIsPlayedAsItWasSeen(t *testing.T) {
	dir := t.TempDir()
	from := func(name string) (*heard, string) {
		path := filepath.Join(dir, name+".jsonl")
		return listenBefore(t, oddApp(t), "--record", path), path
	}
	tunnel, recording := from("real")
	real := &realkindly.Kindly{Webhook: tunnel.base + "/kindly", Secret: secretOfWebhook}
	for _, text := range messages {
		if err := real.Say(context.Background(), text); err != nil {
			t.Fatal(err)
		}
	}
	seen := learnFrom(t, recording, filepath.Join(dir, observed.DefaultName))

	tunnel, recording = from("serve")
	config := filepath.Join(dir, "kindlytest.yaml")
	putFile(t, config, "version: 1\nwebhooks: [{url: "+tunnel.base+"/kindly, hmac_secret: "+secretOfWebhook+"}]\n")
	mock := serve(t, nil, "-c", config, "--listen", "127.0.0.1:0")
	var chat struct {
		ID string `json:"id"`
	}
	if err := mock.call("POST", "/mock/v1/chats", `{"bot_key":"b","source":"web","web_host":"shop.example","web_path":"/","web_url":"https://shop.example/"}`, &chat); err != nil {
		t.Fatal(err)
	}
	for _, text := range messages {
		var replies any
		if err := mock.call("POST", "/mock/v1/chats/"+chat.ID+"/messages", `{"text":"`+text+`","context":{"order":"4711"}}`, &replies); err != nil {
			t.Fatal(err)
		}
	}
	served := learnFrom(t, recording, filepath.Join(dir, "serve.json"))

	tunnel, recording = from("run")
	putFile(t, config, "version: 1\nwebhooks: [{url: https://hooks.example.com/kindly, connect_to: "+tunnel.base+"/kindly, hmac_secret: "+secretOfWebhook+"}]\n")
	run := exec.Command("kindlytest", "run", "-c", config, "--only", "RESP-JSON,RESP-TIME,RESP-REPEAT", "--report-dir", filepath.Join(dir, "reports"))
	report, _ := run.CombinedOutput() // its verdict is not the question
	ran := learnFrom(t, recording, filepath.Join(dir, "run.json"))

	for _, row := range requestHabits {
		if got := of(t, seen, row.id); !alike(row.seen, got) {
			t.Errorf("%s was learnt as %q, and is %q", row.id, got, row.seen)
		}
		if got := of(t, served, row.id); !alike(row.seen, got) {
			t.Errorf("serve, %s: %q; want %q", row.id, got, row.seen)
		}
		if got := of(t, ran, row.id); row.run && !alike(row.seen, got) {
			t.Errorf("run, %s: %q; want %q", row.id, got, row.seen)
		}
	}
	for path, want := range valuesOf {
		for who, l := range map[string]observed.Learnt{"seen": seen, "serve": served, "run": ran} {
			m := l.Habits.Members[path]
			if m.Values[want] != m.Seen && m.Formats[want] != m.Seen || m.Seen == 0 {
				t.Errorf("%s, %s: %+v; want %s always", who, path, m, want)
			}
		}
	}
	for _, want := range []string{"observed by you, 9 deliveries", "request.timeout: Kindly hung up after", "by default: 10.0 s, assumed"} {
		if !strings.Contains(strings.Join(strings.Fields(string(report)), " "), want) {
			t.Errorf("run does not say %q:\n%s", want, report)
		}
	}
	explained := exec.Command("kindlytest", "explain", "RESP-TIME")
	explained.Dir = dir
	if text, err := explained.CombinedOutput(); err != nil || !strings.Contains(strings.Join(strings.Fields(string(text)), " "), "Observed by you, 1 delivery") {
		t.Errorf("explain: %v\n%s", err, text)
	}
}

// TestHTTP2IsPlayedAsItWasSeen is about the version alone: it excludes other habits.
func TestHTTP2IsPlayedAsItWasSeen(t *testing.T) {
	dir := t.TempDir()
	tunnel := listenBefore(t, oddApp(t), "--record", filepath.Join(dir, "real.jsonl"))
	if err := (&realkindly.Kindly{Webhook: tunnel.base + "/kindly", Secret: secretOfWebhook, HTTP2: true}).Say(context.Background(), "hello"); err != nil {
		t.Fatal(err)
	}
	seen := learnFrom(t, filepath.Join(dir, "real.jsonl"), filepath.Join(dir, observed.DefaultName))
	tunnel = listenBefore(t, oddApp(t), "--record", filepath.Join(dir, "run.jsonl"))
	run := exec.Command("kindlytest", "run", "--webhook", "https://hooks.example.com/kindly="+tunnel.base+"/kindly", "--only", "RESP-JSON")
	run.Dir = dir
	report, _ := run.CombinedOutput()
	ran := learnFrom(t, filepath.Join(dir, "run.jsonl"), filepath.Join(dir, "run.json"))
	if a, b := of(t, seen, "request.protocol"), of(t, ran, "request.protocol"); a != "new HTTP/2.0" || b != a {
		t.Errorf("it was seen as %q, and run sends %q\n%s", a, b, report)
	}
}

func putFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// clientHabits are seen in the browser.
var clientHabits = []habitRow{
	{"client.calls", "differs 2 times at the beginning, first 0.3 s after the page began"},
	{"client.arguments", "differs (uuid, object{chat_id,why})"},
	{"client.renewal", "differs again 2.0 s before exp"},
	{"client.after-throw", "differs called again after 0.4 s"},
	{"client.after-null", "differs called again after 0.7 s"},
	{"client.after-slow", "differs called again after 2.5 s, while an answer was awaited"},
	{"client.events", "new kindly:load, kindly:ready"},
}

// TestChatClientIsPlayedAsItWasSeen watches another chat client than the mock's, and
// then the mock's own.
func TestChatClientIsPlayedAsItWasSeen(t *testing.T) {
	requireBrowser(t)
	dir := t.TempDir()
	hosts := map[string]string{}
	cdn := httptest.NewServer(nil)
	t.Cleanup(cdn.Close)
	at := cdn.Listener.Addr().String()
	for _, host := range []string{"chat.kindlycdn.com", "chat-api.kindly.ai", "edge.kindly-static.example", "img.kindly-static.example", "live.push.example"} {
		hosts[host] = at
	}
	cdn.Config.Handler = realkindly.Client{Hosts: realkindly.Hosts{API: "http://chat-api.kindly.ai", Edge: "http://edge.kindly-static.example", Images: "http://img.kindly-static.example", Live: "ws://live.push.example"}}
	private, public, err := keyPair()
	if err != nil {
		t.Fatal(err)
	}
	putFile(t, filepath.Join(dir, "public.pem"), string(public))
	page := pageWithChat(t, private)

	watch := func(file, query, lasting string) observed.Learnt {
		t.Helper()
		config := filepath.Join(dir, file+".yaml")
		putFile(t, config, "version: 1\nobserved: "+file+".json\npage: {url: '"+page+"?"+query+"'}\nresolve: {"+yamlOf(hosts)+"}\n")
		if _, err := os.Stat(filepath.Join(dir, file+".json")); err != nil {
			putFile(t, filepath.Join(dir, file+".json"), `{"version":1,"tool":"a test","deliveries":0,"habits":{},"rows":[]}`)
		}
		cmd := exec.Command("kindlytest", "run", "-c", config, "--observe-client", "--observe-for", lasting)
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", query, err, text)
		}
		text, err := os.ReadFile(filepath.Join(dir, file+".json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"eyJ", "u-4711"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("%q is in what was seen", secret)
			}
		}
		l, err := observed.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return *l
	}
	watchAll := func(file, script string) (l observed.Learnt) {
		for how, lasting := range map[string]string{"ok": "9s", "throw": "3s", "null": "3s", "slow": "7s"} {
			l = watch(file, "how="+how+"&script="+script, lasting)
		}
		return l
	}
	seen := watchAll("real", "http://chat.kindlycdn.com/kindly-chat.js")

	mockConfig := filepath.Join(dir, "mock.yaml")
	putFile(t, mockConfig, "version: 1\nobserved: real.json\nbot: {public_key: public.pem}\ndialogues: [{slug: a, fallback: true, reply: hi}]\n")
	mock := serve(t, nil, "-c", mockConfig, "--listen", "127.0.0.1:0")
	played := watchAll("played", mock.base+"/kindly-chat.js")

	for _, row := range clientHabits {
		if got := of(t, seen, row.id); !alike(row.seen, got) {
			t.Errorf("%s was learnt as %q, and is %q", row.id, got, row.seen)
		}
		if got := of(t, played, row.id); !alike(row.seen, got) {
			t.Errorf("the mock's, %s: %q; want %q", row.id, got, row.seen)
		}
	}
	for _, name := range []string{"identify", "setLanguage"} {
		if !slices.Contains(seen.Habits.Client.Methods, name) || !slices.Contains(played.Habits.Client.Methods, name) {
			t.Errorf("%s is missing: %v, %v", name, seen.Habits.Client.Methods, played.Habits.Client.Methods)
		}
	}
	var needed []string
	for _, h := range seen.Habits.Client.Hosts {
		needed = append(needed, h.Kind+" "+h.Origin)
	}
	for _, want := range []string{"script http://chat.kindlycdn.com", "connect http://chat-api.kindly.ai", "script http://edge.kindly-static.example", "image http://img.kindly-static.example", "connect ws://live.push.example"} {
		if !slices.Contains(needed, want) {
			t.Errorf("%s is missing in %v", want, needed)
		}
	}
	if slices.ContainsFunc(needed, func(h string) bool { return strings.Contains(h, "localhost") }) {
		t.Errorf("the page's own host is among the client's: %v", needed)
	}
	policies := map[string]string{ // what PAGE-CSP says of a policy that allows this
		"script-src 'unsafe-inline' http://chat.kindlycdn.com http://edge.kindly-static.example; connect-src 'self' http://chat-api.kindly.ai ws://live.push.example https://bot.kindly.ai; img-src http://img.kindly-static.example": "passed",
		"script-src 'unsafe-inline' http://chat.kindlycdn.com http://edge.kindly-static.example; connect-src 'self' http://chat-api.kindly.ai https://bot.kindly.ai; img-src *":                                                       "failed",
		"script-src 'unsafe-inline' http://chat.kindlycdn.com; connect-src 'self' http://chat-api.kindly.ai ws://live.push.example https://bot.kindly.ai; img-src *":                                                                  "failed",
	}
	for policy, want := range policies {
		config := filepath.Join(dir, "csp.yaml")
		putFile(t, config, "version: 1\nobserved: real.json\nbot: {public_key: public.pem}\npage: {url: '"+page+"?how=ok&script=http://chat.kindlycdn.com/kindly-chat.js&policy="+strings.NewReplacer(" ", "%20", "'", "%27", ";", "%3B").Replace(policy)+"'}\n")
		run := exec.Command("kindlytest", "run", "-c", config, "--only", "PAGE-CSP", "--json", "--report-dir", filepath.Join(dir, "reports"))
		text, _ := run.Output()
		var report struct {
			Checks []struct{ ID, Outcome, Expected, Actual, Reason string }
		}
		if err := json.Unmarshal(text, &report); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		for _, c := range report.Checks {
			if c.ID == "PAGE-CSP" && c.Outcome != want {
				t.Errorf("%s: %+v; want %s", policy, c, want)
			}
		}
	}
}

func yamlOf(m map[string]string) string {
	var out []string
	for k, v := range m {
		out = append(out, k+": '"+v+"'")
	}
	return strings.Join(out, ", ")
}

// pageWithChat serves a page whose callback works, throws, gives null, or takes four
// seconds. Its tokens last six.
func pageWithChat(t *testing.T, private []byte) string {
	t.Helper()
	key, err := token.ParsePrivateKey("private.pem", private)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			ChatID string `json:"chatId"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		now, life := time.Now(), 6*time.Second
		if r.URL.Query().Get("how") == "slow" { // nothing is renewed beside that
			life = time.Minute
		}
		signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
			"sub": "u-4711", "name": "Ada", "iss": "shop", "iat": now.Unix(), "exp": now.Add(life).Unix(), "chat": map[string]any{"id": in.ChatID},
		}).SignedString(key.Private)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"token": signed})
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if policy := q.Get("policy"); policy != "" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>shop</title><script>
window.kindlyOptions = {
	getAuthToken: async (chatId) => {
		const how = %q;
		if (how === "throw") throw new Error("no session");
		if (how === "null") return null;
		if (how === "slow") await new Promise((resolve) => setTimeout(resolve, 4000));
		return (await (await fetch("/token?how=" + how, {method: "POST", body: JSON.stringify({chatId})})).json()).token;
	},
};
</script><script id="kindly-chat" src="%s" data-bot-key="b" async></script>`, q.Get("how"), q.Get("script"))
	})
	s := &http.Server{Handler: mux}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return "http://localhost:" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port) + "/"
}
