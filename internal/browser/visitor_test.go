package browser_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// What a visitor does is told, in order, with selectors that find it again, and
// nothing of what was typed.
func TestAccompanyTellsWhatTheVisitorDoes(t *testing.T) {
	far := newSite(t, map[string]string{"/framed": `<input id=out>`})
	s := newSite(t, map[string]string{
		"/consent": `<div><p>x</p><div><span>Cookies?</span><b onclick="location = '/login'">Yes</b></div></div>`,
		"/login": `<form action=/code method=post><input id=email type=email><input name=pw type=password><label>Stay <input type=checkbox name=stay></label>
			<select name=shop><option>Oslo<option>Bergen</select><button>Go</button></form>`,
		"/account": `<button data-testid=chat>Chat</button><my-consent><template shadowrootmode=open><div><b>x</b><b onclick="">Accept</b></div></template></my-consent>
			<iframe id=near src="/outer"></iframe><iframe id=far src="` + far.elsewhere() + `/framed"></iframe><script>document.querySelector("button").click()</script>`,
		"/outer": `<iframe srcdoc="<input id=in>"></iframe>`,
	})
	s.mux.HandleFunc("POST /code", func(w http.ResponseWriter, r *http.Request) {
		writeHTML(w, `<form action=/account><input name=otp autocomplete=one-time-code></form>`)
	})
	var mu sync.Mutex
	var got []browser.Deed
	u := newUser(t, chrome(t), browser.Login{})
	p, err := u.Accompany(withTimeout(t), s.URL+"/consent?secret=1", nil, func(d browser.Deed) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, d)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	fill := func(selector, value string) browser.Step {
		return browser.Step{Fill: []browser.Field{{Selector: selector, Value: value}}}
	}
	// What steps fill in within frames is no visitor's typing; Enter is.
	err = p.Do(withTimeout(t), []browser.Step{{Click: "b"}, fill("#email", "ada@example.com"), fill("[name=pw]", "hunter2"), {Click: "[name=stay]"},
		{Click: "button"}, fill("[name=otp]", "123456"), {Press: "Enter"}, {Click: "[data-testid=chat]"},
		{Click: "div > b:nth-of-type(2)"}, fill("#near >>> iframe >>> #in", "x"), {Press: "Enter"}, fill("#far >>> #out", "y"), {Press: "Enter"}}, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []browser.Deed{
		{Kind: "click", Selector: "b", URL: s.URL + "/consent"},
		{Kind: "fill", Selector: "#email", Field: "user", URL: s.URL + "/login"},
		{Kind: "fill", Selector: `input[name="pw"]`, Field: "password", URL: s.URL + "/login"},
		{Kind: "fill", Selector: `input[name="stay"]`, Field: "stay", Chosen: "true", URL: s.URL + "/login"},
		{Kind: "click", Selector: "button", URL: s.URL + "/login"},
		{Kind: "fill", Selector: `input[name="otp"]`, Field: "code", URL: s.URL + "/code"},
		{Kind: "press", Selector: `input[name="otp"]`, Key: "Enter", URL: s.URL + "/code"},
		{Kind: "click", Selector: `[data-testid="chat"]`, URL: s.URL + "/account"},
		{Kind: "click", Selector: "div > b:nth-of-type(2)", URL: s.URL + "/account"},
		{Kind: "press", Selector: "#near >>> iframe >>> #in", Key: "Enter", URL: s.URL + "/account"},
		{Kind: "press", Within: "#out", Key: "Enter", URL: far.elsewhere() + "/framed"},
	}
	eventually(t, "the last click is told", func() bool { mu.Lock(); defer mu.Unlock(); return len(got) >= len(want) })
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	go p.Close()
	select {
	case <-p.Gone():
	case <-time.After(10 * time.Second):
		t.Error("that the tab was closed is not told")
	}
}
