// A shop's auth endpoint and webhook, with net/http. Environment: see ../README.md.
package main

import (
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

type user struct {
	ID, Name, Email string
	EmailVerified   bool
}

var (
	privateKey *rsa.PrivateKey
	publicKey  *rsa.PublicKey
	sessions   map[string]user
	secret     = []byte(os.Getenv("KINDLY_HMAC_SECRET"))
	ourPages   = strings.Fields(os.Getenv("PAGE_ORIGINS"))
)

// region mint: Sign the token
func mintToken(u user, chatID string) (string, error) {
	now := time.Now()
	return jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss":            "shop.example.com",
		"iat":            now.Unix(),
		"exp":            now.Add(5 * time.Minute).Unix(),
		"sub":            u.ID,
		"name":           u.Name,
		"email":          u.Email,
		"email_verified": u.EmailVerified,
		"chat":           map[string]any{"id": chatID, "webhook_domains": []string{"hooks.example.com"}},
	}).SignedString(privateKey)
}

// endregion

// region verify: Verify the token
var parser = jwt.NewParser(
	jwt.WithValidMethods([]string{"RS256"}), // never what the token says
	jwt.WithIssuer("shop.example.com"),
	jwt.WithExpirationRequired(), // otherwise a token without exp never expires
	jwt.WithIssuedAt(),
	jwt.WithLeeway(10*time.Second),
	jwt.WithStrictDecoding(),
)

func verifyToken(raw, chatID string) (jwt.MapClaims, bool) {
	claims := jwt.MapClaims{} // a struct would take EXP for exp
	t, err := parser.ParseWithClaims(raw, claims, func(*jwt.Token) (any, error) { return publicKey, nil })
	if err != nil {
		return nil, false
	}
	if _, critical := t.Header["crit"]; critical { // golang-jwt ignores it
		return nil, false
	}
	return claims, right(claims, chatID)
}

// endregion

// region claims: What the library does not check
func right(claims jwt.MapClaims, chatID string) bool {
	iat, isNumber := claims["iat"].(float64)
	exp, isNumberToo := claims["exp"].(float64)
	if !isNumber || !isNumberToo || exp <= iat || exp-iat > 15*60 {
		return false
	}
	sub, _ := claims["sub"].(string)
	chat, _ := claims["chat"].(map[string]any)
	id, _ := chat["id"].(string)
	return sub != "" && id != "" && id == chatID // of this chat
}

// endregion

// region origin: Serve your own pages only, whatever origin they have
func onlyOurPages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin") // as a whole; "null" is not on the list either
		w.Header().Add("Vary", "Origin")
		otherSite := origin == "" && r.Header.Get("Sec-Fetch-Site") == "cross-site"
		if otherSite || origin != "" && !slices.Contains(ourPages, origin) {
			answer(w, http.StatusForbidden, map[string]string{"error": "not from our page"})
			return
		}
		if origin != "" {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Allow-Credentials", "true")
		}
		if r.Method == http.MethodOptions {
			w.Header().Set("Access-Control-Allow-Methods", "POST")
			w.Header().Set("Access-Control-Allow-Headers", "content-type")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// endregion

// region endpoint: The auth endpoint
var uuid = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func kindlyToken(w http.ResponseWriter, r *http.Request) { // mux.HandleFunc("POST /kindly/token", …)
	u, ok := userOf(r) // your own session lookup
	if !ok {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "not logged in"})
		return
	}
	_, body, ok := readObject(w, r, 16<<10)
	chatID, _ := body["chatId"].(string) // nothing else is taken from the body
	if !ok || !uuid.MatchString(chatID) {
		answer(w, http.StatusBadRequest, map[string]string{"error": "no chat id"})
		return
	}
	raw, err := mintToken(u, chatID)
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]string{"error": "something went wrong"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"token": raw})
}

// endregion

// region signature: Verify Kindly-HMAC over the bytes that came
func signedByKindly(r *http.Request, body []byte) bool {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	expected := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	given := r.Header.Values("Kindly-HMAC")
	return len(given) == 1 && subtle.ConstantTimeCompare([]byte(given[0]), []byte(expected)) == 1 &&
		r.Header.Get("Kindly-HMAC-algorithm") == "HMAC-SHA-256 (base64 encoded)"
}

// endregion

// region webhook: The webhook
func kindlyWebhook(w http.ResponseWriter, r *http.Request) { // mux.HandleFunc("POST /kindly/webhook", …)
	raw, message, ok := readObject(w, r, 256<<10)
	if !signedByKindly(r, raw) {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "bad signature"})
		return
	}
	if !ok {
		answer(w, http.StatusBadRequest, map[string]string{"error": "not a JSON object"})
		return
	}
	if len(r.Header.Values("Authorization")) == 0 {
		answer(w, http.StatusOK, map[string]string{"reply": "Please log in, and I look your order up."})
		return
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ") // the only place it is read from
	chatID, _ := message["chat_id"].(string)
	claims, ok := verifyToken(token, chatID)
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "not a valid token"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"reply": greeting(claims)})
}

// endregion

// region json: Read JSON that may be anything
func readObject(w http.ResponseWriter, r *http.Request, limit int64) (raw []byte, object map[string]any, ok bool) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return nil, nil, false
	}
	err = json.Unmarshal(raw, &object)
	return raw, object, err == nil && object != nil // null is valid, and no object
}

// endregion

// region reply: Escape claims in a reply, and use verified addresses only
func greeting(claims jwt.MapClaims) string {
	name, ok := claims["name"].(string)
	if !ok {
		name = "you"
	}
	text := fmt.Sprintf("Hello %s! Your order is on its way.", html.EscapeString(name))
	if email, _ := claims["email"].(string); claims["email_verified"] == true {
		text += fmt.Sprintf(" News goes to %s.", html.EscapeString(email))
	}
	return text
}

// endregion

// region answer: Answer with JSON that nobody keeps
func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(value) // who hung up does not hear it
}

// endregion

func userOf(r *http.Request) (user, bool) {
	cookie, err := r.Cookie("sid")
	if err != nil {
		return user{}, false
	}
	u, ok := sessions[cookie.Value]
	return u, ok
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	if err := load(); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/kindly/token", onlyOurPages(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST")
			answer(w, http.StatusMethodNotAllowed, map[string]string{"error": "POST only"})
			return
		}
		kindlyToken(w, r)
	})))
	mux.HandleFunc("POST /kindly/webhook", kindlyWebhook)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("{\"url\": \"http://%s\"}\n", listener.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin) // it ends with whoever started it
		listener.Close()
	}()
	server := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second}
	server.Serve(listener) // its error is that the listener was closed
	return nil
}

func load() error {
	private, err := os.ReadFile(os.Getenv("PRIVATE_KEY"))
	if err != nil {
		return err
	}
	if privateKey, err = jwt.ParseRSAPrivateKeyFromPEM(private); err != nil {
		return err
	}
	public, err := os.ReadFile(os.Getenv("PUBLIC_KEY"))
	if err != nil {
		return err
	}
	if publicKey, err = jwt.ParseRSAPublicKeyFromPEM(public); err != nil {
		return err
	}
	return json.Unmarshal([]byte(os.Getenv("SESSIONS")), &sessions)
}
