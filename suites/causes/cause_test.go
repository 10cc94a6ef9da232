package causes

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/reports"
)

func nowhere(string) string { return "" }

func failed(ids ...string) []reports.Check {
	var out []reports.Check
	for _, id := range ids {
		out = append(out, reports.Check{ID: id, Outcome: reports.Failed, Actual: "seen"})
	}
	return out
}

func ids(causes []reports.Cause) string {
	var out []string
	for _, c := range causes {
		out = append(out, c.ID)
	}
	return strings.Join(out, " ")
}

func TestWhatFailsTogetherHasOneCause(t *testing.T) {
	for name, tt := range map[string]struct {
		fails []string
		want  string
		alone string // the checks that no cause explains
	}{
		"nothing fails":                         {nil, "", ""},
		"one check that says it itself":         {[]string{"AUTH-NOSNIFF"}, "", "AUTH-NOSNIFF"},
		"any key, and any signature":            {[]string{"HOOK-TAMPERED", "HOOK-SIGNATURE", "HOOK-WRONG-KEY", "HOOK-EMBEDDED-KEY", "HOOK-GARBAGE"}, "webhook-verifies-nothing", ""},
		"any key, but a signature":              {[]string{"HOOK-WRONG-KEY", "HOOK-EMBEDDED-KEY", "HOOK-REMOTE-KEY", "HOOK-KID-INJECTION"}, "webhook-trusts-any-key", ""},
		"a key id that breaks the look-up":      {[]string{"HOOK-KID-INJECTION", "HOOK-REMOTE-KEY"}, "webhook-follows-key-ids", ""},
		"a key that is fetched":                 {[]string{"HOOK-REMOTE-KEY"}, "", "HOOK-REMOTE-KEY"},
		"HMAC with nothing":                     {[]string{"HOOK-KEY-CONFUSION", "HOOK-KID-INJECTION"}, "webhook-takes-hmac-tokens", ""},
		"no alg":                                {[]string{"HOOK-ALG-MALFORMED", "HOOK-GARBAGE"}, "webhook-takes-missing-alg", ""},
		"no token is no stranger":               {[]string{"HOOK-ANONYMOUS", "HOOK-SCHEME"}, "webhook-knows-no-strangers", ""},
		"a signature that is not compared":      {[]string{"SIG-WRONG", "SIG-BODY", "SIG-ENCODING"}, "webhook-compares-no-hmac", ""},
		"a signature that nobody wants":         {[]string{"SIG-MISSING", "SIG-WRONG", "SIG-BODY"}, "webhook-checks-no-hmac", ""},
		"a chat that is text":                   {[]string{"TOK-CHAT", "AUTH-BIND-CHAT", "AUTH-CONCURRENT", "HOOK-CHAT-TYPE"}, "token-chat-not-object", ""},
		"a chat that is remembered":             {[]string{"AUTH-BIND-CHAT", "AUTH-CONCURRENT"}, "endpoint-remembers-chat", ""},
		"many at once":                          {[]string{"AUTH-CONCURRENT", "LIVE-AUTH-BURST"}, "endpoint-fails-in-crowds", ""},
		"a token that is kept":                  {[]string{"AUTH-FRESH", "PAGE-CALLBACK-RENEW"}, "endpoint-keeps-tokens", ""},
		"a token that is kept by the page":      {[]string{"PAGE-CALLBACK-RENEW"}, "", "PAGE-CALLBACK-RENEW"},
		"expired at once":                       {[]string{"TOK-EXP-FUTURE", "AUTH-FRESH"}, "token-born-expired", ""},
		"no TLS":                                {[]string{"FWD-COVERED", "FWD-HTTPS"}, "webhook-without-tls", ""},
		"the first chat only":                   {[]string{"AUTH-POST-TOKEN", "PAGE-CALLBACK-FRESH"}, "endpoint-serves-one-chat", ""},
		"no token at all is not one chat":       {[]string{"AUTH-POST-TOKEN", "PAGE-CALLBACK-FRESH", "PAGE-CALLBACK-TOKEN"}, "", "AUTH-POST-TOKEN PAGE-CALLBACK-FRESH PAGE-CALLBACK-TOKEN"},
		"two mistakes that have nothing common": {[]string{"AUTH-NO-SESSION", "SIG-MISSING"}, "endpoint-knows-nobody webhook-checks-hmac-if-there", ""},
	} {
		checks := failed(tt.fails...)
		if got := ids(Recognise(checks, nowhere)); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
		var alone []string
		for _, c := range checks {
			if c.Cause == "" {
				alone = append(alone, c.ID)
			}
		}
		if got := strings.Join(alone, " "); got != tt.alone {
			t.Errorf("%s: %q have no cause, want %q", name, got, tt.alone)
		}
	}
}

// What no catalogue knows is said by the check, and not by nobody.
func TestUnknownCauseLeavesTheCheckToSpeak(t *testing.T) {
	checks := failed("PAGE-WIDGET")
	checks[0].Cause = "no-such-cause"
	if got := Recognise(checks, nowhere); len(got) != 0 || checks[0].Cause != "" {
		t.Errorf("got %v, and the check's cause %q", got, checks[0].Cause)
	}
}

// A death at one of two webhooks is that of the process, too.
func TestCauseAtOneWebhookExplainsWhatIsAboutAll(t *testing.T) {
	checks := failed("LIVE-HOOK-BODY", "LIVE-HOOK-ABORT", "LIVE-PROCESS")
	checks[0].Cause = "process-dies"
	places := map[string]string{"LIVE-HOOK-BODY": "orders", "LIVE-HOOK-ABORT": "account"}
	got := Recognise(checks, func(id string) string { return places[id] })
	if ids(got) != "process-dies" || got[0].Where != "orders" || checks[2].Cause != "process-dies" {
		t.Errorf("got %+v, and LIVE-PROCESS by %q", got, checks[2].Cause)
	}
	if checks[1].Cause != "" {
		t.Error("what fails at the other webhook is explained by it")
	}
}

// Whatever a probe names is in the catalogue.
func TestEveryNamedCauseIsInTheCatalogue(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)+$`)
	names := 0
	for _, pattern := range []string{"../catalogue/*.go", "../subject/*.go", "../runner/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(tree, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) != 1 {
					return true
				}
				selector, ok := call.Fun.(*ast.SelectorExpr)
				literal, isText := call.Args[0].(*ast.BasicLit)
				if !ok || selector.Sel.Name != "Because" || !isText {
					return true
				}
				id, _ := strconv.Unquote(literal.Value)
				if _, known := Find(id); !known || !kebab.MatchString(id) {
					t.Errorf("%s names the cause %q, which is in no list", file, id)
				}
				names++
				return true
			})
		}
	}
	if names == 0 {
		t.Error("no cause is named anywhere")
	}
}

func TestEveryCauseIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range All() {
		if seen[c.ID] || c.Title == "" || !strings.HasSuffix(c.Title, ".") || c.Consequence == "" || c.Severity == "" || c.Owner == "" {
			t.Errorf("%s is listed twice, or lacks something: %+v", c.ID, c)
		}
		seen[c.ID] = true
		for _, id := range c.When {
			if !c.explains(id) {
				t.Errorf("%s is inferred from %s, and does not explain it", c.ID, id)
			}
		}
	}
}
