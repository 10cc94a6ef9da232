// Command plain is what kindlytest serve is compared with: a bare Go server.
//
//	plain ADDRESS HOOK PUBLIC.PEM
//
// Its routes: /verify reads {"token": …} and verifies the signature; /proxy is
// a reverse proxy before HOOK; /forward verifies a token that it keeps, signs
// the body, and sends both to HOOK; all others answer at once.
package main

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
)

var (
	key       *rsa.PublicKey
	kept      atomic.Value // the token that /verify saw last
	transport = &http.Transport{MaxIdleConnsPerHost: 64}
)

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	if len(os.Args) > 2 {
		hook, err := url.Parse(os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		readKey(os.Args[3])
		mux.HandleFunc("/verify", verify)
		mux.Handle("/proxy", &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL, r.Out.Host = hook, hook.Host
		}})
		mux.HandleFunc("/forward", func(w http.ResponseWriter, r *http.Request) { forward(w, r, hook.String()) })
	}
	log.Fatal(http.ListenAndServe(os.Args[1], mux))
}

func readKey(path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	block, _ := pem.Decode(text)
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		log.Fatal(err)
	}
	key = parsed.(*rsa.PublicKey)
}

func verify(w http.ResponseWriter, r *http.Request) {
	var in struct{ Token string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || !signed(in.Token) {
		http.Error(w, "no valid token", http.StatusUnprocessableEntity)
		return
	}
	kept.Store(in.Token)
}

func signed(token string) bool {
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	digest := sha256.Sum256([]byte(token[:dot]))
	return err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
}

func forward(w http.ResponseWriter, r *http.Request, hook string) {
	token, _ := kept.Load().(string)
	body, err := io.ReadAll(r.Body)
	if err != nil || !signed(token) {
		http.Error(w, "no valid token", http.StatusUnauthorized)
		return
	}
	mac := hmac.New(sha256.New, []byte("examplekey"))
	mac.Write(body)
	out, err := http.NewRequestWithContext(r.Context(), http.MethodPost, hook, bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	out.Header.Set("Content-Type", "application/json")
	out.Header.Set("Authorization", "Bearer "+token)
	out.Header.Set("Kindly-HMAC", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	res, err := transport.RoundTrip(out)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(res.StatusCode)
	io.Copy(w, res.Body)
}
