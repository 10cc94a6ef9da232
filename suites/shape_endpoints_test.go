package suites_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// toldBefore is a sound endpoint that knows a session by what another one has told it,
// once or again and again.
func toldBefore(once bool) func(*testing.T) http.HandlerFunc {
	return func(t *testing.T) http.HandlerFunc {
		var told sync.Map
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/auth/nonces" {
				if !loggedIn(r) {
					http.Error(w, "log in", http.StatusUnauthorized)
					return
				}
				nonce := rand.Text()
				told.Store(nonce, true)
				fmt.Fprintf(w, `{"nonce": %q}`, nonce)
				return
			}
			body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<18))
			r.Body = io.NopCloser(bytes.NewReader(body))
			nonce := member(body, "nonce")
			_, ok := told.Load(nonce)
			if once {
				told.Delete(nonce)
			}
			if ok {
				r.Header.Set("Cookie", "sid=0123456789")
			}
			asksFor(func(_ *http.Request, body []byte) string { return member(body, "chatId") }, asJSON)(t)(w, r)
		}
	}
}

// asksFor is a sound endpoint, as soon as somebody has read the chat id and can
// write the token, and what is said instead of one, if not by the status.
func asksFor(read func(r *http.Request, body []byte) string, write func(w http.ResponseWriter, token string), refuse ...func(http.ResponseWriter, string, int)) func(*testing.T) http.HandlerFunc {
	return func(*testing.T) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(io.LimitReader(r.Body, 1<<18))
			id := read(r, body)
			no := append(refuse, http.Error)[0]
			switch {
			case r.Method != http.MethodPost:
				http.Error(w, "POST", http.StatusMethodNotAllowed)
			case r.Header.Get("Sec-Fetch-Site") == "cross-site":
				http.Error(w, "not from our page", http.StatusForbidden)
			case !loggedIn(r):
				no(w, "log in", http.StatusUnauthorized)
			case err != nil || !uuid(id):
				no(w, "chat id", http.StatusBadRequest)
			default:
				w.Header().Set("Cache-Control", "no-store")
				w.Header().Set("X-Content-Type-Options", "nosniff")
				write(w, mint(strings.ToLower(id)))
			}
		}
	}
}

// post is a GET as asksFor takes it.
func post(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	if r.Method == http.MethodGet {
		r.Method = http.MethodPost
	}
	return r
}

// uuid says whether a text has the form of one: no hostile id has.
func uuid(s string) bool {
	return len(s) == 36 && strings.Count(s, "-") == 4 && strings.Trim(strings.ToLower(s), "0123456789abcdef-") == ""
}

func asJSON(w http.ResponseWriter, token string) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"token": token})
}

// member reads a text from a JSON object.
func member(body []byte, name string) string {
	var in map[string]any
	json.Unmarshal(body, &in)
	text, _ := in[name].(string)
	return text
}

// frame is one of gRPC-Web, as text.
func frame(kind byte, message string) string {
	return base64.StdEncoding.EncodeToString(append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(message))), message...))
}

func soap(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	io.WriteString(w, `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>`+body+`</e:Body></e:Envelope>`)
}
