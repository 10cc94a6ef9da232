package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// A login may stand in a frame of another site, in the shadow tree of a component, or
// in one within the other.
func TestStepsReachFramesAndShadowTrees(t *testing.T) {
	const form = `<form method=post action=/in><input id=name name=name><input id=password name=password type=password><button id=in>Log in</button></form>`
	fill := func(in string) []browser.Step {
		return []browser.Step{{Fill: []browser.Field{{Selector: in + "#name", Value: "ada"}, {Selector: in + "#password", Value: "hunter2"}}}, {Click: in + "#in"}, {WaitFor: ".account"}}
	}
	component := func(inner string) string {
		return `<my-login></my-login><script>customElements.define("my-login", class extends HTMLElement { connectedCallback() { this.attachShadow({mode: "open"}).setHTMLUnsafe(` + "`" + inner + "`" + `); } })</script>`
	}
	closed := func(page string) string { return strings.ReplaceAll(page, `{mode: "open"}`, `{mode: "closed"}`) }
	told := func(back string) string { // what the provider answers with
		return `<script>` + back + `.postMessage("ada", "*")</script>`
	}
	const listens = `<script>addEventListener("message", (e) => { if (e.data === "ada") location = "/become?name=ada"; })</script>`
	for name, tt := range map[string]struct {
		login func(provider string) string
		done  string // of the provider
		steps []browser.Step
	}{
		"a frame of another site": {func(at string) string { return `<iframe id=login src="` + at + `/form"></iframe>` + listens }, told("parent"), fill("iframe#login >>> ")},
		"a frame in a frame": {func(at string) string {
			return `<iframe id=outer srcdoc='<iframe class=inner src="` + at + `/form"></iframe>'></iframe>` + listens
		}, told("top"), fill("#outer >>> .inner >>> ")},
		"a shadow tree":        {func(string) string { return component(strings.Replace(form, "/in", "/become", 1)) }, "", fill("")},
		"a closed shadow tree": {func(string) string { return closed(component(strings.Replace(form, "/in", "/become", 1))) }, "", fill("")},
		"a closed shadow tree in an open one": {func(string) string {
			return component(`<div><template shadowrootmode="open"><span><template shadowrootmode="closed">` + strings.Replace(form, "/in", "/become", 1) + `</template></span></template></div>`)
		}, "", fill("")},
		"a closed shadow tree in a frame of the same site": {func(string) string {
			return `<iframe srcdoc='` + closed(component(strings.Replace(form, "method=post action=/in", "method=post target=_top action=/become", 1))) + `'></iframe>`
		}, "", fill("iframe >>> ")},
		"a closed shadow tree in a frame of another site": {func(at string) string { return `<iframe src="` + at + `/closed"></iframe>` + listens }, told("parent"), fill("iframe >>> ")},
		"a frame in a closed shadow tree":                 {func(at string) string { return closed(component(`<iframe src="`+at+`/form"></iframe>`)) + listens }, told("top"), fill("iframe >>> ")},
		"a frame in a shadow tree":                        {func(at string) string { return component(`<iframe src="`+at+`/form"></iframe>`) + listens }, told("top"), fill("iframe >>> ")},
	} {
		t.Run(name, func(t *testing.T) {
			provider, app := newSite(t, map[string]string{"/form": form, "/closed": closed(component(form))}), newSite(t, nil)
			provider.mux.HandleFunc("POST /in", func(w http.ResponseWriter, r *http.Request) {
				if r.FormValue("name") == "ada" && r.FormValue("password") == "hunter2" {
					writeHTML(w, tt.done)
				}
			})
			app.mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { writeHTML(w, tt.login(provider.elsewhere())) })
			app.mux.HandleFunc("/become", func(w http.ResponseWriter, r *http.Request) {
				setSession(w, r.FormValue("name"))
				writeHTML(w, "<p class=account>welcome</p>")
			})
			app.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
				c, _ := r.Cookie("sid")
				writeHTML(w, fmt.Sprintf("<script>document.title = %q</script>", c))
			})
			u := newUser(t, chrome(t), browser.Login{Steps: append([]browser.Step{{Goto: app.URL + "/login"}}, tt.steps...)})
			if got := title(t, visitAs(t, u, app.URL+"/", nil)); got != "sid=ada" {
				t.Errorf("logged in as %q", got)
			}
		})
	}
}

// Who forgets to name the frame is told.
func TestAnElementInAFrameIsSaid(t *testing.T) {
	s := newSite(t, map[string]string{"/frame": `<input id=name>`, "/login": `<iframe src="/frame"></iframe>`})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err := chrome(t).NewUser(ctx, browser.Login{Steps: []browser.Step{{Goto: s.URL + "/login"}, {Fill: []browser.Field{{Selector: "#name", Value: "ada"}}}}})
	const want = "no such element; a frame of the page has one: \"iframe >>> #name\""
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q in it", err, want)
	}
}
