package catalogue

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
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
		{regexp.MustCompile(`text/html`), "Compare the script's URL with where it is served: a page for people answers there."}}},
	{"callback-late", "Set window.kindlyOptions before Kindly's script element, in a script that is neither a module nor deferred; or insert that element once it is set.", late, nil},
	{"callback-not-global", "Write window.kindlyOptions = {…}: what const and let declare, or var in a function or a module, is not on window.", notGlobal, nil},
}

// judgeAbsence says why a chat client found no callback.
func judgeAbsence(ctx context.Context, v *subject.Visit) subject.Verdict {
	c := v.Started[0]
	a := &absence{visit: v, type_: c.Callback, now: v.Look(ctx), later: func() (browser.Presence, bool) { return v.Await(ctx) }}
	verdict := func(more string) subject.Verdict {
		return subject.Violated("a function getAuthToken on window.kindlyOptions",
			fmt.Sprintf("when the chat client started, getAuthToken was %s (options object: %s)%s", orNone(c.Callback), orNone(c.Options), more))
	}
	for _, cause := range absenceCauses {
		if text := cause.tell(a); text != "" {
			return verdict("; " + text).Because(cause.id).Fix(callbackCause{fix: cause.fix, closer: cause.closer}.fixFor(text))
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
	for _, c := range a.visit.Record.CSP {
		if c.ReportOnly || !policyOnCode.MatchString(c.Directive) || !slices.Contains(policyOnCodes, c.Kind) {
			continue
		}
		switch blocked := subject.SafeURL(c.BlockedURL); {
		case c.BlockedURL == "" && has[c.SourceURL]:
			return fmt.Sprintf("the page's Content-Security-Policy (%s) keeps the browser from running the script in the page at line %d", c.Directive, c.Line)
		case c.BlockedURL != "" && !anywhere:
			return fmt.Sprintf("the page's Content-Security-Policy (%s) keeps the browser from loading %s, and nothing else has a getAuthToken", c.Directive, blocked)
		}
	}
	for _, e := range a.visit.Record.Exceptions {
		if !e.Kindly && !e.Rejection && has[e.URL] {
			text, _, _ := strings.Cut(e.Text, "\n")
			return fmt.Sprintf("the script that has it ends at line %d: %s", e.Line, subject.Bound(text, 300))
		}
	}
	if !anywhere && len(missing) > 0 {
		return "nothing that the page loads has a getAuthToken, and a script is missing: " + strings.Join(missing[:min(2, len(missing))], "; ")
	}
	return ""
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

func notGlobal(a *absence) string {
	if !pageHas(a.visit, ofOptions) {
		return ""
	}
	return "the page declares kindlyOptions as a variable, and there is none on window"
}
