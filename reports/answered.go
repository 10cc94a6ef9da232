package reports

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/internal/clip"
	"github.com/kindlytest/kindlytest/internal/jws"
)

// answered is what answered, in one line: status, content type, Server, and the
// title or the first line of the body, of the exchange that decides. It tells an
// app from what stands before it; "" if there is no answer.
//
// The last exchange decides: what is compared with comes before it.
func answered(all []Evidence) string {
	for i := len(all) - 1; i >= 0; i-- {
		if r := all[i].Response; r != nil {
			return r.inShort()
		}
	}
	return ""
}

// answeredBeside is answered, unless a text that stands beside it has told all of
// that: the status, the content type, and the words of the body.
func answeredBeside(seen string, all []Evidence) string {
	text := answered(all)
	for i := len(all) - 1; i >= 0 && seen != ""; i-- {
		r := all[i].Response
		if r == nil {
			continue
		}
		if r.Status == 0 { // no answer, and the text says what there was instead
			return ""
		}
		kind, _, _ := strings.Cut(r.header("Content-Type"), ";")
		if r.header("Server") == "" && strings.Contains(seen, fmt.Sprint(r.Status)) && strings.Contains(seen, kind) && saysWord(seen, firstText(r.Body)) {
			return ""
		}
		break
	}
	return text
}

// saysWord says whether a text has the first longer word of another one, if there
// is one.
func saysWord(text, of string) bool {
	words := longWord.FindAllString(of, -1)
	return len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

var longWord = regexp.MustCompile(`\pL{6,}`)

const (
	maxAnswerPart = 60  // runes of a header's value
	maxAnswerText = 120 // runes of the body
	maxAnswerBody = 16 << 10
)

func (r Response) inShort() string {
	if r.Status == 0 {
		return clip.Runes(oneLine(r.Error), maxAnswerText)
	}
	parts := []string{fmt.Sprint(r.Status)}
	if t := r.header("Content-Type"); t != "" {
		parts[0] += " " + t
	} else if r.Body != "" {
		parts[0] += " without Content-Type"
	}
	for _, name := range []string{"Location", "Server"} {
		if v := r.header(name); v != "" {
			parts = append(parts, name+": "+v)
		}
	}
	switch text := firstText(r.Body); {
	case r.Error != "":
		parts = append(parts, clip.Runes(oneLine(r.Error), maxAnswerText))
	case text != "":
		parts = append(parts, "“"+text+"”")
	default:
		parts = append(parts, "no body")
	}
	return strings.Join(parts, " · ")
}

// header is the value of the first header of that name, in short.
func (r Response) header(name string) string {
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, name) {
			return clip.Runes(oneLine(h.Value), maxAnswerPart)
		}
	}
	return ""
}

var (
	titleElement = regexp.MustCompile(`(?is)<title\b[^>]*>(.*?)</title\s*>`)
	notShown     = regexp.MustCompile(`(?is)<script\b.*?</script\s*>|<style\b.*?</style\s*>|<!--.*?-->`)
	anyTag       = regexp.MustCompile(`(?s)<[^>]*>`)
)

// firstText is the first line of a text, or of a page its title and the first two
// lines, for titles often say no more than the status.
func firstText(body string) string {
	body = body[:min(len(body), maxAnswerBody)]
	most := 1
	if strings.HasPrefix(strings.TrimSpace(body), "<") {
		body, most = html.UnescapeString(anyTag.ReplaceAllString(withTitle(notShown.ReplaceAllString(body, "\n")), "")), 3
	}
	var lines []string
	for line := range strings.Lines(body) {
		if text := oneLine(line); text != "" && len(lines) < most && !contains(lines, text) {
			lines = append(lines, text)
		}
	}
	return clip.Runes(jws.Replace(strings.Join(lines, " / "), "eyJ…"), maxAnswerText)
}

// withTitle puts a page's title on a line of its own.
func withTitle(page string) string {
	return titleElement.ReplaceAllStringFunc(page, func(title string) string { return "\n" + oneLine(title) + "\n" })
}

// contains says whether a line repeats what another says.
func contains(lines []string, text string) bool {
	for _, l := range lines {
		if strings.Contains(l, text) {
			return true
		}
	}
	return false
}
