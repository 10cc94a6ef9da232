package mockkindly_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/server"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// A customer's test, without a browser: is the token that we make accepted?
func Example() {
	customer := newCustomer()
	k, err := mockkindly.New(mockkindly.Options{Bots: []mockkindly.Bot{mockkindly.MustBot("my-bot", customer.publicPEM)}})
	if err != nil {
		panic(err)
	}
	defer k.Close()

	chat, err := k.CreateChat("my-bot", mockkindly.Web{})
	if err != nil {
		panic(err)
	}
	for _, lifetime := range []time.Duration{5 * time.Minute, time.Hour} {
		raw := customer.token(chat.ID, lifetime)
		result, err := k.Authenticate(chat.ID, raw, mockkindly.InitialConnect)
		if err != nil {
			panic(err)
		}
		fmt.Println(lifetime, "accepted:", result.Accepted())
		for _, v := range result.Violations {
			fmt.Println(" ", v.Level, v.Rule.ID)
		}
	}
	chat, _ = k.Chat(chat.ID)
	fmt.Println("the Inbox shows", chat.User.Name)
	// Output:
	// 5m0s accepted: true
	// 1h0m0s accepted: false
	//   MUST TOK-EXP-MAX
	// the Inbox shows Ada
}

// The same over HTTP, as a page or a test in another language does it.
func Example_http() {
	customer := newCustomer()
	bot := mockkindly.MustBot("my-bot", customer.publicPEM)
	k, err := mockkindly.New(mockkindly.Options{Bots: []mockkindly.Bot{bot}})
	if err != nil {
		panic(err)
	}
	defer k.Close()
	s := httptest.NewServer(server.New(k, server.Options{})) // a page loads s.URL + "/kindly-chat.js"
	defer s.Close()

	var chat struct{ ID string }
	post(s.URL+"/mock/v1/chats", map[string]any{"bot_key": "my-bot"}, &chat)
	var answer struct{ Authenticated bool }
	status := post(s.URL+"/mock/v1/chats/"+chat.ID+"/token",
		map[string]any{"token": customer.token(chat.ID, time.Minute).Secret(), "reason": mockkindly.InitialConnect}, &answer)
	fmt.Println(status, answer.Authenticated)

	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	event, err := k.Journal().Wait(ctx, func(e mockkindly.Event) bool { return e.Chat == chat.ID && e.Token != nil })
	fmt.Println(event.Kind, err)
	// Output:
	// 200 true
	// token.accepted <nil>
}

// A message reaches the webhook, with the token if its domain is listed.
func ExampleKindly_Say() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"reply":"It is on its way.\n\nAnything else?"}`)
	}))
	defer server.Close()
	customer := newCustomer()
	k, err := mockkindly.New(mockkindly.Options{Bots: []mockkindly.Bot{mockkindly.MustBot("my-bot", customer.publicPEM,
		mockkindly.Webhook{Name: "orders", URL: "https://hooks.example.com/kindly", ConnectTo: server.URL, Secret: "examplekey"},
		mockkindly.Webhook{Name: "other", URL: "https://other.example.net/kindly", ConnectTo: server.URL},
	)}})
	if err != nil {
		panic(err)
	}
	defer k.Close()
	chat, err := k.CreateChat("my-bot", mockkindly.Web{})
	if err != nil {
		panic(err)
	}
	if _, err := k.Authenticate(chat.ID, customer.token(chat.ID, time.Minute, "hooks.example.com"), mockkindly.InitialConnect); err != nil {
		panic(err)
	}
	deliveries, err := k.Say(context.Background(), chat.ID, mockkindly.Message{Text: "where is my order?"})
	if err != nil {
		panic(err)
	}
	for _, d := range deliveries {
		fmt.Println(d.Webhook, d.Exchange.Status(), "token:", d.WithToken, strings.Join(d.Bubbles, " / "))
	}
	// Output:
	// orders 200 token: true It is on its way. / Anything else?
	// other 200 token: false It is on its way. / Anything else?
}

// customer is a team with a key pair. In a real test, this is its own code.
type customer struct {
	key       *rsa.PrivateKey
	publicPEM []byte
}

func newCustomer() customer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	return customer{key, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}
}

func (c customer) token(chatID string, lifetime time.Duration, domains ...string) token.Raw {
	now := time.Now()
	payload, err := json.Marshal(map[string]any{
		"iat": now.Unix(), "exp": now.Add(lifetime).Unix(), "iss": "example.com", "sub": "4711", "name": "Ada",
		"chat": map[string]any{"id": chatID, "webhook_domains": append([]string{}, domains...)},
	})
	if err != nil {
		panic(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	input := enc([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc(payload)
	sum := sha256.Sum256([]byte(input))
	sig, err := rsa.SignPKCS1v15(nil, c.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return token.Raw(input + "." + enc(sig))
}

func post(url string, body, into any) int {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	res, err := http.Post(url, "application/json", strings.NewReader(string(text)))
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		panic(err)
	}
	return res.StatusCode
}
