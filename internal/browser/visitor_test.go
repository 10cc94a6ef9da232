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
	s := newSite(t, map[string]string{
		"/consent": `<div><p>x</p><div><span>Cookies?</span><b onclick="location = '/login'">Yes</b></div></div>`,
		"/login": `<form action=/code method=post><input id=email type=email><input name=pw type=password><label>Stay <input type=checkbox name=stay></label>
			<select name=shop><option>Oslo<option>Bergen</select><button>Go</button></form>`,
		"/account": `<button data-testid=chat>Chat</button><iframe src="/framed"></iframe><script>document.querySelector("button").click()</script>`,
		"/framed":  `<button id=in style="width: 200px; height: 100px">In</button>`,
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
	err = p.Do(withTimeout(t), []browser.Step{{Click: "b"}, fill("#email", "ada@example.com"), fill("[name=pw]", "hunter2"), {Click: "[name=stay]"},
		{Click: "button"}, fill("[name=otp]", "123456"), {Press: "Enter"}, {Click: "[data-testid=chat]"}}, false, nil)
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
