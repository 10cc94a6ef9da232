package browser_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// What keeps the chat client out of a page is in the way of the page's own tag, and
// of none that is put in.
func TestAClientIsPutInWhateverKeepsItOut(t *testing.T) {
	const options = `<script>window.kindlyOptions = {getAuthToken: async (id) => (await fetch("/auth?" + id)).text()}</script>`
	tag := `<script id="kindly-chat" src="https://chat.kindlycdn.com/kindly-chat.js" data-bot-key="bot"></script>`
	for name, page := range map[string]string{
		"there is no tag":                  options,
		"the tag has no bot key":           options + strings.Replace(tag, `data-bot-key="bot"`, "", 1),
		"no policy allows Kindly":          `<meta http-equiv="Content-Security-Policy" content="default-src 'self' 'unsafe-inline'; require-trusted-types-for 'script'">` + options + tag,
		"push is the page's own":           options + `<script>Array.prototype.push = () => { throw new TypeError("closed") }</script>` + tag,
		"promises are the page's own":      options + `<script>window.Promise = class { constructor() { throw new TypeError("closed") } }; Function.prototype.toString = null</script>`,
		"fetch goes nowhere but to itself": `<script>const ask = window.fetch; window.fetch = (to) => String(to).startsWith("/") ? ask(to) : new Promise(() => {})</script>` + options + tag,
		"the chat is in a frame":           `<iframe src="/framed"></iframe>`,
	} {
		t.Run(name, func(t *testing.T) {
			k := &stubKindly{}
			s := newSite(t, map[string]string{"/{$}": page, "/framed": options, "/auth": fakeToken})
			p := visit(t, s.URL, k)
			lost, err := p.PutClient(withTimeout(t), "mended")
			if err != nil {
				t.Fatal(err)
			}
			if got := k.settled(t, 1); got["outcome"] != "token" {
				t.Errorf("the callback: %v", got)
			}
			here, err := p.Presence(withTimeout(t))
			if err != nil || !here.Client {
				t.Errorf("afterwards: %+v %v, want a client that lives", here, err)
			}
			var reports []browser.Request
			for _, r := range p.Record().Requests {
				if r.Kindly && strings.HasSuffix(r.URL, "/callbacks") {
					reports = append(reports, r)
				}
			}
			if len(reports) != 2 || time.Since(reports[0].Started) > time.Minute || reports[0].Status != 204 {
				t.Errorf("the client's two reports are in the record as %v", reports)
			}
			last := k.all("/client")
			if body := last[len(last)-1].Body; body["bot_key"] != "mended" || body["script_id"] != "kindly-chat" || !strings.HasPrefix(body["page_url"].(string), s.URL) {
				t.Errorf("it announced itself as %v", body)
			}
			if err := p.Evaluate(withTimeout(t), `document.getElementsByName("kindlytest-client")[0]?.remove(), document.querySelector("iframe")?.remove(), true`, new(bool)); err != nil {
				t.Fatal(err)
			}
			select {
			case <-lost:
			case <-time.After(10 * time.Second):
				t.Error("its frame was taken out, and nobody is told")
			}
		})
	}
}
