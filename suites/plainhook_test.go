package suites_test

import (
	"cmp"
	"crypto"
	"crypto/hmac"
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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/target"
)

// A plainHook is a webhook such as a team writes in an afternoon: it checks the
// HMAC and the token, and greets the user by name.
type plainHook struct {
	secret   string
	key      *rsa.PublicKey
	encode   func([]byte) string                                                // of the HMAC; nil: base64
	believe  func(header, claims map[string]any, signed bool, chat string) bool // nil: soundly
	verify   func(input string, signature []byte) bool                          // nil: RS256 with key
	believes func(signed bool) bool                                             // of a token that is signed with key, or is not; nil: as it is
	chat     string                                                             // the request's member that names it; chat_id if empty
	before   func(w http.ResponseWriter, r *http.Request) bool                  // true: it has answered
	stranger func(w http.ResponseWriter)                                        // nil: a polite 200
	name     string                                                             // the claim with the user's name, which it answers as it is; "": name, escaped
	refuse   int                                                                // of a bad token; 401 if 0
	unsigned func(w http.ResponseWriter)                                        // of a bad signature; nil: 401
	reply    func(name, message string) string                                  // nil: a greeting
}

func (h plainHook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.before != nil && h.before(w, r) {
		return
	}
	body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if h.secret != "" {
		mac := hmac.New(sha256.New, []byte(h.secret))
		mac.Write(body)
		encode := h.encode
		if encode == nil {
			encode = base64.StdEncoding.EncodeToString
		}
		given := r.Header.Values("Kindly-HMAC")
		if len(given) != 1 || given[0] != encode(mac.Sum(nil)) || r.Header.Get("Kindly-HMAC-algorithm") != "HMAC-SHA-256 (base64 encoded)" {
			if h.unsigned != nil {
				h.unsigned(w)
				return
			}
			http.Error(w, `{"error":"not signed by Kindly"}`, http.StatusUnauthorized)
			return
		}
	}
	var request map[string]any
	err := json.Unmarshal(body, &request)
	chatID, isText := request[cmp.Or(h.chat, "chat_id")].(string)
	if r.Method != http.MethodPost || err != nil || !isText && request["chat_id"] != nil && h.chat == "" {
		http.Error(w, `{"error":"bad request"}`, http.StatusBadRequest)
		return
	}
	raw, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		raw = ""
	}
	if r.Header.Get("Authorization") == "" {
		if h.stranger != nil {
			h.stranger(w)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"reply":"Please log in first."}`)
		return
	}
	header, claims, signed := h.read(raw)
	believe := h.believe
	if believe == nil {
		believe = soundly
	}
	w.Header().Set("Content-Type", "application/json")
	if claims == nil || !believe(header, claims, signed, chatID) {
		http.Error(w, `{"error":"bad token"}`, cmp.Or(h.refuse, http.StatusUnauthorized))
		return
	}
	name, isText := claims[cmp.Or(h.name, "name")].(string)
	switch {
	case h.name != "" && !isText:
		name = fmt.Sprint(claims[h.name]) // "<nil>", where there is none
	case h.name == "":
		name = strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;").Replace(name)
	}
	reply := "Hello " + name + ", your order is on its way."
	if message, _ := request["message"].(string); h.reply != nil {
		reply = h.reply(name, message)
	}
	json.NewEncoder(w).Encode(map[string]any{"reply": reply})
}

// read takes a token apart, and says whether its signature is the shop's.
func (h plainHook) read(raw string) (header, claims map[string]any, signed bool) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || len(raw) > 16<<10 {
		return nil, nil, false
	}
	for i, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, into) != nil {
			return nil, nil, false
		}
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err == nil && h.verify != nil {
		signed = h.verify(parts[0]+"."+parts[1], signature)
	} else if err == nil && h.key != nil {
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		signed = rsa.VerifyPKCS1v15(h.key, crypto.SHA256, sum[:], signature) == nil
	}
	if h.believes != nil {
		signed = h.believes(signed)
	}
	return header, claims, signed
}

func soundly(header, claims map[string]any, signed bool, chatID string) bool {
	return soundlyAt(time.Now(), header, claims, signed, chatID)
}

func soundlyAt(clock time.Time, header, claims map[string]any, signed bool, chatID string) bool {
	now := float64(clock.Unix())
	iat, hasIat := claims["iat"].(float64)
	exp, hasExp := claims["exp"].(float64)
	sub, _ := claims["sub"].(string)
	chat, _ := claims["chat"].(map[string]any)
	id, _ := chat["id"].(string)
	nbf, hasNbf := claims["nbf"].(float64)
	return signed && header["alg"] == "RS256" && header["crit"] == nil && hasIat && hasExp && iat <= now+30 && exp > now && exp-iat <= 900 &&
		sub != "" && id != "" && id == chatID && (claims["nbf"] == nil || hasNbf && nbf <= now)
}

const plainSecret = "0f7c2e9a41d85b36"

// ourKey is a test environment's.
var ourKey = sync.OnceValue(func() *token.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	private, err := token.ParsePrivateKey("private.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		panic(err)
	}
	return private
})

// plain is a webhook that makes no mistake.
func plain() plainHook { return plainHook{secret: plainSecret, key: &ourKey().Private.PublicKey} }

// targetOf is what a team without a page gives: webhooks, their secret, and the
// private key of a test environment.
func targetOf(t *testing.T, hooks ...plainHook) target.Target {
	t.Helper()
	out := target.Target{PrivateKey: ourKey()}
	for i, h := range hooks {
		out.Webhooks = append(out.Webhooks, target.Webhook{Name: fmt.Sprintf("hook%d", i+1),
			URL: fmt.Sprintf("https://hook%d.shop.example/kindly", i+1), ConnectTo: serve(t, h.ServeHTTP), Secret: h.secret})
	}
	return out
}
