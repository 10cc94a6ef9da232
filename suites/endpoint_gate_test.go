package suites_test

import (
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"testing"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

const gatePassword = "Basic c3RhZ2luZzpwYXNz"

// behindGate puts a password before a target's endpoint, and gives it to the
// harness as a header of the endpoint.
func behindGate(t *testing.T, shop target.Target) target.Target {
	u, err := url.Parse(shop.Endpoint.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: u.Scheme, Host: u.Host})
		r.Out.Header.Del("Authorization")
	}}
	shop.Endpoint.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != gatePassword {
			w.Header().Set("WWW-Authenticate", `Basic realm="staging"`)
			http.Error(w, "staging", http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, r)
	}) + u.Path
	shop.Endpoint.Header.Set("Authorization", gatePassword)
	return shop
}

// The refusal of a gate is not the endpoint's.
func TestStrangersAreTriedBehindTheGate(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		faults []fixtures.Fault
		cookie bool
		want   reports.Outcome
	}{
		"a sound endpoint":                      {nil, true, reports.Passed},
		"a token for everybody":                 {[]fixtures.Fault{fixtures.DefaultAccount}, true, reports.Failed},
		"nobody can tell, without more to drop": {[]fixtures.Fault{fixtures.DefaultAccount}, false, reports.Skipped},
	} {
		t.Run(name, func(t *testing.T) {
			plain, customer := startReference(t, fixtures.Options{Faults: tt.faults})
			shop := behindGate(t, withoutPage(t, plain, customer))
			if !tt.cookie {
				shop.Endpoint.Header.Del("Cookie")
			}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-NO-SESSION"}})
			for _, c := range run.Checks {
				if c.ID == "AUTH-NO-SESSION" && c.Outcome != tt.want {
					t.Errorf("got %s, want %s", c.Outcome, tt.want)
					describe(t, c)
				}
			}
		})
	}
}

// A proxy that logs people in tells the app who they are: its cookie is the session,
// where there is no other. Beside one, it only opens the gate.
func TestAProxyThatLogsPeopleInIsTheSession(t *testing.T) {
	t.Parallel()
	users := map[string]string{"f81d4fae-7dec": "user-ada", "0b2c9d33-41aa": "user-grace"}
	cookie := func(r *http.Request, name string) string {
		c, err := r.Cookie(name)
		if err != nil {
			return ""
		}
		return users[c.Value]
	}
	byProxy := func(r *http.Request) string { return cookie(r, "_oauth2_proxy") }
	anybody := func(*http.Request) string { return "user-ada" }
	behind := func(who func(*http.Request) string) func(*http.Request) string {
		return func(r *http.Request) string {
			if byProxy(r) == "" {
				return "" // the proxy asks for a login
			}
			return who(r)
		}
	}
	for name, row := range map[string]struct {
		who              func(*http.Request) string
		cookies          [2]string
		noSession, spoil reports.Outcome
	}{
		"the proxy alone": {byProxy, [2]string{"_oauth2_proxy=f81d4fae-7dec", "_oauth2_proxy=0b2c9d33-41aa"}, reports.Passed, reports.Passed},
		"the proxy, beside a load balancer's cookie and a setting": {byProxy, [2]string{
			"ARRAffinity=70ae8f1d0c4b52f7e6a913c5; theme=dark; _oauth2_proxy=f81d4fae-7dec", "ARRAffinity=c1be0a94f24f62a09be3d7f0; theme=light; _oauth2_proxy=0b2c9d33-41aa"}, reports.Passed, reports.Passed},
		"an app that looks at no session of its own": {behind(anybody), [2]string{"_oauth2_proxy=f81d4fae-7dec; sid=9f2c7be1a0d4", "_oauth2_proxy=0b2c9d33-41aa; sid=51c0e8d7f3ab"}, reports.Failed, reports.Skipped},
		"an app with a session":                      {behind(plainSession), [2]string{"_oauth2_proxy=f81d4fae-7dec; sid=9f2c7be1a0d4", "_oauth2_proxy=0b2c9d33-41aa; sid=51c0e8d7f3ab"}, reports.Passed, reports.Passed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shop := plainEndpointOf(t, plainEndpoint{who: row.who})
			shop.Endpoint.Header.Set("Cookie", row.cookies[0])
			shop.Endpoint.SecondHeader.Set("Cookie", row.cookies[1])
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-NO-SESSION", "AUTH-BAD-SESSION"}})
			for id, want := range map[string]reports.Outcome{"AUTH-NO-SESSION": row.noSession, "AUTH-BAD-SESSION": row.spoil} {
				if c := find(t, run, id); c.Outcome != want {
					t.Errorf("%s is %s, want %s", id, c.Outcome, want)
					describe(t, c)
				}
			}
		})
	}
}

// A session that anybody can write is none, however it is written down.
func TestWrittenSessionsAreFound(t *testing.T) {
	t.Parallel()
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	numbers := map[string]string{} // ids of another table than the token's
	number := func(sub string) string {
		if numbers[sub] == "" {
			numbers[sub] = strconv.Itoa(4101 + len(numbers))
		}
		return numbers[sub]
	}
	for name, cookie := range map[string]func(sub string) string{
		"the id":                       func(sub string) string { return sub },
		"JSON":                         func(sub string) string { return url.QueryEscape(`{"id":"` + sub + `"}`) },
		"base64 of JSON":               func(sub string) string { return encode(`{"id":"` + sub + `"}`) },
		"base64 of JSON, another id":   func(sub string) string { return encode(`{"userId":` + number(sub) + `}`) },
		"base64 of JSON, another uuid": func(sub string) string { return encode(`{"user_id":"` + number(sub) + `c0ffee-77"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			shop, customer := startReference(t, fixtures.Options{})
			shop = withoutPage(t, shop, customer)
			shop.Endpoint.URL = rewritten(t, shop.Endpoint.URL, customer, cookie)
			shop.Endpoint.Header.Set("Cookie", "me="+cookie(customer.Users[0].Sub))
			shop.Endpoint.SecondHeader = http.Header{"Cookie": {"me=" + cookie(customer.Users[1].Sub)}}
			run := suites.RunQuietly(t.Context(), shop, suites.Options{Only: []string{"AUTH-BAD-SESSION", "AUTH-BIND-SESSION"}})
			for _, c := range run.Checks {
				if want := map[string]reports.Outcome{"AUTH-BAD-SESSION": reports.Failed, "AUTH-BIND-SESSION": reports.Passed}[c.ID]; want != "" && c.Outcome != want {
					t.Errorf("%s is %s, want %s", c.ID, c.Outcome, want)
					describe(t, c)
				}
			}
		})
	}
}

// rewritten is an endpoint whose session is the cookie "me", in which the user's id
// stands as anybody can write it.
func rewritten(t *testing.T, endpoint string, c *fixtures.Customer, cookie func(string) string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	sessions := map[string]string{}
	for _, user := range c.Users {
		sessions[cookie(user.Sub)] = sessionOf(t, c, user)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: u.Scheme, Host: u.Host})
		r.Out.Header.Del("Cookie")
		if me, err := r.In.Cookie("me"); err == nil && sessions[me.Value] != "" {
			r.Out.Header.Set("Cookie", sessions[me.Value])
		}
	}}
	return serve(t, proxy.ServeHTTP) + u.Path
}

// sessionOf logs a user in, and returns the cookie of the session.
func sessionOf(t *testing.T, c *fixtures.Customer, user fixtures.User) string {
	t.Helper()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, wire.ResolveAddress(c.Resolve, address))
	}
	client := http.Client{
		Transport:     &http.Transport{DialContext: dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.PostForm(c.LoginURL, url.Values{"email": {user.Email}, "password": {user.Password}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if len(res.Cookies()) == 0 {
		t.Fatalf("the login brought no cookie: %s", res.Status)
	}
	return res.Cookies()[0].Name + "=" + res.Cookies()[0].Value
}
