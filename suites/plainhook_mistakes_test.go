package suites_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
)

// signs is a webhook that computes the signature over what it makes of the body,
// with another secret, or of something else altogether.
func signs(compute func(secret string, r *http.Request, body []byte) string) plainHook {
	h := plain()
	secret := h.secret
	h.secret = ""
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch want := compute(secret, r, body); {
		case want == "throw":
			http.Error(w, "Internal Server Error", http.StatusInternalServerError)
			return true
		case len(r.Header.Values("Kindly-HMAC")) != 1 || r.Header.Get("Kindly-HMAC") != want || r.Header.Get("Kindly-HMAC-algorithm") != "HMAC-SHA-256 (base64 encoded)":
			http.Error(w, `{"error":"signature"}`, http.StatusUnauthorized)
			return true
		}
		return false
	}
	return h
}

func hmacOf(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// answers is a webhook in whose place something else answers.
func answers(status int, kind, body string, header ...string) plainHook {
	h := plain()
	h.before = func(w http.ResponseWriter, _ *http.Request) bool {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		says(status, kind, body)(w, nil)
		return true
	}
	return h
}

// ifToken is a sound webhook before which something answers whoever brings a token.
func ifToken(front plainHook) plainHook {
	h := plain()
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		return r.Header.Get("Authorization") != "" && front.before(w, r)
	}
	return h
}

// rewrites is a sound webhook whose answers something changes on their way.
func rewrites(change func([]byte) any) plainHook {
	return writes(func(answer []byte) []byte {
		changed, err := json.Marshal(change(answer))
		if err != nil {
			panic(err)
		}
		return changed
	})
}

// writes is rewrites, byte for byte.
func writes(change func([]byte) []byte) plainHook {
	h := plain()
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		sound := httptest.NewRecorder()
		plain().ServeHTTP(sound, r)
		if sound.Code != http.StatusOK {
			says(sound.Code, "application/json", sound.Body.String())(w, r)
			return true
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(change(bytes.TrimSpace(sound.Body.Bytes())))
		return true
	}
	return h
}

// readsToken is a webhook that verifies what it makes of Authorization.
func readsToken(take func(authorization string) string) plainHook {
	h := plain()
	h.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if a := r.Header.Get("Authorization"); a != "" {
			r.Header.Set("Authorization", "Bearer "+take(a))
		}
		return false
	}
	return h
}

// signedWith is soundly for who expects another algorithm.
func signedWith(alg string) func(header, claims map[string]any, signed bool, chat string) bool {
	return func(header, claims map[string]any, signed bool, chat string) bool {
		return header["alg"] == alg && soundly(map[string]any{"alg": "RS256", "crit": header["crit"]}, claims, signed, chat)
	}
}
