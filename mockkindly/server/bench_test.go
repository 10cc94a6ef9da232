package server

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/mocktest"
	"github.com/kindlytest/kindlytest/mockkindly"
)

// What a token costs over HTTP, compared with a bare handler that reads the
// same JSON and only verifies the RSA signature. The metric "x-bare" is the
// ratio.
func BenchmarkTokenIntake(b *testing.B) {
	k := newMock(b, mockkindly.Options{})
	chat := newChat(b, k)
	body := `{"token":"` + sign(claims(chat.ID, time.Now())).Secret() + `","reason":"INITIAL_CONNECT"}`
	mock, bare := httptest.NewServer(k), httptest.NewServer(http.HandlerFunc(verifyOnly))
	defer mock.Close()
	defer bare.Close()
	compare(b, "x-bare", bare.URL, mock.URL+"/mock/v1/chats/"+chat.ID+"/token", body)
}

func verifyOnly(w http.ResponseWriter, r *http.Request) {
	var in struct{ Token string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	dot := strings.LastIndexByte(in.Token, '.')
	sig, _ := base64.RawURLEncoding.DecodeString(in.Token[dot+1:])
	sum := sha256.Sum256([]byte(in.Token[:dot]))
	if rsa.VerifyPKCS1v15(&mocktest.Key().PublicKey, crypto.SHA256, sum[:], sig) != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
}

// What a message to one webhook costs over HTTP, token and signature included,
// compared with a reverse proxy before the same webhook. The metric "x-proxy"
// is the ratio.
func BenchmarkDelivery(b *testing.B) {
	hook := httptest.NewServer(replying(`{"reply":"one\n\ntwo"}`))
	defer hook.Close()
	k := newMock(b, mockkindly.Options{}, mockkindly.Webhook{URL: "https://hooks.example.com/", ConnectTo: hook.URL, Secret: "examplekey"})
	chat, _ := authenticated(b, k, "hooks.example.com")
	target, err := url.Parse(hook.URL)
	if err != nil {
		b.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64} // as the mock's own client
	defer transport.CloseIdleConnections()
	handler := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport}
	mock, proxy := httptest.NewServer(k), httptest.NewServer(handler)
	defer mock.Close()
	defer proxy.Close()
	compare(b, "x-proxy", proxy.URL, mock.URL+"/mock/v1/chats/"+chat.ID+"/messages", `{"text":"where is my order?"}`)
}

// compare times both servers in turn, so that a busy machine slows both. The
// loop's own ns/op is of the two together.
func compare(b *testing.B, metric, baseline, subject, body string) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	defer client.CloseIdleConnections()
	var base, sub time.Duration
	for b.Loop() {
		base += timePost(b, client, baseline, body)
		sub += timePost(b, client, subject, body)
	}
	b.ReportMetric(float64(sub.Nanoseconds())/float64(b.N), "mock-ns/op")
	b.ReportMetric(float64(sub)/float64(base), metric)
}

func timePost(b *testing.B, client *http.Client, url, body string) time.Duration {
	start := time.Now()
	res, err := client.Post(url, "application/json", bytes.NewReader([]byte(body)))
	if err != nil {
		b.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b.Fatalf("status %d", res.StatusCode)
	}
	return time.Since(start)
}
