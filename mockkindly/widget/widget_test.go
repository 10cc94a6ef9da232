package widget_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly/widget"
)

// What the script does is tested in a real browser, in internal/browser. Here is
// what can be read off its text.

var builds = map[string]func(*widget.Manner) []byte{"kindly-chat": widget.Script, "kindly-chat-pure": widget.Pure}

func TestBuildsNameThemselves(t *testing.T) {
	for name, build := range builds {
		if want := `const BUILD = "` + name + `";`; !strings.Contains(string(build(nil)), want) {
			t.Errorf("%s does not hold %q", name, want)
		}
	}
}

func TestBuildsHoldNothingThatAStrictPolicyForbids(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		"eval":                  regexp.MustCompile(`\beval\(|new Function\(`),
		"markup from strings":   regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write`),
		"inline styles":         regexp.MustCompile(`\.style\b|"style"|createElement\("style"\)`),
		"inline handlers":       regexp.MustCompile(`setAttribute\("on|\.on(click|load|error)\s*=`),
		"writes to the console": regexp.MustCompile(`\bconsole\b`),
		"storage or cookies":    regexp.MustCompile(`localStorage|sessionStorage|indexedDB|document\.cookie`),
	}
	comments := regexp.MustCompile(`(?m)^\s*//.*$`)
	for name, build := range builds {
		code := comments.ReplaceAllString(string(build(nil)), "")
		for what, re := range forbidden {
			if found := re.FindString(code); found != "" {
				t.Errorf("%s holds %s: %q", name, what, found)
			}
		}
	}
}

func TestOnlyTellingBuildsSayWhatTheMockAdvises(t *testing.T) {
	for name, build := range map[string]func(*widget.Manner) []byte{"kindly-chat": widget.Telling, "kindly-chat-pure": widget.TellingPure} {
		if text := string(build(nil)); strings.Count(text, "console.") != 1 || !strings.Contains(text, `const BUILD = "`+name+`";`) {
			t.Errorf("%s says more than that, or less", name)
		}
	}
}

func TestPureHasNoPanel(t *testing.T) {
	if strings.Contains(string(widget.Pure(nil)), "adoptedStyleSheets") {
		t.Error("the headless build styles something")
	}
	if len(widget.Pure(nil)) >= len(widget.Script(nil)) {
		t.Error("the headless build is not smaller than the full one")
	}
}

func TestCallersCannotChangeTheScript(t *testing.T) {
	clear(widget.Script(nil))
	if !strings.HasPrefix(string(widget.Script(nil)), "(() => {") {
		t.Error("a caller's change shows in the next script")
	}
}

func ExampleScript() {
	script := string(widget.Script(nil))
	fmt.Println(strings.Contains(script, "getAuthToken"), widget.ContentType)
	// Output: true text/javascript; charset=utf-8
}
