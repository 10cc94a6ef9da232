package subject

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// What stands before a page or its endpoint and answers in their place: a platform's
// gateway, a firewall, a login, a tunnel. What it says tells it from the app. Those
// before webhooks are in front.go.

// A Before is one of them.
type Before struct {
	Who    string // as in "Cloudflare, which takes the browser for a robot"
	Page   string // what to do where it stands before the page
	Asked  string // and before the endpoint
	status []int
	header string // that it writes; "" for none
	value  *regexp.Regexp
	body   *regexp.Regexp
}

const (
	throughGate = "Tell kindlytest the header or cookie that lets one through: gate in kindlytest.yaml (docs/staging.md, \"A gate\")."
	exceptPath  = "Take the endpoint's path out of it, or let the page's users pass there: for them too it is the first to answer."
	firewall    = "Let this machine through, by its address or by a header that only the test knows (gate in kindlytest.yaml; docs/staging.md, \"A gate\"): a firewall takes a browser without a window for a robot."
	byRule      = "Look into the firewall's log for the rule that was met, and except the endpoint's path from it: a POST of JSON by a script is what it must expect there."
	startIt     = "Start the app that is behind it, and see that it listens where the proxy looks for it."
	rightHost   = "Compare host, path and method with the routes that it has: it says so of each that it does not know."
	wayOfHost   = "Name the host among those that the server serves: server.allowedHosts (Vite, webpack), config.hosts (Rails), ALLOWED_HOSTS (Django), AllowedHosts (ASP.NET)."
)

// befores are known by what they answer, those that say most first.
var befores = []Before{
	{"ngrok, with its warning for browsers", "Let the tunnel leave its warning out by a header that any value of it switches off: gate in kindlytest.yaml, with headers: {ngrok-skip-browser-warning: \"1\"}.", "Send the header ngrok-skip-browser-warning with the page's request, or use a tunnel without such a page.", nil, "", nil, regexp.MustCompile(`ERR_NGROK_6024`)},
	{"a tunnel, with its warning for browsers", "Let the tunnel leave its warning out: gate in kindlytest.yaml, with headers: {bypass-tunnel-reminder: \"1\"} (localtunnel), {X-Tunnel-Skip-AntiPhishing-Page: \"1\"} (dev tunnels).", "Use a tunnel without such a page.", nil, "", nil, regexp.MustCompile(`(?i)tunnel website ahead|tunnel password|connect to a developer tunnel`)},
	{"ngrok: the tunnel is not open, or nothing is behind it", "Start the tunnel and the app behind it; its address changes at each start.", startIt, nil, "Ngrok-Error-Code", nil, nil},
	{"Vercel's deployment protection", "Let kindlytest pass: Protection Bypass for Automation at Vercel, and gate in kindlytest.yaml, with headers: {x-vercel-protection-bypass: \"${BYPASS}\"} (docs/staging.md, \"A gate\").", exceptPath, []int{401, 403}, "Server", regexp.MustCompile(`^Vercel`), regexp.MustCompile(`(?i)vercel\.com/sso|Vercel Authentication|<title>Authentication Required`)},
	{"Netlify's password", throughGate, exceptPath, []int{401}, "Server", regexp.MustCompile(`^Netlify`), regexp.MustCompile(`(?i)password.protected`)},
	{"Cloudflare Access", "Let kindlytest pass with a service token: gate in kindlytest.yaml, with headers: {CF-Access-Client-Id: \"${ACCESS_ID}\", CF-Access-Client-Secret: \"${ACCESS_SECRET}\"} (docs/staging.md, \"A gate\").", exceptPath, nil, "", nil, regexp.MustCompile(`Cloudflare Access</title>|cdn-cgi/access/`)},
	{"Cloudflare, which takes the browser for a robot", "Write a rule at Cloudflare that skips its checks for this machine's address, or for a header that only the test sends (gate in kindlytest.yaml; docs/staging.md, \"A gate\").", "Write a rule at Cloudflare that skips the challenge for the endpoint's path: a script's fetch can't answer one.", nil, "Cf-Mitigated", nil, nil},
	{"Cloudflare, which takes the browser for a robot", "Write a rule at Cloudflare that skips its checks for this machine's address, or for a header that only the test sends (gate in kindlytest.yaml; docs/staging.md, \"A gate\").", "Write a rule at Cloudflare that skips the challenge for the endpoint's path: a script's fetch can't answer one.", []int{403, 429, 503}, "Server", regexp.MustCompile(`(?i)^cloudflare`), regexp.MustCompile(`(?i)just a moment|attention required|error code: 10\d\d|cf-error-details`)},
	{"Cloudflare: the server behind it does not answer", startIt, startIt, []int{520, 521, 522, 523, 524, 525, 526, 530}, "", nil, nil},
	{"API Gateway: no such path or method", "Look at the address, with the stage in it (/prod/…).", "Look at the path, with the stage in it (/prod/…), and at the method; deploy the API anew. It says so of each path that it does not know, and no token is missing.", []int{403}, "", nil, regexp.MustCompile(`"Missing Authentication Token"`)},
	{"CloudFront, which lets no such method through", rightHost, "Let CloudFront take the method for the endpoint's path (Allowed HTTP methods: … POST), without caching, and with the session's cookies handed on.", []int{403}, "", nil, regexp.MustCompile(`not configured to allow the HTTP request method`)},
	{"Vercel's server of files, which takes no POST", rightHost, "Serve the endpoint as a function at that path: files take no POST.", []int{405}, "X-Vercel-Error", nil, nil},
	{"a login before the app (oauth2-proxy)", throughGate, exceptPath, nil, "", nil, regexp.MustCompile(`(?i)/oauth2/(?:start|sign_in)\b|oauth2[- ]proxy`)},
	{"a login before the app", throughGate, exceptPath, []int{401, 403}, "", nil, regexp.MustCompile(`(?i)\bauthelia\b|\bauthentik\b|\bpomerium\b|Invalid IAP credentials|You do not have permission to view this directory or page`)},
	{"Shopify's password page", "Let the login's steps begin with the store's password (page.login: goto …/password, fill, click), or take the password off (Online Store, Preferences).", exceptPath, nil, "", nil, regexp.MustCompile(`storefront_password|storefront-password-form|template-password`)},
	{"a firewall", firewall, byRule, nil, "", nil, regexp.MustCompile(`(?i)generated by wordfence|sucuri website firewall|incapsula incident|errors\.edgesuite\.net|access denied[\s\S]{0,300}reference(?:&#32;| )*(?:&#35;|#)|error was generated by mod_security|not acceptable!|requested URL was rejected\. please consult|captcha-delivery\.com|px-captcha|barracuda networks`)},
	{"AWS WAF", firewall, byRule, []int{202, 403, 405}, "X-Amzn-Waf-Action", nil, nil},
	{"CloudFront or its firewall, which blocks the request", firewall, byRule, []int{403}, "", nil, regexp.MustCompile(`(?i)request blocked[\s\S]*cloudfront`)},
	{"a company's web filter", "Reach the page without it: NO_PROXY, proxy in kindlytest.yaml, or another network.", "Reach the endpoint without it: for users outside of the company it may be another matter.", nil, "", nil, regexp.MustCompile(`(?i)\bzscaler\b|fortiguard|cisco umbrella|netskope|blocked by your organi[sz]ation`)},
	{"a proxy (Squid), which refuses it", "The proxy does not let it through: proxy in kindlytest.yaml, else HTTPS_PROXY, HTTP_PROXY and NO_PROXY, which names the hosts that are reached without it.", "The proxy does not let it through: NO_PROXY names the hosts that are reached without it.", nil, "X-Squid-Error", nil, nil},
	{"a proxy, which wants a name and a password", ThroughProxy, "The proxy does not let it through: NO_PROXY names the hosts that are reached without it.", []int{407}, "", nil, nil},
	{"a server that does not know the host by which it is called", wayOfHost, wayOfHost, []int{400, 403, 404, 421}, "", nil, regexp.MustCompile(`Invalid HTTP_HOST header|DisallowedHost|<h1>Bad Request \(400\)</h1>|Blocked hosts?:|This host \([^)]*\) is not allowed|Invalid [Hh]ost header|Bad Request - Invalid Hostname`)},
	{"a server that speaks TLS at this port", "Write https:// in page.url.", "Call it by https://.", []int{400}, "", nil, regexp.MustCompile(`(?i)plain HTTP request was sent to HTTPS port|sent an HTTP request to an HTTPS server|speaking plain HTTP to an SSL-enabled`)},
	{"a server to which the request's head is too large", "Make the cookies fewer and smaller: all of them go with each request.", "Make the cookies fewer and smaller (all of them go with each request, analytics' too), or let the server take larger heads (nginx: large_client_header_buffers; Node: --max-http-header-size).", []int{400, 431, 494}, "", nil, regexp.MustCompile(`(?i)header or cookie too large|header fields? too large|request header is too large|size of a request header field exceeds`)},
	{"a server to which the request's head is too large", "Make the cookies fewer and smaller: all of them go with each request.", "Make the cookies fewer and smaller (all of them go with each request, analytics' too), or let the server take larger heads (nginx: large_client_header_buffers; Node: --max-http-header-size).", []int{431, 494}, "", nil, nil},
	{"the site's maintenance mode", "End the maintenance mode, or let kindlytest pass by the cookie or header that it has for that (gate in kindlytest.yaml): WordPress: delete .maintenance; Laravel: php artisan up, or down --secret.", "End the maintenance mode, or except the endpoint from it.", []int{503}, "", nil, regexp.MustCompile(`(?i)maintenance|<title>Service Unavailable</title>[\s\S]*>\s*503\s*<`)},
	{"Varnish: the app behind it does not answer", startIt, startIt, []int{503}, "", nil, regexp.MustCompile(`Backend fetch failed|Guru Meditation`)},
	{"a proxy: the app behind it does not answer", startIt, startIt, []int{502, 503, 504}, "", nil, regexp.MustCompile(`(?i)<center>(?:nginx|openresty)|No server is available to handle this request|upstream connect error|no healthy upstream|<h1>(?:502 Bad Gateway|503 Service (?:Temporarily )?Unavailable|504 Gateway Time-?out|Service Unavailable)|proxy server received an invalid response|Application error`)},
	{"a router without a route for this host and path", "Compare the host and the path with the router's rules: nothing is served there by that name.", rightHost, []int{404}, "", nil, regexp.MustCompile(`default backend - 404|Heroku \| No such app|DEPLOYMENT_NOT_FOUND|404 Web Site not found|isn't a GitHub Pages site here|NoSuchBucket|no Route matched with those values|Application not found`)},
	{"a web server, which does not let the request in", "Add this machine's address to those that are let in, or tell the header or cookie that lets one through: gate in kindlytest.yaml (docs/staging.md, \"A gate\").", "Let the users' browsers reach the endpoint's path: a rule of the web server's (deny, Require, a list of addresses) refuses it before the app is asked.", []int{403}, "", nil, regexp.MustCompile(`<center><h1>403 Forbidden</h1></center>|You don't have permission to access (?:this resource|/)|403 - Forbidden: Access is denied`)},
	{"a page for those who wait for the site", "It is shown to those who are not logged in, or do not know the preview's link: give a login (page.login), or the cookie or header that lets one through (gate in kindlytest.yaml).", exceptPath, []int{200, 503}, "", nil, regexp.MustCompile(`(?i)<title>\s*(?:[^<]{0,60}[|–—-]\s*)?(?:coming soon|under construction|opening soon|launching soon)\W{0,3}\s*(?:[|–—-][^<]{0,60})?</title>`)},
}

// BeforeIn says who has answered in the app's place; nil, if nobody that is known.
func BeforeIn(status int, header http.Header, body []byte) *Before {
	const enough = 16 << 10
	body = body[:min(len(body), enough)]
	i := slices.IndexFunc(befores, func(b Before) bool {
		value := wire.HeaderValue(header, b.header)
		return (len(b.status) == 0 || slices.Contains(b.status, status)) &&
			(b.header == "" || value != "" && (b.value == nil || b.value.MatchString(value))) &&
			(b.body == nil || b.body.Match(body))
	})
	if i < 0 {
		return nil
	}
	return &befores[i]
}

// Befores are all that are known.
func Befores() []Before { return befores }

// before is who answered in the page's place.
func (v *Visit) before() *Before {
	for i := len(v.Record.Requests) - 1; i >= 0; i-- {
		r := v.Record.Requests[i]
		if r.ResourceType == "Document" && r.Target == "page" && strings.HasPrefix(r.URL, "http") && !r.Kindly {
			return BeforeIn(r.Status, r.ResponseHeader, r.ResponseBody)
		}
	}
	return nil
}

// BeforeOf is who answered a request in the app's place.
func BeforeOf(r browser.Request) *Before { return BeforeIn(r.Status, r.ResponseHeader, r.ResponseBody) }
