package catalogue

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/kindlytest/kindlytest/internal/forge"
	"github.com/kindlytest/kindlytest/internal/param"
	"github.com/kindlytest/kindlytest/suites/subject"
)

var authErrorLeak = onLasting(func(ctx context.Context, s *subject.Session, e *subject.Endpoint) subject.Verdict {
	answered := false
	for _, ev := range errorAnswers(ctx, s, e) {
		answered = answered || ev.Exchange.Response != nil
		if what := leakIn(ev.Exchange.Body()); what != "" {
			return subject.Violated("an error without internals", ev.Title+": the answer shows "+what).With(ev)
		}
	}
	if !answered {
		return subject.CouldNotRun(subject.ErrNoAnswer)
	}
	return subject.Holds("none seen")
})

// errorAnswers provokes a few errors.
func errorAnswers(ctx context.Context, s *subject.Session, e *subject.Endpoint) []subject.Evidence {
	var out []subject.Evidence
	out = append(out, s.Do(ctx, "without credentials", e.WithoutCredentials(e.WithChat(s.NewChatID()))))
	if r, found := e.EditSession(e.WithChat(s.NewChatID()), invented); found {
		out = append(out, s.Do(ctx, "with an invented session", r))
	}
	if e.ReadsBody() {
		for _, body := range []string{"{", "null", "[]"} {
			r := withBody(e, forge.Body{ContentType: "application/json", Bytes: []byte(body)})
			out = append(out, s.Do(ctx, "the body "+body, r))
		}
	}
	for _, value := range []any{42, map[string]any{}, nil} {
		if r, err := e.WithValue(value); err == nil {
			out = append(out, s.Do(ctx, fmt.Sprintf("the chat id %v", value), r))
		}
	}
	for _, value := range forge.ChatIDs("AUTH-CHATID-HOSTILE") {
		if r, err := e.WithValue(json.RawMessage(value.JSON)); err == nil && fits(e, value) {
			out = append(out, s.Do(ctx, "the chat id with "+value.Name, r))
		}
	}
	if r, err := e.WithoutChat(); err == nil {
		out = append(out, s.Do(ctx, "without a chat id", r))
	}
	for i, sent := range e.Sent() {
		value, ok := invent(sent.Value, s.NewChatID())
		if i == maxSent || !ok || sent.Place == param.InHeader {
			continue
		}
		if r, err := subject.WithLeaf(e.WithChat(s.NewChatID()), sent, value); err == nil {
			out = append(out, s.Do(ctx, "an invented value of the "+sent.String(), r))
		}
	}
	r := e.WithChat(s.NewChatID())
	if r.Method = http.MethodPut; e.Request.Method == http.MethodPut {
		r.Method = http.MethodDelete
	}
	return append(out, s.Do(ctx, r.Method, r))
}

// An internal is something that an answer must not show.
type internal struct {
	what    string
	pattern *regexp.Regexp
}

// phpError is what PHP writes into answers of any status where display_errors is on.
var phpError = internal{"an error message of PHP, with the file's path", regexp.MustCompile(`(?:Warning|Notice|Deprecated|Fatal error|Parse error)(?:</b>)?:\s.{1,400}? in (?:<b>)?\S+\.php(?:</b>)? on line`)}

const (
	filePath    = "a file path"
	secretValue = "a secret's name and value"
)

// internals are what an error must not show, as frameworks print it.
var internals = []internal{
	{"a private key", pemPrivateKey},
	{"a stack trace", regexp.MustCompile(`Traceback \(most recent call last\)|\n\s+at [\w$.<>]+ ?\(|\bat [\w$./<> ]+\([^)\s]+:\d+:\d+\)|goroutine \d+ \[|\.java:\d+\)|Stack trace:|#\d+ \S+\.php\(\d+\)|in [\w/\\.-]+\.php:\d+|\w+\.cs:line \d+`)},
	phpError,
	{"a file that the system could not open", regexp.MustCompile(`\b(?:open|read|stat|lstat) [\w.~-]*[/\\]\S+: (?:no such file|permission denied|is a directory)|\bE(?:NOENT|ACCES|ISDIR|NOTDIR): [\w ,]+'|\[Errno \d+\] [\w ]+: ['"]|\): Failed to open stream|@ rb_sysopen - |FileNotFoundException: |Could not find (?:file|a part of the path) '`)},
	{filePath, regexp.MustCompile(`(?:(?:^|[^\w.:/-]|file://)/(?:home|usr|var|opt|srv|app|root|Users|etc|tmp|mnt|data|workspace)/[\w.-]+/[\w./-]+\.\w+|[A-Z]:\\[\w\\ .-]+\.\w+)`)},
	{secretValue, regexp.MustCompile(`(?i)\b(secret[_-]?key|private[_-]?key|api[_-]?key|password|db_password)["']?\s*[:=]\s*["']([^"'\s]{6,})["']`)},
}

func leakIn(body []byte) string {
	body = bytes.ReplaceAll(body, []byte(`\/`), []byte("/")) // as PHP writes JSON
	for _, i := range internals {
		shown := i.pattern.Match(body)
		switch {
		case shown && i.what == filePath:
			shown = i.pattern.Match(withoutURLs(body))
		case shown && i.what == secretValue:
			shown = slices.ContainsFunc(i.pattern.FindAllSubmatch(body, -1), func(m [][]byte) bool {
				return notOfWords.Match(m[2]) && !(isPage(body) && publicName.Match(m[1]))
			})
		}
		if shown {
			return i.what
		}
	}
	return ""
}

// What is said of a password ("required", "Passwort") is no password; and keys that stand in
// a page's script, as those of maps and of Firebase, are made for browsers.
var (
	notOfWords = regexp.MustCompile(`[\d#$%&@^+=~|]`)
	publicName = regexp.MustCompile(`(?i)^api`)
)

// isPage says whether a body is HTML or XML.
func isPage(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) }

// withoutURLs takes out of a page what are paths of URLs: those in tags and styles, and in
// scripts those of what browsers load.
func withoutURLs(body []byte) []byte {
	if !isPage(body) {
		return body
	}
	body = scripts.ReplaceAllFunc(body, func(script []byte) []byte { return assets.ReplaceAll(script, []byte(" ")) })
	return tags.ReplaceAll(body, []byte(" "))
}

var (
	scripts = regexp.MustCompile(`(?is)<script\b.*?</script>`)
	assets  = regexp.MustCompile(`(?i)/[\w./-]+\.(?:m?js|css|map|json|html?|png|jpe?g|gif|svg|webp|ico|woff2?)\b`)
	tags    = regexp.MustCompile(`(?is)<style\b.*?</style>|</?[a-z][^>]*>`)
)
