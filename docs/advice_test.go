package docs_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/internal/wire"
)

var question = regexp.MustCompile(`(?m)^## (\d+)\. `)

// Each of the ten causes names checks, and the command that explains one.
func TestFAQHasTenCauses(t *testing.T) {
	page := pages(t)["faq.md"]
	parts := question.Split(page, -1)
	if len(parts) != 11 {
		t.Fatalf("there are %d causes", len(parts)-1)
	}
	for i, part := range parts[1:] {
		title, _, _ := strings.Cut(part, "\n")
		explained := regexp.MustCompile(`(?m)^kindlytest explain ([A-Z-]+)$`).FindStringSubmatch(part)
		if explained == nil {
			t.Errorf("%d. %s: no command explains it", i+1, title)
			continue
		}
		symptoms, _, _ := strings.Cut(part, "```")
		if !strings.Contains(symptoms, explained[1]) {
			t.Errorf("%d. %s: %s is not among what one sees", i+1, title, explained[1])
		}
	}
}

// The page's answers are as its expectations say: the first is believed, the
// second is not.
func TestExpectationsFitTheAnswersBesideThem(t *testing.T) {
	from := config.Sources{Env: func(string) (string, bool) { return "", false }}
	all := blocks(pages(t)["expectations.md"])
	found := 0
	for i, b := range all {
		if b.language != "yaml" || i+2 >= len(all) || all[i+1].language != "http" {
			continue
		}
		found++
		c, err := config.Parse("expectations.md", []byte(b.text), from)
		if err != nil {
			t.Fatal(err)
		}
		w := c.Target.Webhooks[0]
		believed, refused := answered(t, all[i+1].text), answered(t, all[i+2].text)
		if !w.Authenticated.Matches(believed) || w.Authenticated.Matches(refused) {
			t.Errorf("authenticated does not tell the answers apart:\n%s", b.text)
		}
		if !w.Refused.Matches(refused) || w.Refused.Matches(believed) {
			t.Errorf("refused does not tell the answers apart:\n%s", b.text)
		}
	}
	if found != 3 {
		t.Errorf("%d expectations have answers beside them", found)
	}
}

// answered is an answer as the page writes it: the status, then the body.
func answered(t *testing.T, text string) wire.Exchange {
	t.Helper()
	status, body, _ := strings.Cut(text, "\n")
	code, err := strconv.Atoi(status)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	return wire.Exchange{Response: &wire.Response{Status: code, Header: header, Body: []byte(body)}}
}
