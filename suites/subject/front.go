package subject

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// A front is what stands before webhooks and answers in their place: a platform's
// gateway, a firewall, a framework's check. What it says tells it from the
// webhook, and to look for the webhook's mistakes would mislead.
type front struct {
	who        string // as in "status 403, from Cloudflare"
	cause, fix string
	status     []int          // any, if none is listed
	header     string         // that it writes
	value      *regexp.Regexp // of the header; nil: any
	body       *regexp.Regexp // nil: any
}

const (
	fixFunction = "Look into the function's log (CloudWatch): it has failed, or its answer is none that the gateway understands. It must be {statusCode: 200, headers: {…}, body: \"…\"}, with body a string."
	fixOpen     = " The webhook verifies Kindly-HMAC and the token itself."
)

// fronts are known by what they answer, those that say most first.
var fronts = []front{
	{"a check of passwords (HTTP Basic)", "webhook-behind-password", "Take the webhook's path out of the password: Kindly sends none, and has its token in Authorization." + fixOpen,
		[]int{401}, "Www-Authenticate", regexp.MustCompile(`(?i)^(basic|digest)\b`), nil},
	{"App Service's own login (Easy Auth)", "gateway-refuses", "Let unauthenticated requests through (Authentication: unauthenticated access allowed, or excludedPaths with the webhook's): the platform looks for a login of its own, and Kindly has none." + fixOpen,
		[]int{401, 403}, "", nil, regexp.MustCompile(`^\s*You do not have permission to view this directory or page\.?\s*$`)},
	{"App Service's own login (Easy Auth)", "gateway-refuses", "Let unauthenticated requests through (Authentication: unauthenticated access allowed, or excludedPaths with the webhook's): the platform looks for a login of its own, and Kindly has none." + fixOpen,
		[]int{401}, "Www-Authenticate", regexp.MustCompile(`authorization_uri="?https://login\.`), nil},
	{"API Gateway: no such path or method", "webhook-not-found", "Look at the path, with the stage in it (/prod/…), and at the method, POST; deploy the API anew. It says so of each path that it does not know, and no token is missing.",
		[]int{403}, "", nil, regexp.MustCompile(`"Missing Authentication Token"`)},
	{"API Gateway, which reads Authorization itself (IAM)", "gateway-takes-token", "Take IAM off the webhook's route (authorization: NONE): the gateway takes Kindly's token for a signature of AWS." + fixOpen,
		[]int{400, 403}, "", nil, regexp.MustCompile(`IncompleteSignature|Authorization header requires '|equal-sign\) in Authorization header`)},
	{"API Gateway's authorizer", "gateway-takes-token", "Take the authorizer off the webhook's route: it judges Kindly's token by its own rules." + fixOpen,
		[]int{401}, "Apigw-Requestid", nil, regexp.MustCompile(`"Unauthorized"`)},
	{"API Gateway's authorizer", "gateway-takes-token", "Take the authorizer (Cognito, Lambda, JWT) off the webhook's route: it judges Kindly's token by its own rules, and refuses whoever brings none." + fixOpen,
		[]int{401, 403}, "X-Amzn-Errortype", regexp.MustCompile(`^UnauthorizedException`), nil},
	{"API Gateway's authorizer", "gateway-takes-token", "Take the authorizer (Cognito, Lambda, JWT) off the webhook's route: it judges Kindly's token by its own rules, and refuses whoever brings none." + fixOpen,
		[]int{401, 403}, "", nil, regexp.MustCompile(`User is not authorized to access this resource|The incoming token has expired`)},
	{"AWS, which does not let Kindly in", "gateway-refuses", "Let the route do without an API key and a resource policy; a function's URL needs AuthType NONE." + fixOpen,
		[]int{403}, "X-Amzn-Errortype", nil, nil},
	{"API Gateway: the function fails", "gateway-without-service", fixFunction, []int{500, 502}, "Apigw-Requestid", nil, regexp.MustCompile(`"Internal Server Error"`)},
	{"API Gateway: the function fails", "gateway-without-service", fixFunction, []int{500, 502}, "X-Amzn-Errortype", nil, nil},
	{"API Gateway: the function takes too long", "gateway-without-service", "Let the function answer within seconds: the gateway waits for it no longer, and neither does the user.", []int{503, 504}, "", nil, regexp.MustCompile(`Endpoint request timed out`)},
	{"Google Cloud, which lets nobody in whom it does not know", "gateway-refuses", "Allow unauthenticated invocations of the service (allUsers as Invoker): Google takes Kindly's token for one of its own." + fixOpen,
		[]int{401, 403}, "", nil, regexp.MustCompile(`does not have permission to get URL`)},
	{"Supabase, which reads Authorization itself", "gateway-takes-token", "Deploy the function without Supabase's own check (verify_jwt = false, --no-verify-jwt): it takes Kindly's token for one of its own." + fixOpen,
		[]int{401}, "", nil, regexp.MustCompile(`^\s*\{\s*"code"\s*:\s*("UNAUTHORIZED\w*"|401)\s*,\s*"message"\s*:\s*"(Invalid JWT|Missing authorization header)`)},
	{"Vercel's deployment protection", "gateway-refuses", "Register the URL of the production domain, or turn Deployment Protection off for this deployment: Kindly can't log in." + fixOpen,
		[]int{401, 403}, "", nil, regexp.MustCompile(`vercel\.com/sso|Vercel Authentication`)},
	{"a server that wants a client certificate", "gateway-refuses", "Take the client certificate off the webhook's path (nginx: ssl_verify_client off, or optional): Kindly has none." + fixOpen,
		[]int{400, 401, 403, 495, 496}, "", nil, regexp.MustCompile(`(?i)no required ssl certificate|client certificate (is )?(required|missing|needed)|requires? (a )?client certificate`)},
	{"a server of files, to which the request came instead of to the app", "webhook-takes-no-post", "Let that server pass the webhook's path on to the app (nginx: location … { proxy_pass …; }, Apache: ProxyPass): it looks for a file there, and takes no POST.",
		[]int{405}, "", nil, regexp.MustCompile(`(?i)<center>(nginx|openresty|tengine)|<Code>MethodNotAllowed</Code>|requested method POST is not allowed for (this|the) URL|HTTP verb used to access this page`)},
	{"an API gateway, which wants a key of its own", "gateway-refuses", "Let the webhook's route do without the gateway's key (Azure API Management: no subscription required; Kong: no key-auth plugin): Kindly has none." + fixOpen,
		[]int{401, 403}, "", nil, regexp.MustCompile(`(?:missing|invalid) subscription key|No API key found in request`)},
	{"an API gateway, which judges the token by its own rules", "gateway-takes-token", "Take the gateway's check of JWTs off the webhook's route (Kong: the plugin jwt; Istio: RequestAuthentication): it knows neither Kindly's issuer nor your key." + fixOpen,
		[]int{401, 403}, "", nil, regexp.MustCompile(`No credentials found for given '|No mandatory '\w+' in claims|Jwt (?:issuer is not configured|verification fails|is not in the form|header is|is expired)|Jwks doesn't have`)},
	{"an API gateway, which judges the token by its own rules", "gateway-takes-token", "Take the gateway's check of access tokens off the webhook's route (Azure API Management: validate-jwt; Apigee: the OAuthV2 policy; Tyk, WSO2, Gravitee: make the API open or keyless): it knows only tokens of its own." + fixOpen,
		[]int{400, 401, 403}, "", nil, regexp.MustCompile(`Unauthorized\. Access token is missing or invalid|"JWT not present|"faultstring"\s*:\s*"(?:Invalid [Aa]ccess [Tt]oken|Access Token expired|Failed to (?:decode|verify|Decode|Verify))|keymanagement\.service|"Authorization field missing"|Access to this API has been disallowed|"Key not authori[sz]ed|"code"\s*:\s*"?9009\d\d\b`)},
	{"an API gateway, which checks signatures of its own", "gateway-refuses", "Take the gateway's own check of HMACs off the webhook's route (Kong: the plugin hmac-auth): it is another one than Kindly's, and reads it from Authorization." + fixOpen,
		[]int{401, 403}, "", nil, regexp.MustCompile(`for HMAC Authentication|HMAC signature (?:cannot be verified|does not match)`)},
	{"an API gateway, which checks signatures of its own", "gateway-refuses", "Take the gateway's own check of HMACs off the webhook's route (Kong: the plugin hmac-auth): it is another one than Kindly's, and reads it from Authorization." + fixOpen,
		[]int{401}, "Www-Authenticate", regexp.MustCompile(`(?i)^hmac\b`), nil},
	{"the platform's own check of tokens, before the webhook's code", "gateway-takes-token", "Take the webhook's route out of that check, which reads every Authorization header: Strapi: auth: false in the route's config; WordPress: the JWT plugin's list of excluded routes; PostgREST, Supabase, Directus: a route of your own beside them." + fixOpen,
		[]int{401, 403}, "", nil, regexp.MustCompile(`"UnauthorizedError"\s*,\s*"message"\s*:\s*"Missing or invalid credentials"|"jwt_auth_\w+"|"PGRST30\d"|"extensions"\s*:\s*\{\s*"code"\s*:\s*"INVALID_(?:CREDENTIALS|TOKEN)"|Could not verify JWT`)},
	{"a login before the app", "gateway-refuses", "Take the webhook's path out of that login (nginx: auth_request off, auth_basic off; oauth2-proxy: skip_auth_routes; Authelia: policy bypass; Traefik: no forwardAuth on the router): Kindly can't log in." + fixOpen,
		[]int{401, 403}, "", nil, regexp.MustCompile(`<center><h1>401 Authorization Required</h1></center>|/oauth2/(?:start|sign_in)|(?i:oauth2[- ]proxy|authelia|authentik|keycloak gatekeeper)`)},
	{"Azure: the app is stopped", "gateway-without-service", "Start the app (App Service: Overview, Start), and see whether a quota of its plan is used up.",
		[]int{403, 503}, "", nil, regexp.MustCompile(`This web app is stopped|<title>Web App - Unavailable`)},
	{"the web server: the app behind it does not start", "gateway-without-service", "Look into the app's log at its start (IIS: stdoutLogEnabled, the event log; Passenger: passenger.log): mostly a setting, a secret or the right version of the runtime is missing there.",
		[]int{500, 502, 503}, "", nil, regexp.MustCompile(`HTTP Error 50\d\.3\d|HTTP Error 50\d\.\d+ - (?:ANCM|ASP\.NET)|[Aa]pplication could not be started|HTTP Error 503\. The service is unavailable`)},
	{"the site's maintenance mode", "gateway-without-service", "End the maintenance mode: WordPress: delete the file .maintenance; Laravel: php artisan up; Heroku: heroku maintenance:off. A webhook that must answer meanwhile is best excepted from it.",
		[]int{503}, "", nil, regexp.MustCompile(`(?i)scheduled maintenance|maintenance mode|under(?:going)? maintenance|offline for maintenance|<title>Maintenance</title>|<title>Service Unavailable</title>[\s\S]*>\s*503\s*<`)},
	{"Netlify: the function fails, or its answer is none that Netlify understands", "gateway-without-service", "Look into the function's log. Its answer must be {statusCode: 200, headers: {…}, body: \"…\"}, with body a string, or a Response.",
		[]int{500, 502}, "", nil, regexp.MustCompile(`error decoding lambda response`)},
	{"php-fpm, which does not find the script", "webhook-not-found", "Let the web server and php-fpm mean the same file: fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name, and a root that is there in php-fpm's container too.",
		[]int{404}, "", nil, regexp.MustCompile(`^\s*(?:File not found\.|No input file specified\.)\s*$`)},
	{"a service mesh, which lets nobody in whom it does not know", "gateway-refuses", "Write an AuthorizationPolicy that allows POSTs to the webhook's path without an identity." + fixOpen,
		[]int{403}, "", nil, regexp.MustCompile(`^RBAC: access denied`)},
	{"Google's Identity-Aware Proxy", "gateway-refuses", "Take the webhook's path out of IAP: Kindly has no Google identity, and IAP reads Authorization itself." + fixOpen,
		[]int{401, 403}, "", nil, regexp.MustCompile(`Invalid IAP credentials`)},
	{"a tunnel, which shows its own page first", "gateway-refuses", "Use a tunnel without such a page (ngrok, cloudflared): Kindly sends no header that leaves it out.",
		[]int{401, 403, 511}, "", nil, regexp.MustCompile(`(?i)tunnel website ahead|tunnel password`)},
	{"a gateway, which has no route for it", "webhook-not-found", "Look at the gateway's routes: host, path and method (POST) of the webhook must be among them.",
		[]int{404}, "", nil, regexp.MustCompile(`no Route matched with those values|Requested entity was not found|No matching (?:route|resource) found`)},
	{"Railway: there is no such app", "webhook-not-found", "Register the host of an app that is there, and see that it has a public domain.", []int{404}, "", nil, regexp.MustCompile(`"message"\s*:\s*"Application not found"`)},
	{"Heroku: there is no such app", "webhook-not-found", "Register the host of an app that is there: its name may have changed, with a suffix of letters and digits.", []int{404}, "", nil, regexp.MustCompile(`Heroku \| No such app`)},
	{"Vercel: the function takes too long", "gateway-without-service", "Let the function answer within seconds: Vercel waits for it no longer, and neither does the user. Mostly it waits for something that never comes: a database, a promise, an answer that is not sent.",
		[]int{504}, "", nil, regexp.MustCompile(`FUNCTION_INVOCATION_TIMEOUT`)},
	{"Vercel: the function fails", "gateway-without-service", "Look into the function's log at Vercel.", []int{500, 502, 504}, "X-Vercel-Error", nil, nil},
	{"Vercel: there is no such deployment", "webhook-not-found", "Register the URL of a deployment that is there.", []int{404}, "X-Vercel-Error", nil, nil},
	{"ngrok: the tunnel is not open, or nothing is behind it", "gateway-without-service", "Start the tunnel and the app behind it, and register the tunnel's present URL: it changes at each start unless a domain is reserved.", nil, "Ngrok-Error-Code", nil, nil},
	{"ngrok: the tunnel is not open, or nothing is behind it", "gateway-without-service", "Start the tunnel and the app behind it, and register the tunnel's present URL: it changes at each start unless a domain is reserved.", []int{404, 502, 503}, "", nil, regexp.MustCompile(`ERR_NGROK_`)},
	{"Cloudflare: the server behind it does not answer", "gateway-without-service", "See that the server behind Cloudflare runs, lets Cloudflare in, and has a certificate that fits the SSL mode (525 and 526 are about that one).",
		[]int{520, 521, 522, 523, 524, 525, 526, 530}, "", nil, nil},
	{"Cloudflare, which takes Kindly for a bot", "gateway-refuses", "Write a rule at Cloudflare that skips the bot and firewall checks for POSTs to the webhook's path: Kindly runs no script in answer." + fixOpen,
		[]int{403, 429, 503}, "Server", regexp.MustCompile(`(?i)^cloudflare`), regexp.MustCompile(`(?i)<(html|!doctype html)|error code: 10\d\d`)},
	{"the framework's CSRF check", "webhook-wants-csrf", "Take the webhook's route out of the CSRF check, which is for browsers' forms: @csrf_exempt (Django), routes/api.php or validateCsrfTokens(except: …) (Laravel), skip_forgery_protection (Rails), csrf.ignoringRequestMatchers (Spring).",
		[]int{400, 403, 419, 422}, "", nil, regexp.MustCompile(`(?i)\bcsrf\b|xsrf|page expired|InvalidAuthenticityToken|anti-?forgery|change you wanted was rejected`)},
	{"the framework, which has no such route", "webhook-not-found", "", []int{404}, "", nil,
		regexp.MustCompile(`Cannot POST /|The requested URL was not found on (this|the) server|No route matches|^\s*\{"detail":"Not Found"\}|The route \S+ could not be found|^404 page not found\s*$|default backend - 404|No static resource|"rest_no_route"|"error":"Not Found","path":`)},
	{"the framework, which does not know the host by which it is called", "gateway-refuses", "Name the webhook's public host among those that the framework serves: ALLOWED_HOSTS (Django), config.hosts (Rails), server.allowedHosts (Vite), AllowedHosts (ASP.NET).",
		[]int{400, 403, 404, 421}, "", nil, regexp.MustCompile(`Invalid HTTP_HOST header|DisallowedHost|<h1>Bad Request \(400\)</h1>|Blocked hosts?:|This host \([^)]*\) is not allowed|Invalid [Hh]ost header|<h2>Bad Request - Invalid Hostname</h2>`)},
	{"a list of addresses that may call", "gateway-refuses", "Let requests to the webhook's path through from any address, or from all that Kindly calls from (ask Kindly for them)." + fixOpen,
		[]int{401, 403}, "", nil, regexp.MustCompile(`(?i)\bIP\b.{0,60}\b(?:not|isn't|blocked|denied|forbidden)\b|not (?:on|in) (?:the )?(?:ip )?(?:allow|white) ?-?list|IPAddress.{0,30}(?:denied|forbidden)`)},
	{"a firewall", "gateway-refuses", "Let POSTs to the webhook's path through, from Kindly's addresses and whatever their User-Agent." + fixOpen,
		[]int{401, 403, 406}, "", nil, regexp.MustCompile(`(?i)incapsula|imperva|sucuri|mod_security|modsecurity|request blocked|request rejected|web application firewall|errors\.edgesuite|\bReference (#|&#35;)`)},
	{"a firewall", "gateway-refuses", "Let POSTs to the webhook's path through, from Kindly's addresses and whatever their User-Agent." + fixOpen,
		[]int{401, 403, 406}, "Server", regexp.MustCompile(`(?i)^(AkamaiGHost|Microsoft-Azure-Application-Gateway|BigIP|awselb|CloudFront|Varnish|imperva)`), regexp.MustCompile(`(?i)<(html|!doctype html)`)},
}

// frontOf knows who has answered in a webhook's place; nil where it may be itself.
func frontOf(ex wire.Exchange) *front {
	if ex.Response == nil || ex.Status() < 400 {
		return nil
	}
	i := slices.IndexFunc(fronts, func(f front) bool {
		if len(f.status) > 0 && !slices.Contains(f.status, ex.Status()) {
			return false
		}
		values := ex.Response.Header.Values(f.header)
		if f.header != "" && !slices.ContainsFunc(values, func(v string) bool { return f.value == nil || f.value.MatchString(v) }) {
			return false
		}
		return f.body == nil || f.body.Match(ex.Body()[:min(len(ex.Body()), 16<<10)])
	})
	if i < 0 {
		return nil
	}
	return &fronts[i]
}

// nowhere is a path at which nobody serves a webhook.
const nowhere = "kindlytest-nowhere"

// elsewhere is a request to a path beside its own at which nothing can be, and the
// paths of both.
func elsewhere(r wire.Request) (wire.Request, []string) {
	r = r.Clone()
	paths := []string{nowhere}
	onPath(func(p string) string {
		paths = append(paths, p)
		return p[:strings.LastIndex(p, "/")+1] + nowhere
	})(&r)
	return r, paths
}

// servesNobody says whether a path beside the webhook's, at which nothing can be,
// gets the very answer that the webhook gets.
func (h *Webhook) servesNobody(ctx context.Context, st *Standing) bool {
	seen := st.Control().Exchange
	r, paths := elsewhere(seen.Request)
	ev := h.Session.Do(trying(ctx, "RESP-STATUS"), "to a path that can't be served", r)
	if ev.Exchange.Response == nil || ev.Exchange.Status() != seen.Status() {
		return false
	}
	without := func(ex wire.Exchange) string {
		text := string(ex.Body()[:min(len(ex.Body()), 4096)])
		for _, p := range paths {
			text = strings.ReplaceAll(text, p[strings.LastIndex(p, "/")+1:], "")
		}
		return text
	}
	return without(ev.Exchange) == without(seen)
}

// tryFronts knows what answers in the webhook's place.
func (h *Webhook) tryFronts(st *Standing) bool {
	ev := st.Control()
	f := frontOf(ev.Exchange)
	if f == nil {
		return false
	}
	check := "RESP-STATUS"
	if h.AcceptableStatus(st.Stranger[0]) {
		check = "HOOK-VALID"
	}
	st.Fault = h.fault(check, f.cause, ev)
	st.Fault.Who, st.Fault.Fix, st.Fault.Inferred = f.who, f.fix, true
	return true
}

// tryBrowser looks whether it is the User-Agent that a filter of robots refuses.
func (h *Webhook) tryBrowser(ctx context.Context, st *Standing) bool {
	ev := st.Control()
	if s := ev.Exchange.Status(); s != http.StatusForbidden && s != http.StatusNotAcceptable || !IsPage(ev.Exchange) {
		return false
	}
	r := ev.Exchange.Request.Clone()
	r.Header.Set("User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36")
	as := h.Session.Do(trying(ctx, "RESP-STATUS"), "with the User-Agent of a browser", r)
	if !h.Acceptable(as) {
		return false
	}
	st.Fault = h.fault("RESP-STATUS", "gateway-refuses", ev)
	st.Fault.Who = "a filter of robots"
	st.Fault.Instead = &Mended{Cause: "gateway-refuses", Name: "the same with the User-Agent of a browser", Fix: "Let POSTs to the webhook's path through, whatever their User-Agent." + fixOpen, Seen: as}
	return true
}
