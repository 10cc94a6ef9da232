package target

import (
	"cmp"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// A Target is what is checked: a customer's page, auth endpoint and webhooks.
// What is left out is skipped, with the reason; at least one of PageURL,
// Endpoint and Webhooks is needed.
type Target struct {
	Name    string // for reports, where several targets are checked in one run
	PageURL string
	BotKey  string // that the page should carry; "" accepts any
	Login   *browser.Login
	Second  *browser.Login // another user

	PublicKeys []*token.Key      // the first is the one uploaded to Kindly
	PublicPEM  []byte            // that key's file, byte for byte
	PrivateKey *token.PrivateKey // of a test environment
	// Sub is the sub of tokens that are made with the private key alone: a user whom the
	// webhooks know. "": an invented one.
	Sub       string
	Published map[string]string // fingerprints of further keys whose private half is public

	// Secrets are further values that no report may show, beside those of logins,
	// headers and webhooks.
	Secrets []string

	Endpoint *EndpointConfig // nil: found by watching the page
	Webhooks []Webhook

	// Authorities are private certificate authorities that are trusted beside
	// the system's, by the browser and the harness alike.
	Authorities []*x509.Certificate

	// Resolve maps host names to the address to dial instead, for the browser
	// and the harness alike.
	Resolve map[string]string

	// Gates stand before the target, and Proxy on the way to it, for the browser
	// and the harness alike.
	Gates []Gate
	Proxy Proxy

	// PageSteps are what a visitor does on the page, at each visit, logged in or
	// not, until the chat is there: consent, scrolling, a click.
	PageSteps []browser.Step
}

// EndpointConfig describes an auth endpoint that no page is watched for.
type EndpointConfig struct {
	URL    string
	Method string      // POST if empty
	Header http.Header // the session: a cookie, or an Authorization header
	// ChatIDField is the member of the JSON body that holds the chat id; if
	// empty, both names that Kindly's documentation uses are sent.
	ChatIDField string
	RequestForm
}

// String leaves the session out.
func (e EndpointConfig) String() string { return e.Verb() + " " + redact.URL(e.URL) }

// GoString leaves the session out.
func (e EndpointConfig) GoString() string { return "suites.EndpointConfig{" + e.String() + "}" }

// Webhook is a webhook under test and one message that it answers.
type Webhook struct {
	Name      string
	URL       string // as registered with Kindly; decides whether the token may go there
	ConnectTo string // where it is really called, if elsewhere
	Secret    string // for Kindly-HMAC; "" sends no signature
	Message   string // what the user wrote; "Hello" if empty
	Slug      string // exchange_slug of the dialogue
	Context   map[string]any
	Header    http.Header // that a gateway before it wants with every request
	// Explicit expectations; the oracle finds out otherwise.
	Authenticated, Refused *oracle.Expectation
}

// String leaves the secret out.
func (w Webhook) String() string { return w.Name + " " + redact.URL(w.URL) }

// GoString leaves the secret out.
func (w Webhook) GoString() string { return "suites.Webhook{" + w.String() + "}" }

// Local says whether all that is called is on this machine.
func (t Target) Local() bool {
	for _, raw := range t.called() {
		if !wire.IsLoopback(raw) {
			return false
		}
	}
	return true
}

// LocalAddresses are the host:port of all that is called on this machine, each once.
func (t Target) LocalAddresses() []string {
	var out []string
	for _, raw := range t.called() {
		u, err := url.Parse(raw)
		if err != nil || !wire.IsLoopback(raw) {
			continue
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		if address := net.JoinHostPort(u.Hostname(), port); !slices.Contains(out, address) {
			out = append(out, address)
		}
	}
	return out
}

// called lists the URLs that the harness will call.
func (t Target) called() []string {
	var urls []string
	if t.PageURL != "" {
		urls = append(urls, t.PageURL)
	}
	if t.Endpoint != nil {
		urls = append(urls, t.Endpoint.URL)
	}
	for _, w := range t.Webhooks {
		urls = append(urls, w.address())
	}
	return urls
}

// LooksLikeProduction names the first URL that does not look like a test
// environment's. The private key of a production system has no place here.
func (t Target) LooksLikeProduction() (string, bool) {
	for _, raw := range t.called() {
		u, err := url.Parse(raw)
		if err == nil && !wire.IsLoopback(raw) && !isTestName(u.Hostname()) {
			return raw, true
		}
	}
	return "", false
}

// testWords mark a host name as that of a test environment.
var testWords = []string{"test", "staging", "stage", "stg", "dev", "development", "qa",
	"uat", "sandbox", "preview", "preprod", "demo", "local", "localhost", "internal", "example"}

func isTestName(host string) bool {
	words := strings.FieldsFunc(strings.ToLower(host), func(r rune) bool { return r == '.' || r == '-' })
	for _, w := range words {
		for _, t := range testWords {
			if strings.TrimRight(w, "0123456789") == t {
				return true
			}
		}
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsPrivate()
}

// Urls lists all URLs of the target.
func (t Target) Urls() []string {
	urls := []string{t.PageURL}
	if t.Endpoint != nil {
		urls = append(urls, t.Endpoint.URL)
	}
	for _, w := range t.Webhooks {
		urls = append(urls, w.URL, w.ConnectTo)
	}
	return urls
}

// address is where the webhook is really called.
func (w Webhook) address() string { return cmp.Or(w.ConnectTo, w.URL) }
