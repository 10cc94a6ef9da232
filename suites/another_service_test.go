package suites_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites"
)

// A provider's access token, passed on as it is, is one mistake: nothing in it is meant
// for Kindly.
func TestAProvidersTokenIsNamedAlone(t *testing.T) {
	t.Parallel()
	provider, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	shop := endpointOf(func(w http.ResponseWriter, r *http.Request) {
		if !loggedIn(r) {
			http.Error(w, "log in", http.StatusUnauthorized)
			return
		}
		now := time.Now()
		access := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
			"iss": "https://login.example.com/", "aud": "https://api.example.com", "sub": "auth0|5f7c8ec7c33c6c004bbafe82", "azp": "shop",
			"scope": "openid profile email", "iat": now.Unix(), "exp": now.Add(24 * time.Hour).Unix(),
		})
		access.Header["kid"] = "provider-1"
		raw, err := access.SignedString(provider)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(map[string]string{"token": raw})
	})(t)
	shop.PublicKeys = []*token.Key{publicOf(t)}
	run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"TOK", "AUTH-POST-TOKEN", "AUTH-BIND-CHAT", "AUTH-FRESH"}})
	namesAlone(t, run, "token-of-another-service")
}
