package console_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/console"
	"github.com/kindlytest/kindlytest/mockkindly/server"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// A customer has a page with the chat, an auth endpoint and a webhook.
type customer struct {
	page, hook *httptest.Server
	private    *rsa.PrivateKey
	mu         sync.Mutex
	received   []http.Header // of the webhook
}

func newCustomer(t *testing.T, mock string) *customer {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &customer{private: private}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang=en><meta name=viewport content="width=device-width"><title>Bookshop</title><link rel=icon href=data:,><h1>Bookshop</h1>
			<script>kindlyOptions = {name: "Bookshop", getAuthToken: async (id) => (await fetch("/token?chat=" + id)).text()}</script>
			<script id=kindly-chat src="%s/kindly-chat.js" data-bot-key=demo></script>`, mock)
	})
	mux.HandleFunc("GET /token", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, c.token(t, r.FormValue("chat"))) })
	c.page = httptest.NewServer(mux)
	t.Cleanup(c.page.Close)
	c.hook = httptest.NewServer(http.HandlerFunc(c.answer))
	t.Cleanup(c.hook.Close)
	return c
}

func (c *customer) token(t *testing.T, chat string) string {
	now := time.Now().Unix()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": "https://shop.example", "sub": "u-4711", "iat": now, "exp": now + 900, "jti": rand.Text(),
		"name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true, "phone_number": "+4722334455", "phone_number_verified": false,
		"picture": "https://pictures.example/ada.png", "chat": object{"id": chat, "webhook_domains": []string{"hooks.shop.example"}},
	}).SignedString(c.private)
	if err != nil {
		t.Error(err)
	}
	return signed
}

func (c *customer) answer(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.received = append(c.received, r.Header)
	c.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"reply":"Your order is <b>on its way</b>.\n\n<ul><li>The Go Programming Language</li><li><a href=\"https://shop.example/orders/42\">Order 42</a></li></ul>",
		"buttons":[{"button_type":"quick_reply","label":"Where is it?","value":"where"},{"button_type":"link","label":"Track it","value":"https://shop.example/track"}],
		"image_carousel":[{"imageUrl":"https://pictures.example/1.png","title":"The Go Programming Language","altText":"A book","description":"380 pages"},{"imageUrl":"https://pictures.example/2.png","title":"Code Complete","altText":"A book"}]}`)
}

// hooked are the headers of the webhook's n-th request, from 0.
func (c *customer) hooked(n int) http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n >= len(c.received) {
		return nil
	}
	return c.received[n]
}

func pemOf(kind string, der []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// newMock starts the mock with its pages, and the customer who uses it.
func newMock(t *testing.T) (url string, c *customer) {
	url, c, _ = newMortalMock(t)
	return url, c
}

// newMortalMock is newMock for a mock that can be started anew at its address.
func newMortalMock(t *testing.T) (url string, c *customer, restart func()) {
	t.Helper()
	var handler atomic.Pointer[http.Handler]
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(w, r) }))
	c = newCustomer(t, listening.URL)
	der, err := x509.MarshalPKIXPublicKey(&c.private.PublicKey)
	public := pemOf("PUBLIC KEY", der, err)
	der, err = x509.MarshalPKCS8PrivateKey(c.private)
	private, err := token.ParsePrivateKey("private.pem", pemOf("PRIVATE KEY", der, err))
	if err != nil {
		t.Fatal(err)
	}
	o := mockkindly.Options{
		Bots: []mockkindly.Bot{mockkindly.MustBot("demo", public, mockkindly.Webhook{
			Name: "order-status", URL: "https://hooks.shop.example/kindly", ConnectTo: c.hook.URL + "/kindly", Secret: "correct horse"})},
		SigningKey: private,
	}
	var k *mockkindly.Kindly
	start := func() {
		if k, err = mockkindly.New(o); err != nil {
			t.Fatal(err)
		}
		h := http.Handler(server.New(k, server.Options{Pages: console.Handler()}))
		handler.Store(&h)
	}
	start()
	t.Cleanup(func() { k.Close(); listening.CloseClientConnections(); listening.Close() })
	return listening.URL, c, func() {
		t.Helper()
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		listening.CloseClientConnections()
		start()
	}
}

func TestFromTheChatToTheConsole(t *testing.T) {
	mock, c := newMock(t)

	shop := visit(t, c.page.URL+"/")
	shop.shows(".kindly-bubble")
	shop.do(`document.querySelector(".kindly-bubble").click()`)
	shop.shows(".kindly-head", "Authenticated as Ada Lovelace", "ada@example.com")
	shop.do(`document.querySelector(".kindly-form input").value = "where is my order?"; document.querySelector(".kindly-form").requestSubmit()`)
	shop.shows(".kindly-log", "where is my order?", "Your order is on its way.", "Order 42", "Track it", "Code Complete")
	if c.hooked(0).Get("Authorization") == "" {
		t.Fatal("the token did not go along")
	}
	shop.screenshots("widget")

	shop.do(`document.querySelector(".kindly-form input").focus()`)
	shop.keys("Escape")
	if got := eval[string](shop, `[document.querySelector("[role=dialog]").hidden, document.activeElement.className].join()`); got != "true,kindly-bubble" {
		t.Errorf("after Escape in the chat (hidden, focus): %s", got)
	}

	inbox := visit(t, mock+"/inbox")
	inbox.shows("#list", "Ada Lovelace", "authenticated")
	inbox.do(`document.activeElement.blur()`)
	inbox.keys("j")
	inbox.shows("#detail", "ada@example.com", "verified", "+4722334455", "not verified", "not stored", "https://pictures.example/ada.png", "14:", "left", "hooks.shop.example", "where is my order?", "on its way")
	inbox.keys("u")
	inbox.shows("#list", "1 chat", "ada@example.com")
	inbox.keys("u")

	p := visit(t, mock+"/#/?kind=webhook")
	p.shows("#list", "order-status", "200", "with token")
	p.keys("j")
	p.shows("#detail", "The token went along.", "hooks.shop.example", "Kindly-HMAC", "Authorization", "<signature removed>", "where is my order?", "What Kindly reads", "on its way")
	p.screenshots("delivery")

	t.Run("resend", func(t *testing.T) {
		for i, tt := range []struct {
			state string
			shows []string
			check func(http.Header) bool
		}{
			{"same", []string{"Sent again with the same token"}, func(h http.Header) bool { return h.Get("Authorization") == c.hooked(0).Get("Authorization") }},
			{"none", []string{"Sent again without the token", "did not go along"}, func(h http.Header) bool { return h.Get("Authorization") == "" }},
			{"expired", []string{"expired five minutes ago"}, func(h http.Header) bool {
				return h.Get("Authorization") != "" && h.Get("Authorization") != c.hooked(0).Get("Authorization")
			}},
			{"other-chat", []string{"another chat"}, func(h http.Header) bool {
				return h.Get("Authorization") != "" && h.Get("Authorization") != c.hooked(0).Get("Authorization")
			}},
		} {
			first := eval[string](p, `location.hash`)
			p.do(`const s = document.querySelector(".toolbar select"); s.value = "` + tt.state + `"; document.querySelector(".resend").click()`)
			p.shows("#detail", append(tt.shows, "Resent from")...)
			if h := c.hooked(i + 1); h == nil || !tt.check(h) {
				t.Errorf("%s: the webhook got %v", tt.state, h)
			}
			p.do(`location.hash = ` + "`" + first + "`")
			p.shows("#detail .sub", "#"+strings.TrimPrefix(first[:strings.Index(first, "?")], "#/event/")+" ·")
		}
		p.shows("#foot", "5 of")
	})
	t.Run("copy as curl", func(t *testing.T) {
		copied := func(withToken bool) string {
			p.do(`navigator.clipboard.writeText = async (s) => { window.copied = s }; window.copied = ""`)
			p.do(fmt.Sprintf(`document.querySelector(".toolbar input[type=checkbox]").checked = %v; document.querySelector(".curl").click()`, withToken))
			p.shows(".told", "Copied", map[bool]string{true: ", with the token", false: ", without the token"}[withToken])
			return eval[string](p, `copied`)
		}
		secret := strings.TrimPrefix(c.hooked(0).Get("Authorization"), "Bearer ")
		signature := secret[strings.LastIndex(secret, ".")+1:]
		if got := copied(false); !strings.HasPrefix(got, "curl ") || strings.Contains(got, signature) {
			t.Errorf("without the token: %s", got)
		}
		if got := copied(true); !strings.Contains(got, secret) {
			t.Error("the token was asked for, and is not there")
		}
	})
	p.isQuiet()
	inbox.isQuiet()
	shop.isQuiet()
}

func TestFaultsAreSeenInTheChat(t *testing.T) {
	mock, c := newMock(t)
	p := visit(t, mock+"/")
	p.shows(".state", "Live")
	fault := func(name string) {
		p.do(`if (!document.querySelector("dialog")) document.querySelector(".faults").click(); document.getElementById("fault-` + name + `").click()`)
	}
	off := func() {
		p.do(`[...document.querySelectorAll("dialog button")].find((b) => b.textContent === "All off").click()`)
		if !p.becomes(`document.querySelector(".faults").textContent === "Faults"`) {
			t.Fatal("the faults are not off")
		}
	}

	fault("refuse_tokens")
	p.shows(".faults", "refusing tokens")
	shop := visit(t, c.page.URL+"/")
	shop.do(`kindlyChat.openChat()`)
	shop.shows(".kindly-head", "Not authenticated", "The token was refused")
	p.shows("#list", "Refused on purpose")
	off()

	fault("call_twice")
	p.shows(".faults", "calling twice")
	visit(t, c.page.URL+"/")
	if !p.becomes(rowsWith("Accepted: Ada") + " === 2") {
		t.Errorf("%d tokens were handed over", eval[int](p, rowsWith("Accepted: Ada")))
	}
	off()

	fault("rotate_secret")
	p.shows(".faults", "another secret")
	shop = visit(t, c.page.URL+"/")
	shop.do(`kindlyChat.openChat()`)
	shop.shows(".kindly-head", "Authenticated as Ada")
	shop.do(`kindlyChat.sendMessage("hello")`)
	shop.shows(".kindly-log", "on its way")
	off()
	shop.do(`kindlyChat.sendMessage("hello")`)
	p.do(`document.querySelector("dialog").close(); document.querySelector("[data-group=webhook]").click()`)
	p.shows("#foot", "2 of")
	p.do(`document.activeElement.blur()`)
	p.keys("End")
	p.shows("#detail", "with another secret, on purpose")
	p.isQuiet()
	p.do(`document.querySelector("[data-group=all]").click(); document.querySelector(".back").click()`)
	p.screenshots("events")
}

// rowsWith counts the rows of the list that have a text.
func rowsWith(words string) string {
	return `[...document.querySelectorAll("[role=option]:not([hidden])")].filter((r) => r.innerText.includes("` + words + `")).length`
}
