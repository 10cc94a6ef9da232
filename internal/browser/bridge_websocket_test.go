package browser_test

import (
	"crypto/sha1" // RFC 6455 wants it
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/kindlytest/kindlytest/internal/browser"
)

// A development server's WebSocket without TLS works beside a private authority.
func TestWebSocketWithAPrivateAuthority(t *testing.T) {
	needChrome(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Sec-WebSocket-Key")
		if key == "" {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<title>…</title><script>const s = new WebSocket('ws://' + location.host + '/live?a=1');`+
				`s.onmessage = (e) => { document.title = e.data }; s.onerror = () => { document.title = 'error' }</script>`)
			return
		}
		sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		conn, out, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		text := r.RequestURI + " " + r.Header.Get("Origin")
		fmt.Fprintf(out, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n\x81%c%s",
			base64.StdEncoding.EncodeToString(sum[:]), rune(len(text)), text)
		_ = out.Flush()
		_, _ = out.ReadByte() // until the page is gone
	}))
	t.Cleanup(s.Close)
	b, err := browser.Launch(withTimeout(t), browser.Options{Path: chromePath, TempDir: t.TempDir(), RootCAs: newAuthority(t).pool()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	u, err := b.NewUser(withTimeout(t), browser.Login{})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	p, err := u.Visit(withTimeout(t), s.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	got, err := browser.EvaluateString(withTimeout(t), p, `new Promise((done) => { const i = setInterval(() => {
		if (document.title !== '…') { clearInterval(i); done(document.title) } }, 20) })`)
	if want := "/live?a=1 " + s.URL; err != nil || got != want {
		t.Errorf("the page got %q, not %q: %v", got, want, err)
	}
}
