package catalogue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// What the callback makes of an answer, and what is wrong with the answer.

// notReturned tells a callback that did not wait for what it had asked for.
func notReturned(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.report.Outcome != "empty" || c.report.Type != "undefined" {
		return "", nil
	}
	early := c.report.Sync || c.report.Elapsed < time.Millisecond || c.report.Elapsed < c.last().Duration/2
	switch {
	case c.token && early:
		return "it gave undefined though " + c.asks() + " brought a token", nil
	case c.report.Sync:
		return "it gave undefined at once, while " + c.asks() + " was on its way", nil
	}
	return "", nil
}

func (c *call) asks() string {
	text, _, _ := strings.Cut(c.answered(*c.asked), ": ")
	return text
}

func wholeAnswer(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.report.Outcome != "not-a-string" || !c.token {
		return "", nil
	}
	return c.gave + "; the token is in the answer of " + c.asks(), nil
}

// givesObject tells a callback that gives something else than a text, and no token in it.
func givesObject(c *call) (string, []subject.Evidence) {
	if c.report.Outcome != "not-a-string" {
		return "", nil
	}
	if what := c.is(); what != "" {
		return c.gave + ": it is " + what, nil
	}
	return c.gave, nil
}

// returnsNothing is a function that makes JSON of an answer and keeps it to itself.
var returnsNothing = regexp.MustCompile(`(?:=>|\))\s*\{\s*(?:await\s+)?\w+\.json\(\);?\s*\}`)

// notReturnedWithin tells a chain of promises of which one link hands on nothing.
func notReturnedWithin(c *call) (string, []subject.Evidence) {
	if c.asked == nil || !c.token || !readsNothing.MatchString(c.report.Error) || !pageHas(c.visit, returnsNothing) {
		return "", nil
	}
	return "in the page, a function reads the answer's JSON within braces and returns nothing; " + c.gave, nil
}

// encodedTwice tells an answer that is a JSON string, with the JSON in it.
func encodedTwice(c *call) (string, []subject.Evidence) {
	if c.asked == nil || !c.token {
		return "", nil
	}
	var text string
	if json.Unmarshal(c.last().ResponseBody, &text) != nil || tokenMember([]byte(text)) == "" {
		return "", nil
	}
	return "the answer of " + c.asks() + " is a text with JSON in it, not an object; " + c.gave, nil
}

// unawaited is an answer's JSON that is put somewhere without waiting for it.
var unawaited = regexp.MustCompile(`=\s*[\w.]+\.json\(\)`)

// notAwaited tells a page that reads a promise, or what will have come later.
func notAwaited(c *call) (string, []subject.Evidence) {
	if c.asked != nil && c.token && c.report.Outcome == "empty" && c.report.Sync {
		return "it gave " + c.empty() + " at once, while " + c.asks() + " was on its way", nil
	}
	if c.asked == nil || !c.token || c.report.Outcome != "empty" || tokenMember(c.last().ResponseBody) != "token" || !pageHas(c.visit, unawaited) {
		return "", nil
	}
	return "it gave " + c.report.Type + ", though the answer of " + c.asks() + " has `token`, and the page reads that", nil
}

// empty is what a callback gave that gave nothing.
func (c *call) empty() string {
	if c.report.Type == "string" {
		return "an empty text"
	}
	return c.report.Type
}

// readsTextAsJSON tells an answer that is the token itself, of which the page reads
// JSON.
func readsTextAsJSON(c *call) (string, []subject.Evidence) {
	if !c.token || !c.readsNoJSON() || !compact.Match(bytes.TrimSpace(c.last().ResponseBody)) {
		return "", nil
	}
	return "the answer of " + c.asks() + " is the token itself, a text and no JSON; " + c.gave, nil
}

// mixedAnswer tells an answer that has the JSON with the token in it, and more.
func mixedAnswer(c *call) (string, []subject.Evidence) {
	if !c.token || !c.readsNoJSON() {
		return "", nil
	}
	body := bytes.TrimSpace(c.last().ResponseBody)
	at := bytes.IndexByte(body, '{')
	if at < 0 {
		return "", nil
	}
	var answer map[string]any
	d := json.NewDecoder(bytes.NewReader(body[at:]))
	if d.Decode(&answer) != nil || memberWithToken(answer, "", 4) == "" {
		return "", nil
	}
	where := "before"
	if at == 0 {
		where = "behind"
	}
	return "in the answer of " + c.asks() + ", something stands " + where + " the JSON with the token; " + c.gave, nil
}

// readsNoJSON says whether an answer that is no JSON is what a callback fell over, or
// may be.
func (c *call) readsNoJSON() bool {
	return c.asked != nil && !json.Valid(c.last().ResponseBody) && (c.report.Outcome == "empty" || notJSON.MatchString(c.report.Error))
}

// notJSON is what browsers throw of a text that is no JSON.
var notJSON = regexp.MustCompile(`(?i)not valid JSON|JSON\.parse|in JSON at position|JSON Parse error|Unexpected token|JSON input`)

func memberName(c *call) (string, []subject.Evidence) {
	misses := c.report.Outcome == "empty" || readsNothing.MatchString(c.report.Error)
	if c.asked == nil || !c.token || !misses {
		return "", nil
	}
	name, at := tokenMember(c.last().ResponseBody), ""
	if c.report.Error != "" {
		return fmt.Sprintf("the answer of %s has `%s`: %s", c.asks(), name, c.gave), nil
	}
	if header := headerWithToken(c.last().ResponseHeader); name == "" && header != "" {
		return "it gave " + c.report.Type + ", though the answer of " + c.asks() + " has a token in its header " + header, nil
	}
	if name == "" {
		return "it gave " + c.report.Type + ", though the answer of " + c.asks() + " holds a token", nil
	}
	if name != "token" && readsToken(c.visit) {
		at = ", the page reads `token`"
	}
	return fmt.Sprintf("the answer of %s has `%s`%s: it gave %s", c.asks(), name, at, c.report.Type), nil
}

// headerWithToken is the header of an answer that holds a token; "" if none does.
func headerWithToken(h http.Header) string {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if name != "Set-Cookie" && slices.ContainsFunc(h[name], func(v string) bool { return compact.MatchString(strings.TrimPrefix(v, "Bearer ")) }) {
			return name
		}
	}
	return ""
}

// readsNothing is what browsers throw where a member is read of what is not there.
var readsNothing = regexp.MustCompile(`(?i)cannot read propert\w+ (?:of |'\w+' of )(?:undefined|null)|(?:undefined|null) is not an object|can't access property`)

// compact is what a token looks like.
var compact = regexp.MustCompile(`^ey[\w-]+\.[\w-]+\.[\w-]*$`)

// tokenMember is the path of the member of a JSON answer that holds a token.
func tokenMember(body []byte) string {
	var answer any
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	return memberWithToken(answer, "", 4)
}

func memberWithToken(v any, path string, depth int) string {
	switch v := v.(type) {
	case string:
		if compact.MatchString(v) {
			return path
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if found := memberWithToken(v[name], strings.TrimPrefix(path+"."+name, "."), depth-1); depth > 0 && found != "" {
				return found
			}
		}
	}
	return ""
}

var tokenRead = regexp.MustCompile(`\.token\b|\[["']token["']\]|[{,]\s*token\s*[},:]`)

// readsToken says whether the page's own code reads a member called token.
func readsToken(v *subject.Visit) bool { return pageHas(v, tokenRead) }

// pageHas says whether the page's own code has something.
func pageHas(v *subject.Visit, what *regexp.Regexp) bool {
	return slices.ContainsFunc(v.Record.Requests, func(r browser.Request) bool {
		return !r.Kindly && (r.ResourceType == "Document" || r.ResourceType == "Script") && what.Match(r.ResponseBody)
	})
}

func htmlAnswer(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.token || c.last().Status/100 != 2 || !subject.IsHTML(c.last()) {
		return "", nil
	}
	return c.answered(c.last()), nil
}

func envelope(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.token || c.last().Status/100 != 2 {
		return "", nil
	}
	var answer map[string]any
	if json.Unmarshal(c.last().ResponseBody, &answer) != nil {
		return "", nil
	}
	status, _ := answer["statusCode"].(float64)
	if n, ok := answer["status"].(float64); ok && status == 0 {
		status = n
	}
	failed := answer["success"] == false || answer["ok"] == false
	for _, name := range []string{"error", "errors"} {
		failed = failed || answer[name] != nil && answer[name] != false && answer[name] != ""
	}
	if _, inBody := answer["body"]; status < 400 && !failed && !(inBody && status != 0) {
		return "", nil
	}
	members := slices.Sorted(maps.Keys(answer))
	return fmt.Sprintf("%s: the answer is an envelope {%s} without a token", c.answered(c.last()), strings.Join(members[:min(6, len(members))], ", ")), nil
}

// unreadableAnswer tells an answer that came and could not be read.
func unreadableAnswer(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.last().Status/100 != 2 || c.last().Error == "" || c.last().CORSError != "" {
		return "", nil
	}
	return c.answered(c.last()) + ": " + c.last().Error + "; " + c.gave, nil
}

func withoutToken(c *call) (string, []subject.Evidence) {
	if c.asked == nil || c.token || c.last().Status/100 != 2 {
		return "", nil
	}
	return c.answered(c.last()) + ": the answer holds no token; " + c.gave, nil
}

func throws(c *call) (string, []subject.Evidence) {
	if c.report.Outcome != "threw" && c.report.Outcome != "rejected" {
		return "", nil
	}
	return c.gave, nil
}

func asksNobody(c *call) (string, []subject.Evidence) {
	if c.asked != nil {
		return "", nil
	}
	return c.gave, nil
}
