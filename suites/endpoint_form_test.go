package suites_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// An endpoint that is described by hand: where the chat id goes, where the token
// stands in the answer (beside another one), and who the second user is.
func TestEndpointsAsTheFileDescribesThem(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public, err := token.ParsePublicKey("the key", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
	if err != nil {
		t.Fatal(err)
	}
	sign := func(sub, chat string) string {
		now := time.Now()
		signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"sub": sub, "name": "Ada", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
			"chat": map[string]any{"id": chat, "webhook_domains": []string{"hooks.example.com"}}}).SignedString(key)
		if err != nil {
			t.Error(err)
		}
		return signed
	}
	// The user's own session token comes first: whoever takes any JWT takes it.
	answer := func(w http.ResponseWriter, r *http.Request, chat string) {
		user := r.Header.Get("X-Session")
		if user == "" || chat == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"session": %q, "data": [{"kindly": {"token": %q}}]}`, sign("session-of-all", ""), sign(user, chat))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /path/{chat}/token", func(w http.ResponseWriter, r *http.Request) { answer(w, r, r.PathValue("chat")) })
	mux.HandleFunc("GET /query", func(w http.ResponseWriter, r *http.Request) { answer(w, r, r.URL.Query().Get("c")) })
	mux.HandleFunc("POST /form", func(w http.ResponseWriter, r *http.Request) { answer(w, r, r.PostFormValue("c")) })
	mux.HandleFunc("PUT /header", func(w http.ResponseWriter, r *http.Request) { answer(w, r, r.Header.Get("X-Chat")) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	session := func(user string) http.Header { return http.Header{"X-Session": {user}} }
	for name, e := range map[string]target.EndpointConfig{
		"path":   {URL: s.URL + "/", RequestForm: target.RequestForm{Path: "/path/${chat_id}/token"}},
		"query":  {URL: s.URL + "/query", RequestForm: target.RequestForm{Query: map[string]string{"c": "${chat_id}"}}},
		"form":   {URL: s.URL + "/form", RequestForm: target.RequestForm{Form: map[string]string{"c": "${chat_id}"}}},
		"header": {URL: s.URL + "/header", Method: "PUT", Header: http.Header{"X-Chat": {"${chat_id}"}}},
	} {
		t.Run(name, func(t *testing.T) {
			e.Token, e.SecondHeader = "data.0.kindly.token", session("grace")
			if e.Header == nil {
				e.Header = http.Header{}
			} else {
				e.SecondHeader.Set("X-Chat", "${chat_id}")
			}
			e.Header.Set("X-Session", "ada")
			run := suites.RunQuietly(t.Context(), target.Target{Endpoint: &e, PublicKeys: []*token.Key{public}},
				suites.Options{Only: []string{"AUTH-BIND-CHAT", "AUTH-BIND-SESSION", "AUTH-NO-SESSION", "TOK-SUB-STABLE"}, Timeout: impatience})
			for _, id := range []string{"AUTH-BIND-CHAT", "AUTH-BIND-SESSION", "AUTH-NO-SESSION", "TOK-SUB-STABLE"} {
				if c := find(t, run, id); c.Outcome != reports.Passed {
					t.Errorf("%s is %s", c.ID, c.Outcome)
					describe(t, c)
				}
			}
		})
	}
}
