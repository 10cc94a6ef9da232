package wire

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// A redirect within the origin is followed where that is asked for, as browsers do.
func TestRedirectIsFollowedOnDemand(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "elsewhere") }))
	defer other.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
		switch {
		case r.URL.Query().Get("to") != "":
			w.Header().Set("Location", r.URL.Query().Get("to"))
			w.WriteHeader(status)
		case r.URL.Path == "/loop":
			w.Header().Set("Location", "/loop")
			w.WriteHeader(http.StatusFound)
		default:
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %q %q", r.Method, body, r.Header.Get("Content-Type"), r.Header.Get("Cookie"))
		}
	}))
	defer s.Close()
	client := NewClient(Options{})
	defer client.Close()
	for path, want := range map[string]string{
		"/303?to=/end":         `200 GET  "" "sid=1"`,
		"/302?to=/end":         `200 GET  "" "sid=1"`,
		"/307?to=end":          `200 POST {} "application/json" "sid=1"`,
		"/308?to=/end":         `200 POST {} "application/json" "sid=1"`,
		"/302?to=" + other.URL: "302 ",
		"/304?to=/end":         "304 ",
		"/loop":                "302 ",
		"/end":                 `200 POST {} "application/json" "sid=1"`,
	} {
		ex := client.Do(t.Context(), Request{Method: "POST", URL: s.URL + path, Body: []byte("{}"), Follow: true,
			Header: http.Header{"Content-Type": {"application/json"}, "Cookie": {"sid=1"}}})
		if got := fmt.Sprintf("%d %s", ex.Status(), ex.Body()); got != want {
			t.Errorf("%s: got %q (%v), want %q", path, got, ex.Err, want)
		}
	}
}

// byNonce is a way that first asks at a URL for what goes into the query.
type byNonce string

func (at byNonce) Send(ctx context.Context, r Request, send Send) (*Response, error) {
	first, err := send(ctx, Request{Method: "GET", URL: string(at)})
	if err != nil {
		return nil, err
	}
	r.URL += "?" + string(first.Body)
	return send(ctx, r)
}

// A way sends others before the request, and what came back last is the answer.
func TestRequestGoesItsWay(t *testing.T) {
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.RequestURI())
		io.WriteString(w, r.URL.Path[1:])
	}))
	defer s.Close()
	r := Request{Method: "POST", URL: s.URL + "/auth", Way: byNonce(s.URL + "/nonce")}
	ex := newClient(t, Options{}).Do(t.Context(), r)
	if string(ex.Body()) != "auth" || ex.Request.URL != s.URL+"/auth" || !slices.Equal(asked, []string{"GET /nonce", "POST /auth?nonce"}) {
		t.Errorf("%q was asked, and %q came back for %s", asked, ex.Body(), ex.Request.URL)
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	for _, location := range []string{"/elsewhere", "https://evil.example/", "https://[broken", ""} {
		var requests atomic.Int32
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			w.Header()["Location"] = []string{location}
			w.WriteHeader(http.StatusTemporaryRedirect)
		}))
		ex := newClient(t, Options{}).Do(context.Background(), Request{Method: "POST", URL: srv.URL, Body: []byte("{}")})
		srv.Close()
		if ex.Status() != 307 || requests.Load() != 1 {
			t.Errorf("Location %q: status %d, %v, after %d requests", location, ex.Status(), ex.Err, requests.Load())
		}
	}
}
