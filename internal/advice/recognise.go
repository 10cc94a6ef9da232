package advice

import (
	"bytes"
	"cmp"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Signs are what gives a server away: the names of its cookies, headers and
// errors. They come from strangers, and are looked at, never shown.
type Signs struct {
	found map[string]map[string]int // stack → sign → how often
}

// A mark is one sign of a stack.
type mark struct {
	stack string
	text  string // for the report: "the cookie JSESSIONID"
	// weight is 1 for what others do too, 3 for what only this stack does.
	weight int
	seen   func(status int, h http.Header, cookies []string, body []byte) bool
}

// marks name the library that is most used with a framework; which one it
// really is can't be seen from outside.
var marks = []mark{
	header("node-jsonwebtoken", "X-Powered-By", `(?i)^express\b`),
	header("node-jsonwebtoken", "X-Powered-By", `(?i)^next\.js\b`),
	header("node-jsonwebtoken", "X-Powered-By", `(?i)^nuxt\b`),
	cookie("node-jsonwebtoken", `^connect\.sid$`),
	inBody("node-jsonwebtoken", "Express's error page", `<pre>Cannot (?:GET|POST|PUT|DELETE) /`),
	header("python-pyjwt", "Server", `(?i)\b(?:gunicorn|uvicorn|hypercorn|daphne|werkzeug|waitress|wsgiserver|cpython|tornadoserver|python/\d)`),
	cookie("python-pyjwt", `^csrftoken$`),
	cookie("python-pyjwt", `^sessionid$`).weighing(1),
	inBody("python-pyjwt", "Django's or Flask's error page", `(?s)<title>(?:CSRF verification failed|\d{3} [A-Z][\w ]+</title>\s*<h1>|.*Django)`).weighing(2),
	header("php-firebase-jwt", "X-Powered-By", `(?i)^php/`),
	cookie("php-firebase-jwt", `^(?:PHPSESSID|laravel_session|symfony|ci_session|wordpress_logged_in.*)$`),
	cookie("java-nimbus", `^JSESSIONID$`),
	header("java-nimbus", "Server", `(?i)\b(?:jetty|apache-coyote|tomcat|undertow|wildfly|payara|glassfish)`),
	header("java-nimbus", "X-Application-Context", `.`),
	inBody("java-nimbus", "Spring's error object", `(?s)^\s*\{"timestamp":.*"status":.*"error":.*"path":`),
	header("csharp-microsoft", "Server", `(?i)\b(?:kestrel|microsoft-iis)`),
	header("csharp-microsoft", "X-Powered-By", `(?i)^asp\.net`),
	header("csharp-microsoft", "X-Aspnet-Version", `.`),
	cookie("csharp-microsoft", `^(?:\.AspNetCore\..*|\.ASPXAUTH|ASP\.NET_SessionId)$`),
	{"go-golang-jwt", "errors as Go's net/http writes them", 2, goError},
}

func (m mark) weighing(n int) mark { m.weight = n; return m }

func header(stack, name, pattern string) mark {
	re := regexp.MustCompile(pattern)
	return mark{stack, "the header " + name, 3, func(_ int, h http.Header, _ []string, _ []byte) bool {
		return re.MatchString(h.Get(name))
	}}
}

func cookie(stack, pattern string) mark {
	re := regexp.MustCompile(pattern)
	return mark{stack, "the names of its cookies", 3, func(_ int, _ http.Header, cookies []string, _ []byte) bool {
		return slices.ContainsFunc(cookies, re.MatchString)
	}}
}

func inBody(stack, text, pattern string) mark {
	re := regexp.MustCompile(pattern)
	return mark{stack, text, 3, func(status int, _ http.Header, _ []string, body []byte) bool {
		return status >= 400 && re.Match(body[:min(len(body), 4<<10)])
	}}
}

// goError knows what http.Error and the mux of Go write: no other server does
// all of it.
func goError(status int, h http.Header, _ []string, body []byte) bool {
	mediaType, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && status >= 400 && mediaType == "text/plain" && parameters["charset"] == "utf-8" &&
		h.Get("X-Content-Type-Options") == "nosniff" && h.Get("Server") == "" && h.Get("X-Powered-By") == "" &&
		bytes.HasSuffix(body, []byte("\n")) && len(body) < 200
}

// See looks at an answer and at the names of the cookies that go to the server.
func (s *Signs) See(status int, h http.Header, cookies []string, body []byte) {
	for _, line := range h.Values("Set-Cookie") {
		name, _, _ := strings.Cut(line, "=")
		cookies = append(cookies[:len(cookies):len(cookies)], strings.TrimSpace(name))
	}
	for _, m := range marks {
		if !m.seen(status, h, cookies, body) {
			continue
		}
		if s.found == nil {
			s.found = map[string]map[string]int{}
		}
		if s.found[m.stack] == nil {
			s.found[m.stack] = map[string]int{}
		}
		s.found[m.stack][m.text] = max(s.found[m.stack][m.text], m.weight)
	}
}

// enough is the weight from which on a stack is named at all.
const enough = 2

// Stack is the stack that the signs speak for, and which they are. Where they
// speak for none, or for two alike (such as a proxy in another language), it is
// "": a sample in the wrong language helps nobody.
func (s *Signs) Stack() (name string, signs []string) {
	type score struct {
		stack  string
		weight int
	}
	var scores []score
	for stack, texts := range s.found {
		total := 0
		for _, weight := range texts {
			total += weight
		}
		scores = append(scores, score{stack, total})
	}
	slices.SortFunc(scores, func(a, b score) int { return cmp.Compare(b.weight, a.weight) })
	if len(scores) == 0 || scores[0].weight < enough || len(scores) > 1 && scores[1].weight == scores[0].weight {
		return "", nil
	}
	name = scores[0].stack
	for text := range s.found[name] {
		signs = append(signs, text)
	}
	slices.Sort(signs)
	return name, signs
}
