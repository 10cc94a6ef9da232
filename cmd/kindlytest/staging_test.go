package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/internal/totp"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// What stands before the staging system of each recipe of docs/staging.md, by its
// heading. Variables hold "from-" and their name.
var stagings = map[string]staging{
	"A gate": {passes: func(r *http.Request) bool {
		return header(r, "x-vercel-protection-bypass", "from-BYPASS") ||
			header(r, "CF-Access-Client-Id", "from-ACCESS_ID") && header(r, "CF-Access-Client-Secret", "from-ACCESS_SECRET")
	}},
	"Basic auth": {passes: func(r *http.Request) bool {
		user, password, ok := r.BasicAuth()
		return ok && user == "staging" && password == "from-GATE_PASSWORD"
	}},
	"Basic auth as the login": {passes: func(r *http.Request) bool { return header(r, "Authorization", "from-ADA_BASIC") }},
	"Client certificate":      {certificate: true},
	"Private authority":       {},
	"Proxy":                   {proxied: true},
	"Another address":         {},
	"Consent":                 {page: `<button id=accept-cookies onclick="this.remove(); window.addEventListener('scroll', addChat, {once: true})">Accept</button>`},
	"A login form":            {forms: []form{{fields: `<input id=email><input id=password type=password>`, wants: []string{"from-ADA", "from-ADA_PASSWORD"}}}},
	"Two steps": {forms: []form{
		{fields: `<input name=username>`, wants: []string{"from-ADA"}}, {fields: `<input name=password type=password>`, wants: []string{"from-ADA_PASSWORD"}}}},
	"One-time code": {forms: []form{
		{fields: `<input id=email><input id=password type=password>`, wants: []string{"from-ADA", "from-ADA_PASSWORD"}}, {fields: `<input id=code>`, wants: []string{"CODE"}}}},
	"Identity provider":           {elsewhere: true, forms: []form{{fields: `<input id=username><input id=password type=password>`, wants: []string{"from-ADA", "from-ADA_PASSWORD"}}}},
	"In a frame":                  {elsewhere: true, framed: true, forms: []form{{fields: `<input id=username><input id=password type=password>`, wants: []string{"from-ADA", "from-ADA_PASSWORD"}}}},
	"A browser of a certain kind": {passes: func(r *http.Request) bool { return r.UserAgent() == "from-STAGING_AGENT" }},
	"A stored session":            {session: true},
	"What only the page can ask":  {session: true},
	"A secret address":            {hook: "/kindly/from-HOOK_SECRET"},
	"An API gateway":              {hook: "/kindly", passes: func(r *http.Request) bool { return header(r, "X-Api-Key", "from-GATEWAY_KEY") }},
}

type staging struct {
	passes      func(*http.Request) bool // nil: whoever comes
	certificate bool                     // only who presents one
	proxied     bool                     // only through the proxy
	page        string                   // stands in place of the chat, which addChat() adds
	forms       []form                   // one after the other, each with a button
	elsewhere   bool                     // the login is of another origin
	framed      bool                     // and in a frame of the page
	session     bool                     // who is logged in already
	hook        string                   // the path of a webhook, instead of a page
}

type form struct {
	fields string
	wants  []string // the values, in order
}

const otherOrigin = "https://id.example.com"

func header(r *http.Request, name, value string) bool { return r.Header.Get(name) == value }

func (s staging) serve(w http.ResponseWriter, r *http.Request) {
	cookie, _ := r.Cookie("sid")
	loggedIn := cookie != nil && cookie.Value == "0123456789" || len(s.forms) == 0 && !s.session
	write := func(text string, args ...any) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!doctype html><title>Staging</title><link rel=icon href=data:,>"+text, args...)
	}
	switch step, _ := strings.CutPrefix(r.URL.Path, "/login"); {
	case s.passes != nil && !s.passes(r):
		http.Error(w, "staging is not public", http.StatusUnauthorized)
	case r.URL.Path == s.hook:
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"reply": "Hello"}`)
	case r.URL.Path == "/token" && loggedIn:
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"token": "a.b.c"}`)
	case r.URL.Path == "/in" && s.elsewhere:
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "0123456789", Path: "/", Secure: true})
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case step != r.URL.Path && s.framed && "https://"+r.Host != otherOrigin:
		write(`<iframe id=login src="%s/login"></iframe>`, otherOrigin)
	case step != r.URL.Path && s.elsewhere && "https://"+r.Host != otherOrigin:
		http.Redirect(w, r, otherOrigin+"/login", http.StatusFound)
	case step != r.URL.Path:
		s.login(w, r, len(step), write)
	case r.URL.Path != "/":
		http.Error(w, "no", http.StatusUnauthorized)
	default:
		account, chat := "", s.page
		if loggedIn {
			account = "<p class=account>Ada</p>"
		}
		if chat == "" {
			chat = "<script>addChat()</script>"
		}
		write("%s<body><script>window.kindlyOptions = {getAuthToken: async () => (await (await fetch('/token', {method: 'POST'})).json()).token};"+
			"const addChat = () => { const e = document.createElement('script'); e.id = 'kindly-chat'; e.dataset.botKey = 'bot'; e.src = 'https://chat.kindlycdn.com/kindly-chat.js'; document.body.append(e); };</script>%s", account, chat)
	}
}

// login shows form n, which is at /login and n slashes, and takes what was filled in.
func (s staging) login(w http.ResponseWriter, r *http.Request, n int, write func(string, ...any)) {
	if r.Method == http.MethodPost && n < len(s.forms) {
		for i, want := range s.forms[n].wants {
			got := r.FormValue(fmt.Sprint("f", i))
			if key, _ := totp.Parse(totpSecret); want == "CODE" && (got == key.Code(time.Now()) || got == key.Code(time.Now().Add(-30*time.Second))) {
				continue
			}
			if got != want {
				http.Error(w, "wrong", http.StatusForbidden)
				return
			}
		}
		if n++; n == len(s.forms) && s.elsewhere {
			http.Redirect(w, r, "https://staging.example.com/in", http.StatusSeeOther)
			return
		}
		if n == len(s.forms) {
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "0123456789", Path: "/", Secure: true})
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		http.Redirect(w, r, "/login"+strings.Repeat("/", n), http.StatusSeeOther)
		return
	}
	if n >= len(s.forms) {
		http.NotFound(w, r)
		return
	}
	write(`<form method=post>%s<button id=kc-login type=submit>Go</button></form><script>document.querySelectorAll("input").forEach((e, i) => { e.name ||= "f" + i; e.form.addEventListener("formdata", (ev) => ev.formData.set("f" + i, e.value)); })</script>`, s.forms[n].fields)
}

const totpSecret = "GEZDGNBVGY3TQOJQ"

// Each recipe is run as it stands, against a staging system of its kind: its hosts
// are at this machine, and their certificates are of an authority made here.
func TestEachRecipeForStagingWorks(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	page, err := os.ReadFile("../../docs/staging.md")
	if err != nil {
		t.Fatal(err)
	}
	yaml := regexp.MustCompile("(?s)```yaml\n(version: 1.*?)```")
	tried := map[string]bool{}
	for _, section := range strings.Split(string(page), "\n## ")[1:] {
		heading, text, _ := strings.Cut(section, "\n")
		recipes := yaml.FindAllStringSubmatch(text, -1)
		s, known := stagings[heading]
		if !known && len(recipes) == 0 { // there is nothing to be done: it says what comes of it
			continue
		}
		if !known {
			t.Errorf("nobody tries the recipe %q", heading)
			continue
		}
		tried[heading] = true
		for i, recipe := range recipes {
			t.Run(fmt.Sprint(heading, i), func(t *testing.T) {
				t.Parallel()
				tryRecipe(t, s, recipe[1])
			})
		}
	}
	if len(tried) != len(stagings) {
		t.Errorf("%d of %d recipes were found", len(tried), len(stagings))
	}
}

func tryRecipe(t *testing.T, s staging, recipe string) {
	pair, authority, files := certificates(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	if s.certificate {
		server.TLS.ClientAuth = tls.RequireAnyClientCert
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	recipe = strings.ReplaceAll(recipe, "10.0.0.7", address)
	if s.proxied {
		recipe = strings.ReplaceAll(recipe, "proxy.example.com:3128", tunnel(t, address))
	}
	c, err := config.Parse("kindlytest.yaml", []byte(recipe), config.Sources{
		Env: func(name string) (string, bool) {
			if strings.HasSuffix(name, "_TOTP") {
				return totpSecret, true
			}
			return "from-" + name, true
		},
		Read: func(name string, _ int64) ([]byte, error) {
			if text, ok := files[name]; ok {
				return text, nil
			}
			return nil, fs.ErrNotExist
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Target.Authorities == nil {
		c.Target.Authorities = []*x509.Certificate{authority}
	}
	if c.Target.Resolve == nil && !s.proxied {
		c.Target.Resolve = map[string]string{}
		for _, host := range pair.Leaf.DNSNames {
			c.Target.Resolve[host] = address
		}
	}
	check := "PAGE-CALLBACK-TOKEN"
	if s.hook != "" {
		check = "RESP-STATUS"
	}
	run := suites.Run(t.Context(), c.Target, suites.Options{Only: []string{check}})
	at := slices.IndexFunc(run.Checks, func(c reports.Check) bool { return c.ID == check })
	if row := run.Checks[at]; row.Outcome != reports.Passed {
		t.Errorf("%s is %s: %s %s; %s %s\n%s", check, row.Outcome, row.Actual, row.Reason, run.Problem, run.Hint, recipe)
	}
	var report bytes.Buffer
	if err := reports.Write(&report, run, reports.JSON); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(report.String(), "from-") || strings.Contains(report.String(), "0123456789") {
		t.Errorf("a secret is in the report:\n%s", report.String())
	}
}

// certificates are one of the staging's hosts, signed by itself, and the files that
// recipes name.
func certificates(t *testing.T) (tls.Certificate, *x509.Certificate, map[string][]byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"staging.example.com", "staging.internal.example", "api.staging.example.com", "hooks.example.com", "id.example.com"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	session := []byte(`{"cookies":[{"name":"sid","value":"0123456789","domain":"staging.example.com","path":"/","secure":true}]}`)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, leaf, map[string][]byte{
		"client.pem": public, "client.key": pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}),
		"staging-ca.pem": public, "ada.json": session, "grace.json": session,
	}
}

// tunnel is a proxy that wants a password, and leads to one address only.
func tunnel(t *testing.T, to string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
		if user, password, _ := r.BasicAuth(); user != "from-PROXY_USER" || password != "from-PROXY_PASSWORD" {
			w.Header().Set("Proxy-Authenticate", `Basic realm="proxy"`)
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		far, err := net.Dial("tcp", to)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		near, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			far.Close()
			return
		}
		io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { io.Copy(far, near); far.Close() }()
		go func() { io.Copy(near, far); near.Close() }()
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}
