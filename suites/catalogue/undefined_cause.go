package catalogue

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// An absence is a chat client that found no getAuthToken where it looks.
type absence struct {
	visit *subject.Visit
	type_ string // of what it found in its place: "undefined", "object", …
	now   browser.Presence
	later func() (browser.Presence, bool) // once it has come, if it does
}

// absenceCauses are looked at in this order: what is sure, and costs no time, first.
var absenceCauses = []struct {
	id, fix string
	tell    func(a *absence) string
	closer  []closerFix
}{
	{"callback-no-function", "Give the function itself, not what a call of it gives: getAuthToken: getToken, and not getToken(). Kindly calls it, with the chat's id.", noFunction, nil},
	{"callback-misnamed", "Set window.kindlyOptions = {getAuthToken}: by that name to the letter, as a member of that object.", misnamed, nil},
	{"callback-in-other-document", "Load the chat client in the document that sets window.kindlyOptions: a frame has a window of its own.", inOtherDocument, nil},
	{"callback-script-not-run", "Mend what keeps the script from running: without it there is no getAuthToken.", scriptNotRun, []closerFix{
		{regexp.MustCompile(`^the page's Content-Security-Policy`), "Give the script the policy's nonce or hash, or move it into a file of an origin that script-src allows."},
		{regexp.MustCompile(`stands in a script of type`), "Let that script run at once: take it out of what holds scripts back (a plugin that delays JavaScript, as WP Rocket, Rocket Loader and Partytown do; a consent tool), or hold the chat client back in the same way, behind it."},
		{regexp.MustCompile(`Cannot use import statement|Unexpected token '?export|import\.meta`), "The script is a module, and its tag does not say so: type=\"module\"; or build it to a classic one. Modules run late: let the chat client be loaded after it (insert its script element there)."},
		{regexp.MustCompile(`Unexpected token '?&`), "The template writes quotes and brackets as HTML (&quot;, &#x27;), which a script does not read: write values into it as JSON, unescaped (Jinja, Django: |tojson, json_script; Twig: |json_encode|raw; Razor: Html.Raw(Json.Serialize(…)); EJS: <%- JSON.stringify(…) %>; Thymeleaf: th:inline)."},
		{regexp.MustCompile(`Unexpected token '?(?:\{|<|%|#)|Unexpected identifier|Unexpected end of input|Invalid or unexpected token`), "Look at the page's source at that line: it is what the browser got, mostly a template's own signs that nothing has filled in, or quotes and line ends within a text."},
		{regexp.MustCompile(`is not defined|undefined|null`), "Mend what it falls over: mostly it reads what another script, or the document, does not have yet. Set window.kindlyOptions before that, in a script of its own: what stands behind an error does not run."},
		{regexp.MustCompile(`text/html`), "Compare the script's URL with where it is served: a page for people answers there."}}},
	{"callback-late", "Set window.kindlyOptions before Kindly's script element, in a script that is neither a module nor deferred; or insert that element once it is set.", late, nil},
	{"callback-overwritten", "Write the options once, with all members, or add to them: window.kindlyOptions = Object.assign(window.kindlyOptions || {}, {…}).", overwritten, nil},
	{"callback-not-global", "Write window.kindlyOptions = {…}: what const and let declare, or var in a function or a module, is not on window.", notGlobal, nil},
}

// judgeAbsence says why a chat client found no callback.
func judgeAbsence(ctx context.Context, v *subject.Visit) subject.Verdict {
	c := v.Start()
	a := &absence{visit: v, type_: c.Callback, now: v.Look(ctx), later: func() (browser.Presence, bool) { return v.Await(ctx) }}
	verdict := func(more string) subject.Verdict {
		return subject.Violated("a function getAuthToken on window.kindlyOptions",
			fmt.Sprintf("when the chat client started, getAuthToken was %s (options object: %s)%s", orNone(c.Callback), orNone(c.Options), more))
	}
	for _, cause := range absenceCauses {
		if text := cause.tell(a); text != "" {
			return verdict("; " + text).Because(cause.id).Fix(callbackCause{fix: cause.fix, closer: cause.closer}.fixFor(text, ""))
		}
	}
	return verdict("")
}

func noFunction(a *absence) string {
	switch a.type_ {
	case "", "undefined", "null":
		return ""
	case "object":
		if a.now.Promise {
			return "it is a promise: the page calls the function itself, before there is a chat"
		}
	}
	return "it is no function"
}

func misnamed(a *absence) string {
	if a.now.Callback == "function" || a.now.Elsewhere == "" {
		return ""
	}
	return "there is a function " + a.now.Elsewhere
}

func inOtherDocument(a *absence) string {
	if a.now.Callback != "function" || a.now.Client {
		return ""
	}
	return "it is there in another document of the page than the chat client's"
}

var (
	mention       = regexp.MustCompile(`\bgetAuthToken\b`)
	ofOptions     = regexp.MustCompile(`\b(?:const|let|var)\s+kindlyOptions\b`)
	policyOnCode  = regexp.MustCompile(`^(?:script-src|default-src)`)
	policyOnCodes = []string{"kInlineViolation", "kURLViolation"}
)

// scriptNotRun tells a script that has getAuthToken in it, or may have, and that
// the browser does not run, or not to its end.
func scriptNotRun(a *absence) string {
	if a.now.Callback == "function" {
		return ""
	}
	has := map[string]bool{} // by URL, whether the callback is in it
	anywhere := false
	var missing []string
	for _, r := range a.visit.Record.Requests {
		if r.Kindly || r.ResourceType != "Document" && r.ResourceType != "Script" {
			continue
		}
		here := mention.Match(r.ResponseBody)
		has[r.URL], anywhere = has[r.URL] || here, anywhere || here
		if r.ResourceType == "Script" && (r.Status >= 400 || r.Status == 0 && r.Error != "" && r.BlockedReason == "" || r.Status/100 == 2 && subject.IsHTML(r)) {
			missing = append(missing, subject.Answered(r, a.visit.ChatURL()))
		}
	}
	if text := inInertScript(a.visit); text != "" {
		return text
	}
	for _, c := range a.visit.Record.CSP {
		if c.ReportOnly || !policyOnCode.MatchString(c.Directive) || !slices.Contains(policyOnCodes, c.Kind) {
			continue
		}
		switch blocked := redact.URL(c.BlockedURL); {
		case c.BlockedURL == "" && has[c.SourceURL]:
			return fmt.Sprintf("the page's Content-Security-Policy (%s) keeps the browser from running the script in the page at line %d", c.Directive, c.Line)
		case c.BlockedURL != "" && !anywhere:
			return fmt.Sprintf("the page's Content-Security-Policy (%s) keeps the browser from loading %s, and nothing else has a getAuthToken", c.Directive, blocked)
		}
	}
	if line, text, ended := endsWith(a.visit, mention); ended {
		return fmt.Sprintf("the script that has it ends at line %d: %s", line, text)
	}
	if !anywhere && len(missing) > 0 {
		return "nothing that the page loads has a getAuthToken, and a script is missing: " + strings.Join(missing[:min(2, len(missing))], "; ")
	}
	return ""
}

var (
	scriptTag  = regexp.MustCompile(`(?is)<script\b([^>]*)>(.*?)</script`)
	typeOf     = regexp.MustCompile(`(?i)(?:^|\s)type\s*=\s*["']?([^"'\s>]+)`)
	dataScript = regexp.MustCompile(`(?i)json|template|html|importmap|speculationrules|shader|mustache|handlebars`)
)

// inInertScript tells a script in the document that has the callback, and a type by which
// no browser runs it; unless another has it, too.
func inInertScript(v *subject.Visit) string {
	held := ""
	for _, r := range v.Record.Requests {
		if r.Kindly || r.ResourceType == "Script" && mention.Match(r.ResponseBody) {
			if !r.Kindly {
				return ""
			}
			continue
		}
		if r.ResourceType != "Document" {
			continue
		}
		for _, tag := range scriptTag.FindAllSubmatch(r.ResponseBody, 200) {
			if !mention.Match(tag[2]) {
				continue
			}
			kind := typeOf.FindSubmatch(tag[1])
			if kind == nil || runs(string(kind[1])) {
				return ""
			}
			if !dataScript.Match(kind[1]) {
				held = fmt.Sprintf("it stands in a script of type %q, which no browser runs until something changes that", subject.Bound(string(kind[1]), 80))
			}
		}
	}
	return held
}

func late(a *absence) string {
	if !pageHas(a.visit, mention) {
		return ""
	}
	if here, ok := a.later(); !ok || !here.Client {
		return ""
	}
	return "it is set later"
}

// assigned is a place where the options are written as a whole, and what of it follows.
var assigned = regexp.MustCompile(`\bkindlyOptions\s*=\s*([^=][^;]{0,40})`)

// overwritten tells a page that writes the options twice, the second time without the
// callback: it has an options object, which never gets one.
func overwritten(a *absence) string {
	if !a.now.Options || a.now.Callback == "function" || !pageHas(a.visit, mention) {
		return ""
	}
	whole := 0
	for _, r := range a.visit.Record.Requests {
		if r.Kindly || r.ResourceType != "Document" && r.ResourceType != "Script" {
			continue
		}
		for _, m := range assigned.FindAllSubmatch(r.ResponseBody, 20) {
			if !strings.Contains(string(m[1]), "kindlyOptions") && !strings.Contains(string(m[1]), "Object.assign") {
				whole++
			}
		}
	}
	if whole < 2 {
		return ""
	}
	return fmt.Sprintf("the page writes window.kindlyOptions as a whole in %d places, and what is there in the end has none", whole)
}

func notGlobal(a *absence) string {
	if !pageHas(a.visit, ofOptions) {
		return ""
	}
	return "the page declares kindlyOptions as a variable, and there is none on window"
}
