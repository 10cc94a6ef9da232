package catalogue

import (
	"bytes"
	"context"
	"fmt"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites/service"
	"github.com/kindlytest/kindlytest/suites/subject"
)

// Whether the page loads the chat client, once, and if not, what holds it up.

const widgetExpected = `a script element with id="kindly-chat", Kindly's URL and a data-bot-key`

var pageWidget = onPage(func(s *subject.Session, v *subject.Visit) subject.Verdict {
	verdict := judgeWidget(v, s.Target.BotKey)
	if src := mockClient(v); verdict.Kind == subject.Held && src != "" {
		s.Note(reports.Informed, "The page loads the chat client of kindlytest serve (%s), which this run answers in its place. "+
			"Users need Kindly's: https://chat.kindlycdn.com/kindly-chat.js.", redact.URL(src))
	}
	return verdict
})

// mockClient is the URL of the chat client if it is that of kindlytest serve.
func mockClient(v *subject.Visit) string {
	for _, c := range v.Started {
		if browser.MockClient(c.ScriptSrc) {
			return c.ScriptSrc
		}
	}
	return ""
}

// judgeWidget looks for Kindly's script element among those of the page, or
// else at what the chat client said of its own; and then, whether it started.
func judgeWidget(v *subject.Visit, botKey string) subject.Verdict {
	tags := kindlyTags(v)
	if len(tags) == 0 {
		return noTag(v)
	}
	sc := tags[0]
	switch {
	case sc.ID != "kindly-chat":
		return subject.Violated(widgetExpected, fmt.Sprintf("the script %s has the id %q", redact.URL(sc.Src), sc.ID)).Because("widget-id")
	case sc.Src == "" && lazySource(sc) != "":
		return held(fmt.Sprintf("the script tag has its URL in %s: something on the page holds it back until later", lazySource(sc)))
	case !isWidgetURL(sc.Src):
		return subject.Violated(widgetExpected, fmt.Sprintf("the script #kindly-chat comes from %q, not from https://chat.kindlycdn.com/", redact.URL(sc.Src))).Because("widget-host")
	case strings.TrimSpace(sc.BotKey) == "":
		return subject.Violated(widgetExpected, "data-bot-key is missing or empty").Because("widget-bot-key")
	case len(v.Started) == 0:
		return notStarted(v, sc)
	}
	for _, key := range append(botKeys(v), sc.BotKey) {
		if botKey != "" && key != botKey {
			return subject.Violated(fmt.Sprintf("data-bot-key=%q", botKey), fmt.Sprintf("data-bot-key=%q", key)).Because("widget-bot-key")
		}
	}
	if broke(v) {
		return broken(v)
	}
	return subject.Holds("%s with data-bot-key %q", redact.URL(sc.Src), sc.BotKey)
}

// broke says whether a client started and came to no chat, though nothing that
// another check judges kept it from Kindly.
func broke(v *subject.Visit) bool {
	return len(v.Started) > 0 && v.ChatID == "" && !v.BlockedByPolicy() && !slices.Contains(botKeys(v), "")
}

// botKeys are those of all chat clients that started.
func botKeys(v *subject.Visit) []string {
	var keys []string
	for _, c := range v.Started {
		keys = append(keys, c.BotKey)
	}
	return keys
}

// kindlyTags are the page's script elements that are Kindly's by their URL or
// their id, those that can run first.
func kindlyTags(v *subject.Visit) []browser.Script {
	var tags []browser.Script
	for _, sc := range v.State.Scripts {
		if sc.ID == "kindly-chat" || isWidgetURL(sc.Src) {
			tags = append(tags, sc)
		}
	}
	slices.SortStableFunc(tags, func(a, b browser.Script) int { return inert(a) - inert(b) })
	if len(tags) == 0 && len(v.Started) > 0 { // it was there, and was taken out; or it is in a frame
		c := v.Start()
		tags = []browser.Script{{ID: c.ScriptID, Src: c.ScriptSrc, BotKey: c.BotKey}}
	}
	return tags
}

func inert(sc browser.Script) int {
	if !runs(sc.Type) || sc.NoModule || sc.Template {
		return 1
	}
	return 0
}

// runs says whether browsers run scripts of a type (HTML, "prepare the script
// element").
func runs(scriptType string) bool {
	t := strings.ToLower(strings.TrimSpace(scriptType))
	if t == "" || t == "module" {
		return true
	}
	media, params, err := mime.ParseMediaType(t)
	if err != nil || len(params) > 0 {
		return false
	}
	return slices.Contains([]string{"text/javascript", "application/javascript", "application/x-javascript", "text/ecmascript",
		"application/ecmascript", "application/x-ecmascript", "text/jscript", "text/livescript", "text/x-javascript", "text/x-ecmascript"}, media) ||
		strings.HasPrefix(media, "text/javascript1.")
}

// lazySource is the data- attribute in which a script has the URL that it will
// have later; "" if in none.
func lazySource(sc browser.Script) string {
	for name, value := range sc.Data {
		if isWidgetURL(value) {
			return "data-" + kebab(name)
		}
	}
	return ""
}

// kebab is a JavaScript name of a data- attribute as HTML has it.
func kebab(name string) string {
	var out strings.Builder
	for _, c := range name {
		if c >= 'A' && c <= 'Z' {
			out.WriteByte('-')
			c += 'a' - 'A'
		}
		out.WriteRune(c)
	}
	return out.String()
}

const byHand = "A page that shows the chat after a click (consent, a button, scrolling) is told which in kindlytest.yaml: page.steps clicks it away at each visit."

// noTag says that there is no sign of Kindly's script, and where we looked.
func noTag(v *subject.Visit) subject.Verdict {
	for _, sc := range v.State.Scripts {
		if name := lazySource(sc); name != "" {
			return held(fmt.Sprintf("a script tag has Kindly's URL in %s: something on the page holds it back until later", name))
		}
	}
	if why := loaderFails(v); why != "" {
		fix := "Mend what that script falls over: it is the one that loads the chat client."
		if trustedTypes.MatchString(why) {
			fix = "The page's Content-Security-Policy has require-trusted-types-for 'script', by which src may not be set to a text. Load the chat client by a script element in the HTML, or make its URL by a policy: trustedTypes.createPolicy(\"kindly\", {createScriptURL: (url) => url}), named in trusted-types."
		}
		return subject.Violated(widgetExpected, "no such element: "+why).Because("widget-script-fails").Fix(fix)
	}
	return subject.Violated(widgetExpected, fmt.Sprintf("no such element within %s%s", v.Waited.Round(100*time.Millisecond), whereWeAre(v))).
		Fix("Does a login come first, or a click (consent, a button, scrolling)? Tell of it in kindlytest.yaml: page.login, page.steps. " +
			`Else put <script id="kindly-chat" src="https://chat.kindlycdn.com/kindly-chat.js" data-bot-key="YOUR-BOT-KEY" async></script> into the page.`).Because("widget-missing")
}

var (
	trustedTypes = regexp.MustCompile(`TrustedScript|Trusted ?Type`)
	loads        = regexp.MustCompile(`chat\.kindlycdn\.com`)
)

// loaderFails says where a script that has the chat client's URL in it ends with an
// error; "" if none does.
func loaderFails(v *subject.Visit) string {
	if line, text, ended := endsWith(v, loads); ended {
		return fmt.Sprintf("the script that loads it ends at line %d: %s", line, text)
	}
	return ""
}

// endsWith says where a script of the page's that has something in it ends with an
// error, one in the document or in a file.
func endsWith(v *subject.Visit, what *regexp.Regexp) (line int, text string, ended bool) {
	for _, e := range v.Record.Exceptions {
		if e.Kindly || e.Rejection {
			continue
		}
		for _, r := range v.Record.Requests {
			if !r.Kindly && r.URL == e.URL && hasAt(r, e.Line, what) {
				first, _, _ := strings.Cut(e.Text, "\n")
				return e.Line, subject.Bound(first, 300), true
			}
		}
	}
	return 0, "", false
}

// hasAt says whether a file of scripts, or the script at a line of a document, has
// something in it.
func hasAt(r browser.Request, line int, what *regexp.Regexp) bool {
	switch r.ResourceType {
	case "Script":
		return what.Match(r.ResponseBody)
	case "Document":
		for _, at := range scriptTag.FindAllSubmatchIndex(r.ResponseBody, 200) {
			from := 1 + bytes.Count(r.ResponseBody[:at[0]], []byte("\n"))
			to := from + bytes.Count(r.ResponseBody[at[0]:at[1]], []byte("\n"))
			if from <= line && line <= to && what.Match(r.ResponseBody[at[4]:at[5]]) {
				return true
			}
		}
	}
	return false
}

// held is the verdict on a tag that waits for something.
func held(why string) subject.Verdict {
	return subject.Violated("a chat client that starts", why).Because("widget-held-back").
		Fix("Where consent is asked for, that is as it should be: let kindlytest give it. " + byHand)
}

// notStarted finds what keeps a client from starting whose script element is
// all right but for how the browser takes it.
func notStarted(v *subject.Visit, sc browser.Script) subject.Verdict {
	const expected = "a chat client that starts"
	asked := scriptRequest(v, sc.Src)
	because := func(cause, why, fix string) subject.Verdict {
		return subject.Violated(expected, why).Because(cause).Fix(fix)
	}
	switch {
	case v.BlockedByPolicy():
		return subject.Missing("the page's policy blocks the chat client (see PAGE-CSP)")
	case !runs(sc.Type):
		return held(fmt.Sprintf("the script tag has the type %q, which no browser runs: a consent banner or the like holds it back", subject.Bound(sc.Type, 80)))
	case sc.NoModule:
		return because("widget-nomodule", "the script tag has nomodule: browsers of today skip it", "Take nomodule off Kindly's script tag.")
	case sc.Template:
		return because("widget-in-template", "the script tag is inside a <template>, where nothing runs", "Put Kindly's script tag into the document itself.")
	case asked == nil:
		return because("widget-not-run", "the script tag is in the document, but Chrome never asked for its URL: it was put in as text (innerHTML), or its type was changed later, and such scripts don't run",
			`Make the element with document.createElement("script"), set id, src and data-bot-key, and append it. `+byHand)
	case sc.Integrity != "" && saysIntegrity(v):
		return because("widget-integrity", "the script tag has an integrity hash, which the chat client does not match: Chrome blocked it",
			"Take integrity off Kindly's script tag: the chat client is renewed without notice, and a hash of yesterday's shuts it out.")
	case asked.Error != "" || asked.BlockedReason != "":
		return because("widget-blocked", fmt.Sprintf("Chrome could not load the chat client: %s", strings.TrimSpace(asked.Error+" "+asked.BlockedReason+" "+asked.CORSError)), "")
	case asked.Duration == 0:
		return because("widget-blocked", fmt.Sprintf("the chat client had not arrived after %s", v.Waited.Round(100*time.Millisecond)), "")
	}
	return broken(v)
}

// broken is the verdict on a client that was loaded and came to nothing.
func broken(v *subject.Visit) subject.Verdict {
	why := "the chat client was loaded and did not start"
	if len(v.Started) > 0 {
		why = "the chat client started and made no chat"
	}
	for _, e := range v.Record.Exceptions {
		if ofClient(e) {
			first, _, _ := strings.Cut(e.Text, "\n")
			why = "the chat client was loaded and threw: " + subject.Bound(first, 300)
			break
		}
	}
	fix := "Look at the page's console: something on the page is in the client's way."
	if len(v.State.Replaced) > 0 {
		names := strings.Join(v.State.Replaced[:min(5, len(v.State.Replaced))], ", ")
		why += "; the page puts functions of its own in place of the browser's: " + names
		fix = "Leave the browser's functions as they are (" + names + "): other people's code on the page relies on them, the chat client too."
	}
	return subject.Violated("a chat client that starts", why).Because("widget-breaks").Fix(fix)
}

// ofClient says whether the chat client had a part in an exception: it may have
// come from what the client called.
func ofClient(e browser.Exception) bool {
	return e.Kindly || strings.Contains(e.Text, "/kindly-chat.js:") || strings.Contains(e.Text, "/kindly-chat-pure.js:")
}

func scriptRequest(v *subject.Visit, src string) *browser.Request {
	for i, r := range v.Record.Requests {
		if r.URL == src && (r.ResourceType == "Script" || r.BlockedReason != "") {
			return &v.Record.Requests[i]
		}
	}
	return nil
}

func saysIntegrity(v *subject.Visit) bool {
	return slices.ContainsFunc(v.Record.Console, func(e browser.ConsoleEntry) bool { return strings.Contains(e.Text, "'integrity'") })
}

// whereWeAre helps a reader who expected another page.
func whereWeAre(v *subject.Visit) string {
	where := " on " + redact.URL(v.State.URL) + subject.Title(v.State)
	if len(v.Record.Navigation.Redirects) > 0 {
		where += ", to which the page redirected"
	}
	if st := v.Record.Navigation.Status; st >= 400 {
		where += fmt.Sprintf("; it answered status %d", st)
	}
	return where
}

func isWidgetURL(src string) bool {
	u, err := url.Parse(src)
	if err != nil || !strings.EqualFold(u.Hostname(), "chat.kindlycdn.com") {
		return err == nil && browser.MockClient(src)
	}
	return u.Path == "/kindly-chat.js" || u.Path == "/kindly-chat-pure.js"
}

// rerender is how long a page is watched for loading the chat client again.
const rerender = 1500 * time.Millisecond

func pageWidgetOnce(ctx context.Context, s *subject.Session) subject.Verdict {
	v, err := s.VisitFirst()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	if len(v.Started) == 0 {
		return noClient(v)
	}
	watching, cancel := service.WithTimeout(ctx, rerender+s.Patience.Visit)
	defer cancel()
	started, record, state, err := v.WatchStarts(watching, rerender, s.Options.Now())
	if err != nil {
		return subject.CouldNotRun(err)
	}
	return judgeOnce(started, record, state)
}

// manyDocuments are more than a page has that goes on to another one.
const manyDocuments = 4

// judgeOnce judges the starts of chat clients in one document each: a page that
// goes elsewhere, or a frame, has its own.
func judgeOnce(started []mockkindly.ClientReport, record browser.Record, state browser.State) subject.Verdict {
	const expected = "one start of the chat client"
	perDocument, fetched := map[string]int{}, map[string]int{}
	for _, r := range record.Requests {
		switch {
		case r.Kindly && r.Method == "POST" && strings.HasSuffix(r.URL, "/mock/v1/client"):
			perDocument[r.Document]++
		case isWidgetURL(r.URL) && r.ResourceType == "Script":
			fetched[r.Document]++
		}
	}
	most, atOnce := 0, false
	for document, n := range perDocument {
		if n > most {
			// Chrome fetches a script once for all elements that are put in at one moment,
			// and anew for one that comes later.
			most, atOnce = n, fetched[document] == 1
		}
	}
	if len(perDocument) > manyDocuments {
		return subject.Violated(expected, fmt.Sprintf("the page loads itself again and again: the client started %d times", len(started)))
	}
	if most < 2 {
		return subject.Holds("it started once")
	}
	tags := 0
	for _, sc := range state.Scripts {
		if isWidgetURL(sc.Src) && inert(sc) == 0 {
			tags++
		}
	}
	note := func(how string) subject.Verdict {
		return subject.Violated(expected, fmt.Sprintf("it was loaded and started %d times: %s", most, how)).At(rule.Info)
	}
	switch {
	case tags > 1:
		return subject.Violated(expected, fmt.Sprintf("it was loaded and started %d times, and %d script elements of it are in the document", most, tags))
	case otherRoutes(started):
		return note("taken out and put in again, as the page went to another route")
	case most == 2 && atOnce:
		return note("put in, taken out and put in again at once, as a development build of React does in StrictMode; a production build does not")
	}
	return subject.Violated(expected, fmt.Sprintf("it was loaded and started %d times", most))
}

// otherRoutes says whether each start was on another route than the one before.
func otherRoutes(started []mockkindly.ClientReport) bool {
	for i := 1; i < len(started); i++ {
		if started[i].PageURL == started[i-1].PageURL {
			return false
		}
	}
	return true
}

// noClient skips what needs a chat client, and says where to look.
func noClient(v *subject.Visit) subject.Verdict {
	if v.BlockedByPolicy() {
		return subject.Missing("the chat client did not start (see PAGE-CSP)")
	}
	return subject.Missing("the chat client did not start (see PAGE-WIDGET)")
}
