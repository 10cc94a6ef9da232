package suites

import (
	"cmp"
	"crypto/rand"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/browser"
	"github.com/kindlytest/kindlytest/suites/oracle"
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
	Published  map[string]string // fingerprints of further keys whose private half is public

	Endpoint *EndpointConfig // nil: found by watching the page
	Webhooks []Webhook

	// Authorities are private certificate authorities that are trusted beside
	// the system's, by the browser and the harness alike.
	Authorities []*x509.Certificate

	// Resolve maps host names to the address to dial instead, for the browser
	// and the harness alike.
	Resolve map[string]string
}

// EndpointConfig describes an auth endpoint that no page is watched for.
type EndpointConfig struct {
	URL    string
	Method string      // POST if empty
	Header http.Header // the session: a cookie, or an Authorization header
	// ChatIDField is the member of the JSON body that holds the chat id; if
	// empty, both names that Kindly's documentation uses are sent.
	ChatIDField string
}

// String leaves the session out.
func (e EndpointConfig) String() string { return e.method() + " " + safeURL(e.URL) }

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
	// Explicit expectations; the oracle finds out otherwise.
	Authenticated, Refused *oracle.Expectation
}

// String leaves the secret out.
func (w Webhook) String() string { return w.Name + " " + safeURL(w.URL) }

// GoString leaves the secret out.
func (w Webhook) GoString() string { return "suites.Webhook{" + w.String() + "}" }

// Options say how a target is checked. The zero value is usable.
type Options struct {
	Only, Skip  []string      // IDs, areas or globs ("HOOK-*")
	Strict      bool          // a SHOULD that does not hold fails the run
	Safe        bool          // no hostile input
	WaitExpiry  bool          // wait for real tokens to expire where that is needed
	Concurrency int           // probes at a time; 8 if 0
	Rate        float64       // requests a second; 0: 50, and no limit on loopback
	Timeout     time.Duration // of one request, and of the page's callback; 10 s if 0
	// ExpectedFailures maps IDs to the reason why their failure is accepted.
	ExpectedFailures map[string]string

	BrowserPath string // of Chrome; "" looks for one
	BrowserURL  string // ws:// of a Chrome that runs already
	Headed      bool
	// Screenshot keeps a picture of the page for the report. Fields, frames and
	// known secrets are covered; what else the page shows is there, such as the
	// customer's name.
	Screenshot bool
	// Browser is a Chrome that several runs share, which they don't close; nil
	// starts one where it is needed. It must know the target's Resolve and
	// Authorities.
	Browser *browser.Browser
	launch  func() (*browser.Browser, error) // of RunAll: as Browser, when it is needed

	Version  string   // of kindlytest, for reports and the User-Agent
	Args     []string // the command line that repeats the run, without --only
	Observer Observer // told of each check as it starts and ends; may be nil
	Now      func() time.Time
	Rand     io.Reader
}

// An Observer watches a run. Calls come from several goroutines, never two at
// a time.
type Observer interface {
	Planned(target reports.Target, checks int)
	Started(id string)
	Done(check reports.Check)
}

func (o Options) withDefaults(t Target) Options {
	if o.Concurrency <= 0 {
		o.Concurrency = 8
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Rate == 0 && !t.local() {
		o.Rate = 50
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return o
}

// userAgent names the harness in the logs of a staging system.
func (o Options) userAgent() string { return "kindlytest/" + o.Version }

// offers is the set of needs that the target meets as configured. Whether the
// page really gives a token is found out later.
func (t Target) offers() Need {
	var n Need
	if t.PageURL != "" {
		n |= NeedPage | NeedEndpoint | NeedToken | NeedCross
	}
	if t.Endpoint != nil {
		n |= NeedEndpoint | NeedToken
	}
	if t.Login != nil {
		n |= NeedLogin
	}
	if t.Second != nil {
		n |= NeedSecond
	}
	if t.PrivateKey != nil {
		n |= NeedKey
	}
	if len(t.Webhooks) > 0 {
		n |= NeedWebhook
	}
	for _, w := range t.Webhooks {
		if w.Secret != "" {
			n |= NeedHMAC
		}
	}
	return n
}

// local says whether all that is called is on this machine.
func (t Target) local() bool {
	for _, raw := range t.called() {
		if !isLoopback(raw) {
			return false
		}
	}
	return true
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
		urls = append(urls, cmp.Or(w.ConnectTo, w.URL))
	}
	return urls
}

// looksLikeProduction names the first URL that does not look like a test
// environment's. The private key of a production system has no place here.
func (t Target) looksLikeProduction() (string, bool) {
	for _, raw := range t.called() {
		u, err := url.Parse(raw)
		if err == nil && !isLoopback(raw) && !isTestName(u.Hostname()) {
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

// isLoopback says whether a URL's host is this machine by its name.
func isLoopback(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (t Target) report(args []string) reports.Target {
	r := reports.Target{Name: t.Name, Page: safeURL(t.PageURL), Args: args}
	if t.Endpoint != nil {
		r.Endpoint = t.Endpoint.String()
	}
	for _, w := range t.Webhooks {
		r.Webhooks = append(r.Webhooks, reports.Webhook{Name: w.Name, URL: safeURL(w.URL), ConnectTo: safeURL(w.ConnectTo)})
	}
	return r
}

// clean takes out of a report's target what is known to be secret by its value.
// The name stays: it tells targets apart.
func (s *Session) clean(t reports.Target) reports.Target {
	t.Page, t.Endpoint = s.redact.text(t.Page), s.redact.text(t.Endpoint)
	for i := range t.Webhooks {
		w := &t.Webhooks[i]
		w.URL, w.ConnectTo = s.redact.text(w.URL), s.redact.text(w.ConnectTo)
	}
	t.Args = slices.Clone(t.Args)
	for i := range t.Args {
		t.Args[i] = s.redact.text(s.target.safeArgument(t.Args[i]))
	}
	return t
}

// safeArgument is an argument in which the target's URLs hold no credential.
func (t Target) safeArgument(arg string) string {
	for _, raw := range t.urls() {
		if raw != "" {
			arg = strings.ReplaceAll(arg, raw, safeURL(raw))
		}
	}
	return arg
}

// urls lists all URLs of the target.
func (t Target) urls() []string {
	urls := []string{t.PageURL}
	if t.Endpoint != nil {
		urls = append(urls, t.Endpoint.URL)
	}
	for _, w := range t.Webhooks {
		urls = append(urls, w.URL, w.ConnectTo)
	}
	return urls
}

func (e EndpointConfig) method() string {
	if e.Method == "" {
		return http.MethodPost
	}
	return e.Method
}
