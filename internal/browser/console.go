package browser

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/kindlytest/kindlytest/internal/clip"
)

func (r *recorder) addConsole(e *ConsoleEntry) bool {
	if len(r.console) >= maxConsole {
		r.dropped++
		return false
	}
	e.Text, e.URL = clip.Text(e.Text, maxText), clip.Text(e.URL, maxURL)
	e.Kindly = isKindlyURL(e.URL)
	r.console = append(r.console, e)
	return true
}

func (r *recorder) consoleCalled(s *session, ev runtime.EventConsoleAPICalled) {
	e := &ConsoleEntry{Level: string(ev.Type), Source: "console-api", At: unixTime(ev.Timestamp.Float64() / 1000)}
	if top := topFrame(ev.StackTrace); top != nil {
		e.URL, e.Line = top.URL, int(top.LineNumber)+1
	}
	texts := make([]string, len(ev.Args))
	objects := false
	for i, arg := range ev.Args {
		texts[i] = remoteText(arg)
		objects = objects || isPlainObject(arg)
	}
	e.Text = strings.Join(texts, " ")
	if r.addConsole(e) && objects {
		r.ask(func(ctx context.Context) { r.spellOut(ctx, s, e, ev.Args, texts) })
	}
}

// tooLarge notes what was too large to be taken in: that it was is known at least.
func (r *recorder) tooLarge(ev eventTooLarge) {
	switch ev.Method {
	case runtime.ConsoleAPICalled.Method, log.EntryAdded.Method:
		r.addConsole(&ConsoleEntry{Level: "log", Source: "console-api", At: time.Now(), Text: "(" + megabytes(ev.Size) + ", too large to be kept)"})
	case runtime.ExceptionThrown.Method:
		if len(r.exceptions) < maxExceptions {
			r.exceptions = append(r.exceptions, Exception{At: time.Now(), Text: "(an exception of " + megabytes(ev.Size) + ", too large to be kept)"})
			return
		}
		r.dropped++
	default:
		r.dropped++
	}
}

// spellOut replaces the objects of a console entry by their JSON: Chrome's
// preview leaves out what is deep or long, where a token may hide.
func (r *recorder) spellOut(ctx context.Context, s *session, e *ConsoleEntry, args []*runtime.RemoteObject, texts []string) {
	for i, arg := range args {
		if !isPlainObject(arg) {
			continue
		}
		res, err := call(ctx, s, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
			ObjectID: arg.ObjectID, ReturnByValue: new(true), Silent: new(true),
			FunctionDeclaration: `function(max) { return JSON.stringify(this).slice(0, max); }`,
			Arguments:           []*runtime.CallArgument{{Value: []byte("16384")}},
		})
		if err == nil && res.ExceptionDetails == nil && res.Result != nil {
			texts[i] = remoteText(res.Result)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Text = clip.Text(strings.Join(texts, " "), maxText)
}

func isPlainObject(o *runtime.RemoteObject) bool {
	return o != nil && o.ObjectID != "" && o.Type == runtime.RemoteObjectTypeObject &&
		(o.Subtype == "" || o.Subtype == runtime.RemoteObjectSubtypeArray)
}

// topFrame is where a stack trace begins, nil if nowhere.
func topFrame(s *runtime.StackTrace) *runtime.CallFrame {
	if s == nil || len(s.CallFrames) == 0 {
		return nil
	}
	return s.CallFrames[0]
}

// remoteText is a value of the page as text.
func remoteText(o *runtime.RemoteObject) string {
	if o == nil {
		return ""
	}
	if len(o.Value) > 0 {
		var s string
		if o.Value[0] == '"' && json.Unmarshal(o.Value, &s) == nil {
			return s
		}
		return string(o.Value)
	}
	for _, text := range []string{string(o.UnserializableValue), o.Description} {
		if text != "" {
			return text
		}
	}
	return string(o.Type)
}

func (r *recorder) logged(ev log.EventEntryAdded) {
	e := ev.Entry
	if e == nil {
		return
	}
	entry := &ConsoleEntry{
		Level: string(e.Level), Source: string(e.Source), Text: e.Text, URL: e.URL,
		At: unixTime(e.Timestamp.Float64() / 1000),
	}
	if e.LineNumber > 0 {
		entry.Line = int(e.LineNumber) + 1
	}
	r.addConsole(entry)
}

func (r *recorder) thrown(ev runtime.EventExceptionThrown) {
	d := ev.ExceptionDetails
	if d == nil {
		return
	}
	if len(r.exceptions) >= maxExceptions {
		r.dropped++
		return
	}
	e := Exception{
		id: d.ExceptionID, At: unixTime(ev.Timestamp.Float64() / 1000),
		Text: clip.Text(exceptionText(d), maxText), URL: d.URL, Line: int(d.LineNumber) + 1,
		Rejection: strings.Contains(d.Text, "(in promise)"),
	}
	if top := topFrame(d.StackTrace); e.URL == "" && top != nil {
		e.URL = top.URL
	}
	e.URL = clip.Text(e.URL, maxURL)
	e.Kindly = isKindlyURL(e.URL)
	r.exceptions = append(r.exceptions, e)
}

func (r *recorder) revoked(ev runtime.EventExceptionRevoked) {
	r.exceptions = slices.DeleteFunc(r.exceptions, func(e Exception) bool { return e.id == ev.ExceptionID })
}

func (r *recorder) issue(targetType string, ev audits.EventIssueAdded) {
	if ev.Issue == nil || ev.Issue.Details == nil || ev.Issue.Details.ContentSecurityPolicyIssueDetails == nil {
		return
	}
	if len(r.csp) >= maxCSP {
		r.dropped++
		return
	}
	d := ev.Issue.Details.ContentSecurityPolicyIssueDetails
	v := CSPViolation{
		Directive: clip.Text(d.ViolatedDirective, maxText), BlockedURL: clip.Text(d.BlockedURL, maxURL),
		Kind: string(d.ContentSecurityPolicyViolationType), ReportOnly: d.IsReportOnly,
	}
	if at := d.SourceCodeLocation; at != nil {
		v.SourceURL, v.Line = clip.Text(at.URL, maxURL), int(at.LineNumber)+1
	}
	r.csp = append(r.csp, v)
	if v.Directive == "connect-src" && !v.ReportOnly && v.BlockedURL != "" {
		r.forbidden(v, targetType)
	}
}

// forbidden notes a request that a script was not let make: Chrome tells of no
// such request, and its method is unknown.
func (r *recorder) forbidden(v CSPViolation, targetType string) {
	r.record("", &hop{req: Request{
		URL: v.BlockedURL, ResourceType: "Fetch", Error: "net::ERR_BLOCKED_BY_CSP", BlockedReason: "csp",
		Started: time.Now(), Duration: 1, Target: targetType, Kindly: isKindlyURL(v.BlockedURL),
		Initiator: Initiator{Type: "script", URL: v.SourceURL, Line: v.Line},
	}})
}
