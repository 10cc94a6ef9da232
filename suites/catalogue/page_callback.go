package catalogue

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/suites/subject"
)

func pageCallbackToken(ctx context.Context, s *subject.Session) subject.Verdict {
	v, err := s.VisitMended()
	if err != nil {
		return subject.CouldNotRun(err)
	}
	return judgeCallback(ctx, s, v)
}

func judgeCallback(ctx context.Context, s *subject.Session, v *subject.Visit) subject.Verdict {
	const expected = "a token, a string"
	if len(v.Started) == 0 {
		return noClient(v)
	}
	if v.Start().Callback != "function" {
		return subject.Missing("there is no callback (see PAGE-CALLBACK-DEFINED)")
	}
	switch {
	case v.ChatID == "" && v.BlockedByPolicy():
		return subject.Missing("the chat client could not reach Kindly (see PAGE-CSP)")
	case v.ChatID == "":
		return subject.Missing("the chat client made no chat to call it for (see PAGE-WIDGET)")
	case v.Callback == nil:
		late := subject.Violated(expected, fmt.Sprintf("it was called and had not settled after %s%s", s.Options.Timeout, waitsFor(v))).
			Because("callback-pending").With(v.CallbackEvidence()...)
		switch r, ok := v.CallbackRequest(); {
		case ok && r.Status == 0 && r.Error == "":
			late = late.Because("callback-endpoint-silent")
		case !ok && v.Record.Windows > 0:
			late.Actual += "; the page opens a window when it is asked for a token, and asks for none itself"
			late = late.Because("callback-opens-window").Fix(fixOpensWindow)
		}
		return late
	case v.Callback.Outcome == "token" && v.Token == "" && v.Callback.Length < longestHeader:
		return subject.CouldNotRun(fmt.Errorf("it gave a string of %d characters, which Kindly was not handed in time: the page is too busy, loads itself anew, or puts a fetch of its own in place of the browser's", v.Callback.Length))
	case v.Callback.Outcome == "token" && v.Token == "":
		return subject.Violated(expected, fmt.Sprintf("it gave a string of %d characters, which is too long for a token: Kindly took none of it", v.Callback.Length)).Because("callback-token-too-large").
			Fix("A token is a JWT of a few hundred bytes. Give getAuthToken the token alone, not a whole page or file; nothing over 8 KB gets through a webhook's server.")
	case v.Callback.Outcome == "token":
		return subject.Holds("a string, after %d ms", v.Callback.Elapsed.Milliseconds()).With(v.CallbackEvidence()...)
	}
	c := newCall(ctx, s, v)
	if v.Callback.Type == "null" && !c.loggedIn && c.asked == nil {
		return noLogin(s, "it gave null")
	}
	return diagnose(s, c)
}

// noLogin is the verdict where there is no token as nobody is logged in, and nothing
// is wrong with that.
func noLogin(s *subject.Session, what string) subject.Verdict {
	s.Incomplete("What users get who are logged in is not known: the page gets no token, as it should where nobody is, and no login was given.",
		"Give a login: page.login in kindlytest.yaml, which `kindlytest init` writes.")
	return subject.Missing("%s, as it should where nobody is logged in: no login was given (page.login in kindlytest.yaml)", what)
}

// longestHeader is what the most patient of webhooks' servers take in a header, in bytes:
// what is shorter was not left out for its length.
const longestHeader = 64 << 10

// waitsFor is what a callback that has not settled has asked for.
func waitsFor(v *subject.Visit) string {
	r, ok := v.CallbackRequest()
	if !ok {
		return ""
	}
	return "; " + subject.Answered(r, v.ChatURL())
}

func describeCallback(c mockkindly.CallbackReport, loggedIn bool) string {
	switch c.Outcome {
	case "empty":
		if !loggedIn {
			return "it gave " + orNone(c.Type) + ": no token for somebody who is not logged in, and no login was given"
		}
		return "it gave " + orNone(c.Type) + ": no token"
	case "not-a-string":
		return fmt.Sprintf("it gave a value of type %s, not a string", c.Type)
	case "threw":
		return "it threw: " + c.Error
	case "rejected":
		return "its promise was rejected: " + c.Error
	}
	return "it ended as " + c.Outcome
}

// explained says whether an error of the page is what a callback's diagnosis has
// told already: its request's failure, or the error that it threw.
func explained(v *subject.Visit) func(text string) bool {
	if v.Callback == nil || v.Callback.Outcome == "token" {
		return func(string) bool { return false }
	}
	var signs []string
	if len(v.Callback.Error) > 3 {
		signs = append(signs, v.Callback.Error)
	}
	failed := false
	for _, r := range v.Asked() {
		signs = append(signs, withoutFragment(r.URL))
		failed = failed || r.Error != "" || r.CORSError != "" || r.Status >= 400 || subject.IsHTML(r)
	}
	if failed { // what fetch and json() say of such an answer
		signs = append(signs, "Failed to fetch", "is not valid JSON", "Unexpected end of JSON", "NetworkError", "Network Error")
	}
	return func(text string) bool {
		return slices.ContainsFunc(signs, func(sign string) bool { return strings.Contains(text, sign) })
	}
}

const goneByThen = "getAuthToken is gone by then (see PAGE-CALLBACK-KEPT)"

// pageCallbackKept looks for the callback later: on the page that has been open
// since the run began, and on another after its routes were gone to.
func pageCallbackKept(ctx context.Context, s *subject.Session) subject.Verdict {
	v, err := s.VisitMended()
	switch {
	case err != nil:
		return subject.CouldNotRun(err)
	case len(v.Started) == 0:
		return noClient(v)
	case v.Start().Callback != "function":
		return subject.Missing("there is no callback (see PAGE-CALLBACK-DEFINED)")
	}
	const expected = "getAuthToken is still a function"
	gone := func(p browser.Presence, when string) subject.Verdict {
		what := "the options object is gone"
		if p.Options {
			what = "kindlyOptions was replaced by one without it"
		}
		return subject.Violated(expected, fmt.Sprintf("%s getAuthToken is %s: %s", when, p.Callback, what)).Because("callback-lost")
	}
	looks, err := s.Later(ctx)
	for _, l := range looks {
		if l.Client && l.Callback != "function" {
			return gone(l.Presence, l.When)
		}
	}
	if err != nil && len(looks) == 0 {
		return subject.CouldNotRun(err)
	}
	if !slices.ContainsFunc(looks, func(l subject.Look) bool { return l.Client }) {
		return subject.Missing("the page had taken the chat client out by then, and its callback may go with it")
	}
	return subject.Holds("it was there each of %d times that it was looked for", len(looks))
}
