package suites_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// asking is a callback that asks for a token for each chat, and remembering one that
// gives the first to all.
const (
	asking = `async (chat_id) => (await (await fetch("/auth", {method: "POST", headers: {"Content-Type": "application/json"},
		body: JSON.stringify({chat_id})})).json()).token`
	remembering = `(id) => window.kept ??= (` + asking + `)(id)`
)

// chatless is a page in whose head stands something else than a sound snippet. It
// counts how often it is opened.
func chatless(t *testing.T, head string, auth plainEndpoint) (target.Target, *atomic.Int64) {
	opened := new(atomic.Int64)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/auth" {
			auth.ServeHTTP(w, r)
			return
		}
		if r.URL.Path == "/" {
			opened.Add(1)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!doctype html><title>Shop</title><link rel="icon" href="data:,">`+head)
	})
	cookies := func(sid string) *browser.Login {
		return &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: sid, HTTPOnly: true, SameSite: "Lax"}}}
	}
	return target.Target{PageURL: url + "/", Login: cookies("9f2c7be1a0d4"), Second: cookies("51c0e8d7f3ab"),
		PublicKeys: []*token.Key{publicOf(t)}}, opened
}

func calls(callback string) string {
	return `<script>window.kindlyOptions = {getAuthToken: ` + callback + `}</script>`
}

func noted(run reports.Run) bool {
	return slices.ContainsFunc(run.Notes, func(n reports.Note) bool {
		return strings.HasPrefix(n.Text, subject.AsIfStarted) || strings.HasPrefix(n.Text, subject.AsIfDefined)
	})
}

// everybody is an endpoint's mistake: who is not logged in is a guest.
func everybody(r *http.Request) string {
	if user := plainSession(r); user != "" {
		return user
	}
	return "user-guest"
}

// What keeps the chat client out hides no mistake of what comes behind it.
func TestWhatKeepsTheChatClientOutHidesNothing(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	inserted := `const s = document.createElement("script"); s.id = "kindly-chat"; s.dataset.botKey = "bot"; s.src = "` + kindlyURL + `"; document.head.append(s)`
	policy := func(text string) string { return `<meta http-equiv="Content-Security-Policy" content="` + text + `">` }
	type row struct{ name, check, cause, before, tag string }
	const late = "PAGE-CALLBACK-DEFINED" // tag: the callback, and the client that does not find it
	given := `{getAuthToken: ` + remembering + `}`
	rows := []row{
		{"consent holds the tag back", "PAGE-WIDGET", "widget-held-back", "", strings.Replace(snippet, "<script", `<script type="text/plain"`, 1)},
		{"consent keeps the URL", "PAGE-WIDGET", "widget-held-back", "", strings.Replace(snippet, "src=", "data-cookie-src=", 1)},
		{"the hash is of another script", "PAGE-WIDGET", "widget-integrity", "", strings.Replace(snippet, "<script", `<script crossorigin integrity="sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="`, 1)},
		{"nomodule", "PAGE-WIDGET", "", "", strings.Replace(snippet, "<script", "<script nomodule", 1)},
		{"in a template", "PAGE-WIDGET", "", "", "<template>" + snippet + "</template>"},
		{"as text", "PAGE-WIDGET", "widget-not-run", "", `<div id="place"></div><script>place.innerHTML = "<script id='kindly-chat' src='` + kindlyURL + `' data-bot-key='bot'></" + "script>"</script>`},
		{"from another host", "PAGE-WIDGET", "widget-host", "", strings.Replace(snippet, "chat.kindlycdn.com", "cdn.shop.example", 1)},
		{"under another id, from another host", "PAGE-WIDGET", "widget-missing", "", strings.NewReplacer("chat.kindlycdn.com", "cdn.shop.example", "kindly-chat\" ", "chat\" ").Replace(snippet)},
		{"without a bot key", "PAGE-WIDGET", "widget-bot-key", "", strings.Replace(snippet, `data-bot-key="bot"`, "", 1)},
		{"its loader throws", "PAGE-WIDGET", "widget-script-fails", "", `<script>const at = "` + kindlyURL + `"; document.getElementById("nowhere").append(at)</script>`},
		{"Trusted Types forbid its loader the URL", "PAGE-WIDGET", "widget-script-fails", policy("require-trusted-types-for 'script'"), `<script>` + inserted + `</script>`},
		{"no tag", "PAGE-WIDGET", "widget-missing", "", ""},
		{"push is the page's own", "PAGE-WIDGET", "widget-breaks", `<script>Array.prototype.push = () => { throw new TypeError("closed") }</script>`, snippet},
		{"fetch is the page's own", "PAGE-WIDGET", "widget-breaks", `<script>const ask = window.fetch; window.fetch = (to, how) => String(to).startsWith("/") ? ask(to, how) : new Promise(() => {})</script>`, snippet},
		{"the policy has no place for scripts of Kindly's", "PAGE-CSP", "csp-blocks-kindly", policy("script-src 'unsafe-inline'"), snippet},
		{"the policy has no place for its API", "PAGE-CSP", "csp-blocks-kindly", policy("connect-src 'self'"), snippet},
		{"put in later, to be blocked", "PAGE-CSP", "csp-blocks-kindly", policy("default-src 'self' 'unsafe-inline'"), `<script>setTimeout(() => { ` + inserted + ` }, 500)</script>`},
		{"the callback comes when all is loaded", late, "callback-late", "", snippet + `<script>onload = () => { window.kindlyOptions = ` + given + ` }</script>`},
		{"the callback comes a second later", late, "callback-late", "", snippet + `<script>setTimeout(() => { window.kindlyOptions = ` + given + ` }, 1000)</script>`},
		{"the callback has another name", late, "callback-misnamed", "", `<script>window.kindlyOptions = {getAuthtoken: ` + remembering + `}</script>` + snippet},
		{"the callback is on window", late, "callback-misnamed", "", `<script>window.getAuthToken = ` + remembering + `</script>` + snippet},
		{"the callback is in a constant", late, "callback-not-global", "", `<script>const kindlyOptions = ` + given + `</script>` + snippet},
		{"the callback is in another document than the client", late, "callback-in-other-document", "", `<script>window.kindlyOptions = ` + given + `</script><iframe srcdoc='` + snippet + `'></iframe>`},
	}
	each(t, rows, func(r row) string { return r.name }, func(t *testing.T, r row) {
		head := r.before + calls(remembering) + r.tag
		if r.check == late {
			head = r.tag
		}
		shop, _ := chatless(t, head, plainEndpoint{who: everybody})
		began := time.Now()
		run := suites.RunQuietly(t.Context(), shop, suites.Options{Browser: sharedBrowser(t), Timeout: 5 * time.Second, // a busy machine needs them
			Only: []string{"PAGE", "TOK-ALG", "AUTH-NO-SESSION", "AUTH-BIND-CHAT", "AUTH-BIND-SESSION"}})
		for _, w := range []want{
			{r.check, reports.Failed, ""}, {"PAGE-CALLBACK-TOKEN", reports.Passed, ""},
			{"PAGE-CALLBACK-FRESH", reports.Failed, "the very same token"}, {"PAGE-CALLBACK-RENEW", reports.Warned, "the very same token"},
			{"PAGE-LOGGED-OUT", reports.Failed, "got a token"}, {"AUTH-NO-SESSION", reports.Failed, "it gave a token"},
			{"AUTH-BIND-CHAT", reports.Passed, ""}, {"AUTH-BIND-SESSION", reports.Passed, ""}, {"TOK-ALG", reports.Passed, ""},
		} {
			if c := find(t, run, w.id); c.Outcome != w.outcome || !strings.Contains(c.Actual, w.says) {
				t.Errorf("%s must be %s and say %q", w.id, w.outcome, w.says)
				describe(t, c)
			}
		}
		if c := find(t, run, "PAGE-CALLBACK-DEFINED"); r.check != late && c.Outcome != reports.Passed {
			t.Error("the callback is there, and PAGE-CALLBACK-DEFINED does not say so")
			describe(t, c)
		}
		if c := find(t, run, r.check); c.Cause != r.cause {
			t.Errorf("%s is put down to %q, want %q", r.check, c.Cause, r.cause)
		}
		high := slices.IndexFunc(run.Causes, func(c reports.Cause) bool { return c.Severity == reports.High })
		if r.check != late && r.cause != "" && (high < 0 || run.Causes[high].ID != r.cause) {
			t.Errorf("what keeps it out is not named before what it hides: %+v", run.Causes)
		}
		if c := find(t, run, "PAGE-CALLBACK-FRESH"); c.Cause != "page-remembers-token" {
			t.Errorf("the token is remembered, and that is put down to %q", c.Cause)
		}
		if !noted(run) || run.ExitCode != 1 || run.Problem != "" {
			t.Errorf("exit code %d, problem %q, notes %v: want 1 and that the client was put in", run.ExitCode, run.Problem, run.Notes)
		}
		if took := time.Since(began); took > patience {
			t.Errorf("it took %s", took)
		}
	})
}

// Only what keeps the chat client out is mended: what the page does to its own
// callback counts.
func TestWhatThePageDoesToItsCallbackIsNotMended(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	held := strings.Replace(snippet, "<script", `<script type="text/plain"`, 1)
	elsewhere := strings.Replace(snippet, "chat.kindlycdn.com", "cdn.shop.example", 1)
	type row struct {
		name, head string
		wants      []want
		noted      bool
	}
	each(t, []row{
		{"its policy allows neither Kindly nor the endpoint", `<meta http-equiv="Content-Security-Policy" content="connect-src https://other.example">` + calls(asking) + snippet, []want{
			{"PAGE-CSP", reports.Failed, "bot.kindly.ai"}, {"PAGE-CALLBACK-TOKEN", reports.Failed, "the page's own Content-Security-Policy keeps it from asking"}}, true},
		{"it throws", calls(`() => { throw new Error("no session here") }`) + elsewhere, []want{
			{"PAGE-WIDGET", reports.Failed, "cdn.shop.example"}, {"PAGE-CALLBACK-TOKEN", reports.Failed, "no session here"}}, true},
		{"it is there too late", elsewhere + `<script>setTimeout(() => { window.kindlyOptions = {getAuthToken: () => "a.b.c"} }, 2500)</script>`, []want{
			{"PAGE-WIDGET", reports.Failed, "cdn.shop.example"}, {"PAGE-CALLBACK-DEFINED", reports.Failed, "getAuthToken was undefined"}}, true},
		{"it is there as late as somebody's consent would be", held + `<script>setTimeout(() => { window.kindlyOptions = {getAuthToken: () => "a.b.c"} }, 1000)</script>`, []want{
			{"PAGE-WIDGET", reports.Failed, "text/plain"}, {"PAGE-CALLBACK-DEFINED", reports.Passed, ""}, {"PAGE-CALLBACK-KEPT", reports.Passed, ""}}, true},
		{"it may come with somebody's consent", held, []want{
			{"PAGE-WIDGET", reports.Failed, "text/plain"}, {"PAGE-CALLBACK-DEFINED", reports.Skipped, "see PAGE-WIDGET"}}, false},
		{"it goes away", calls(asking) + elsewhere + `<script>document.addEventListener("kindly:load", () => setTimeout(() => { kindlyOptions = {context: {}} }, 400))</script>`, []want{
			{"PAGE-WIDGET", reports.Failed, "cdn.shop.example"}, {"PAGE-CALLBACK-TOKEN", reports.Passed, ""}, {"PAGE-CALLBACK-KEPT", reports.Warned, "kindlyOptions was replaced"}}, true},
		{"its page throws besides", calls(asking) + held + `<script>onload = () => basket.refresh()</script>`, []want{
			{"PAGE-ERRORS", reports.Warned, "basket is not defined"}}, true},
		{"it leaves the token about", calls(`async (id) => localStorage.kindly = await (`+asking+`)(id)`) + held, []want{
			{"PAGE-TOKEN-LEAK", reports.Failed, "localStorage"}}, true},
		{"its page goes on to another", calls(asking) + elsewhere + `<script>onload = () => { if (!location.search) setTimeout(() => location.replace("/?on"), 300) }</script>`, []want{
			{"PAGE-WIDGET", reports.Failed, "cdn.shop.example"}, {"PAGE-CALLBACK-TOKEN", reports.Passed, ""}}, true},
		{"its page goes on to another just then", calls(asking) + elsewhere + `<script>onload = () => new MutationObserver(() => { if (!location.search) location.replace("/?on") }).observe(document, {childList: true, subtree: true})</script>`, []want{
			{"PAGE-WIDGET", reports.Failed, "cdn.shop.example"}, {"PAGE-CALLBACK-TOKEN", reports.Passed, ""}}, true},
	}, func(r row) string { return r.name }, func(t *testing.T, r row) {
		shop, _ := chatless(t, r.head, plainEndpoint{})
		run := suites.RunQuietly(t.Context(), shop, suites.Options{Browser: sharedBrowser(t), Timeout: 2 * impatience, Only: []string{"PAGE"}})
		for _, w := range r.wants {
			if c := find(t, run, w.id); c.Outcome != w.outcome || !strings.Contains(c.Actual+c.Reason, w.says) {
				t.Errorf("%s must be %s and say %q", w.id, w.outcome, w.says)
				describe(t, c)
			}
		}
		if c := find(t, run, "PAGE-ERRORS"); strings.HasPrefix(c.Cause, "widget-") {
			t.Errorf("its errors are put down to %s", c.Cause)
		}
		if noted(run) != r.noted {
			t.Errorf("notes: %v", run.Notes)
		}
	})
}

// A page whose chat client starts is opened no more often than before: once, as
// nobody, and for the callback to be called again. Nor is one that means to have none.
func TestOnlyAPageThatKeepsTheChatClientOutIsOpenedOnceMore(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	type row struct {
		name, head string
		opened     int64
	}
	each(t, []row{
		{"sound", calls(asking) + snippet, 3},
		{"no chat is meant", "", 2},
		{"the chat client is kept out", calls(asking) + strings.Replace(snippet, "<script", "<script nomodule", 1), 4},
	}, func(r row) string { return r.name }, func(t *testing.T, r row) {
		shop, opened := chatless(t, r.head, plainEndpoint{})
		shop.Second = nil
		run := suites.RunQuietly(t.Context(), shop, suites.Options{Browser: sharedBrowser(t), Timeout: impatience, Only: []string{"PAGE", "AUTH-POST-TOKEN"}})
		if opened.Load() != r.opened {
			t.Errorf("it was opened %d times, want %d", opened.Load(), r.opened)
		}
		if kept := r.opened == 4; noted(run) != kept {
			t.Errorf("notes: %v", run.Notes)
		}
	})
}

// A page that asks for a token before there is a chat, for a chat of its own making, hides
// nothing of its endpoint: that is asked for other chats in the same way.
func TestAPageThatMakesItsOwnChatHidesNothing(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	shop, _ := chatless(t, calls(`() => window.kept ??= (`+asking+`)(crypto.randomUUID())`)+snippet, plainEndpoint{who: everybody})
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Browser: sharedBrowser(t), Timeout: impatience,
		Only: []string{"PAGE-CALLBACK-*", "TOK-CHAT-ID", "AUTH-POST-TOKEN", "AUTH-NO-SESSION", "AUTH-BIND-*", "AUTH-CHATID-TYPE"}})
	for _, w := range []want{
		{"TOK-CHAT-ID", reports.Failed, ""}, {"PAGE-CALLBACK-FRESH", reports.Failed, ""}, {"AUTH-NO-SESSION", reports.Failed, "it gave a token"},
		{"AUTH-POST-TOKEN", reports.Passed, ""}, {"AUTH-BIND-CHAT", reports.Passed, ""}, {"AUTH-BIND-SESSION", reports.Passed, ""}, {"AUTH-CHATID-TYPE", reports.Passed, ""},
	} {
		if c := find(t, run, w.id); c.Outcome != w.outcome || !strings.Contains(c.Actual, w.says) {
			t.Errorf("%s must be %s and say %q", w.id, w.outcome, w.says)
			describe(t, c)
		}
	}
}
