package starter_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/starter"
)

const (
	page  = "https://staging.example.com/"
	local = "http://localhost:3001/"
	login = "http://localhost:3001/login"
)

var hook = starter.Webhook{URL: "https://hooks.example.com/kindly"}

// samples are answers of every kind.
var samples = map[string]starter.Answers{
	"a page":                 {Page: page},
	"a page with a login":    {Page: local, Login: login, CI: starter.CIs},
	"two users":              {Page: local, Login: login, SecondLogin: true, CI: starter.CIs, Start: "npm start"},
	"an endpoint":            {Endpoint: page + "token", BotKey: "my-bot"},
	"a webhook":              {Webhooks: []starter.Webhook{hook}},
	"all":                    {Page: page, Login: login, Endpoint: page + "token", Webhooks: []starter.Webhook{hook, {Name: "orders", URL: page, ConnectTo: local}}, HMAC: true, BotKey: "my-bot", CI: starter.CIs, Release: "v1.2.3"},
	"hostile texts":          {Page: page + "?a=b: c #d&x=${HOME}", BotKey: "a\"b'\n  evil: true\n", Webhooks: []starter.Webhook{{Name: "- {x: y}", URL: page}, {Name: "yes", URL: page, ConnectTo: local + "it's?a=: b #c"}, {Name: "007", URL: page, Message: "a: b #c ${HOME}"}}, CI: starter.CIs, Start: `FOO="a: b" npm run 'it' # now`},
	"no CI, on this machine": {Page: "http://127.0.0.1:3000/"},
	"a header before it":     {Page: page, Gate: "header", CI: starter.CIs},
	"a password before it":   {Page: page, Gate: "basic", CI: starter.CIs},
	"a form that was read":   {Page: page, Login: login, SecondLogin: true, Form: starter.Form{User: "#u\nevil: true", Password: `[name="a\"b"]`, Submit: "#go", Code: "#otp", Read: true}, CI: starter.CIs},
	"a form of two steps":    {Page: page, Login: login, SecondLogin: true, Form: starter.Form{User: "#u", Submit: "#go", Read: true}},
	"what was recorded": {Page: page, Login: login, SecondLogin: true, CI: starter.CIs,
		Recorded:  []starter.Step{{Fill: []starter.Field{{Selector: "#u\nevil: true", Variable: "EMAIL"}, {Selector: "#p", Variable: "PASSWORD"}, {Selector: "#shop", Chosen: "true: ${HOME}"}}}, {Press: "Enter"}, {Fill: []starter.Field{{Selector: "#otp", Variable: "TOTP"}}}, {Click: "a > b:nth-of-type(2)"}},
		PageSteps: []starter.Step{{Click: "#yes"}}},
	"a key, and nothing else": {Page: page, BotKey: "${NOT_A_VARIABLE}"},
}

func parse(t *testing.T, a starter.Answers, text []byte) *config.Config {
	t.Helper()
	c, err := config.Parse("kindlytest.yaml", text, config.Sources{
		Env: func(name string) (string, bool) {
			if !slices.Contains(a.Secrets(), name) {
				t.Errorf("it needs %s, which Secrets does not name", name)
			}
			if strings.HasSuffix(name, "_TOTP") {
				return "GEZDGNBVGY3TQOJQ", true
			}
			return "from-" + name, true
		},
		Read: func(string, int64) ([]byte, error) { return nil, fs.ErrNotExist },
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return c
}

func TestConfigurationIsValidAndSaysWhatWasAnswered(t *testing.T) {
	for name, a := range samples {
		t.Run(name, func(t *testing.T) {
			text := starter.Files(a)[0].Text
			c := parse(t, a, text)
			if c.Target.PageURL != a.Page || c.Target.BotKey != a.BotKey || len(c.Notes) > 0 {
				t.Errorf("page %q, bot %q, notes %q in\n%s", c.Target.PageURL, c.Target.BotKey, c.Notes, text)
			}
			if (c.Target.Login != nil) != (a.Login != "") || (c.Target.Second != nil) != a.SecondLogin {
				t.Errorf("the logins differ in\n%s", text)
			}
			if (c.Target.Endpoint != nil) != (a.Endpoint != "") {
				t.Errorf("the endpoint differs in\n%s", text)
			}
			var got []starter.Webhook
			for _, w := range c.Target.Webhooks {
				got = append(got, starter.Webhook{Name: w.Name, URL: w.URL, ConnectTo: w.ConnectTo, Message: w.Message})
				if (w.Secret != "") != a.HMAC {
					t.Errorf("the secret of %s differs", w)
				}
			}
			want := slices.Clone(a.Webhooks)
			for i := range want {
				want[i].Message = want[i].Ask()
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			meetsSchema(t, text)
		})
	}
}

func meetsSchema(t *testing.T, text []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(config.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(config.SchemaURL, doc); err != nil {
		t.Fatal(err)
	}
	var file any
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if err := c.MustCompile(config.SchemaURL).Validate(file); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

// What stands in comments is right as well: it is uncommented one day.
func TestCommentedExamplesAreValid(t *testing.T) {
	text := string(starter.Files(starter.Answers{Page: page})[0].Text)
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		example := strings.HasPrefix(line, "# ") && (strings.HasPrefix(line, "#   ") || strings.Contains(line[2:], ":  ") || strings.HasSuffix(line, ":") || strings.Contains(line, ": #"))
		if strings.HasPrefix(line, "# bot:") || strings.HasPrefix(line, "# webhooks:") || strings.HasPrefix(line, "# checks:") || example && !strings.Contains(line, "kindlytest run") {
			line = strings.TrimPrefix(line, "# ")
		}
		if inner, ok := strings.CutPrefix(line, "  # "); ok {
			line = "  " + inner
		}
		out = append(out, line)
	}
	uncommented := strings.ReplaceAll(strings.Join(out, "\n"), "public_key: public.pem", "")
	c, err := config.Parse("kindlytest.yaml", []byte(uncommented), config.Sources{Env: func(string) (string, bool) { return "secret", true }})
	if err != nil {
		t.Fatalf("%v\n%s", err, uncommented)
	}
	if c.Target.BotKey == "" || c.Target.Login == nil || c.Target.Endpoint == nil || len(c.Target.Webhooks) != 1 || len(c.Options.ExpectedFailures) != 1 {
		t.Errorf("not all examples were uncommented:\n%s", uncommented)
	}
}

// A mapping of a CI's file.
type mapping = map[string]any

func file(t *testing.T, a starter.Answers, path string) (mapping, string) {
	t.Helper()
	for _, f := range starter.Files(a) {
		if f.Path != path {
			continue
		}
		var doc mapping
		if err := yaml.Unmarshal(f.Text, &doc); err != nil {
			t.Fatalf("%v\n%s", err, f.Text)
		}
		return doc, string(f.Text)
	}
	t.Fatalf("there is no %s", path)
	return nil, ""
}

func TestGitHubWorkflow(t *testing.T) {
	for name, a := range samples {
		if !slices.Contains(a.CI, "github") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			doc, text := file(t, a, ".github/workflows/kindlytest.yml")
			if diff := cmp.Diff(mapping{"contents": "read"}, doc["permissions"]); diff != "" {
				t.Error(diff)
			}
			job := doc["jobs"].(mapping)["kindlytest"].(mapping)
			steps := job["steps"].([]any)
			last := steps[len(steps)-1].(mapping)
			ref := "main"
			if a.Release != "" {
				ref = a.Release
			}
			if last["uses"] != "kindlytest/kindlytest@"+ref {
				t.Errorf("the last step is %v", last)
			}
			if diff := cmp.Diff(mapping{"config": "kindlytest.yaml"}, last["with"]); diff != "" {
				t.Error(diff)
			}
			var names []string
			env, _ := last["env"].(mapping)
			for _, name := range a.Secrets() {
				names = append(names, name)
				if got, want := env[name], fmt.Sprintf("${{ secrets.%s }}", name); got != want {
					t.Errorf("%s is %v, want %s", name, got, want)
				}
			}
			if len(env) != len(names) || job["if"] != nil { // a job that is skipped counts as passed
				t.Errorf("env %v, if %v\n%s", env, job["if"], text)
			}
			if first := steps[0].(mapping); len(names) > 0 {
				if !strings.Contains(first["if"].(string), "head.repo.full_name != github.repository") || !strings.Contains(first["run"].(string), "exit 1") {
					t.Errorf("pull requests of forks are not refused: %v", first)
				}
				steps = steps[1:]
			}
			starts := len(steps) == 3
			if starts != (a.Local() != "") {
				t.Errorf("%d steps, and %q is local", len(steps), a.Local())
			}
			if a.Start != "" && !strings.HasPrefix(steps[1].(mapping)["run"].(string), a.Start+" &\n") {
				t.Errorf("it starts with %v", steps[1])
			}
		})
	}
}

func TestGitLabJob(t *testing.T) {
	for name, a := range samples {
		if !slices.Contains(a.CI, "gitlab") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			doc, text := file(t, a, ".gitlab/kindlytest.yml")
			job := doc["kindlytest"].(mapping)
			if diff := cmp.Diff([]any{"kindlytest run -c kindlytest.yaml --format json,junit,html"}, job["script"]); diff != "" {
				t.Error(diff)
			}
			artifacts := job["artifacts"].(mapping)
			if artifacts["when"] != "always" || artifacts["reports"].(mapping)["junit"] != "kindlytest-reports/junit.xml" {
				t.Errorf("artifacts %v", artifacts)
			}
			for _, line := range job["before_script"].([]any) {
				if _, ok := line.(string); !ok {
					t.Errorf("a line is no text: %v", line)
				}
			}
			if a.Start != "" && !slices.Contains(job["before_script"].([]any), any(a.Start+" &")) {
				t.Errorf("it does not start the application\n%s", text)
			}
			for _, name := range a.Secrets() {
				if !strings.Contains(text, name) {
					t.Errorf("it does not name %s", name)
				}
			}
			include, _ := file(t, a, ".gitlab-ci.yml")
			if diff := cmp.Diff([]any{mapping{"local": ".gitlab/kindlytest.yml"}}, include["include"]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// several is a file that lists targets, and needs two secrets.
var several = starter.Answers{CI: starter.CIs, Release: "v1.2.3", Existing: &starter.Existing{Targets: 7, Variables: []string{"A_PASSWORD", "B_SECRET"}, Local: local}}

func TestSeveralTargetsAreSharedByMachines(t *testing.T) {
	for targets, want := range map[int]int{0: 0, 1: 0, 2: 2, 5: 5, 300: 5} {
		if got := (starter.Answers{Existing: &starter.Existing{Targets: targets}}).Shards(); len(got) != want {
			t.Errorf("%d targets: shards %v, want %d", targets, got, want)
		}
	}
	for _, f := range starter.Files(several) {
		if f.Path == "kindlytest.yaml" {
			t.Error("the file that is there would be written")
		}
	}

	doc, text := file(t, several, ".github/workflows/kindlytest.yml")
	jobs := doc["jobs"].(mapping)
	shard := jobs["kindlytest"].(mapping)
	if diff := cmp.Diff(mapping{"fail-fast": false, "matrix": mapping{"shard": []any{uint64(1), uint64(2), uint64(3), uint64(4), uint64(5)}}}, shard["strategy"]); diff != "" {
		t.Error(diff)
	}
	steps := shard["steps"].([]any)
	step := steps[len(steps)-1].(mapping)
	if diff := cmp.Diff(mapping{
		"config": "kindlytest.yaml", "args": "--shard=${{ matrix.shard }}/${{ strategy.job-total }}",
		"artifact": "kindlytest-shard-${{ matrix.shard }}", "summary": "false",
	}, step["with"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(mapping{"A_PASSWORD": "${{ secrets.A_PASSWORD }}", "B_SECRET": "${{ secrets.B_SECRET }}"}, step["env"]); diff != "" {
		t.Error(diff)
	}
	all := jobs["all"].(mapping)
	if all["needs"] != "kindlytest" || all["if"] != "always()" { // a job that is skipped counts as passed
		t.Errorf("it does not wait for all, or is skipped where one fails: %v\n%s", all, text)
	}
	steps = all["steps"].([]any)
	download, merge := steps[0].(mapping)["with"].(mapping), steps[1].(mapping)
	if download["pattern"] != "kindlytest-shard-*" || merge["with"].(mapping)["merge"] != download["path"] || merge["uses"] != "kindlytest/kindlytest@v1.2.3" {
		t.Errorf("%v, %v", download, merge)
	}

	doc, text = file(t, several, ".gitlab/kindlytest.yml")
	job := doc["kindlytest"].(mapping)
	if job["parallel"] != uint64(5) || len(job["script"].([]any)) != 1 {
		t.Errorf("%v", job)
	}
	if diff := cmp.Diff("kindlytest run -c kindlytest.yaml --shard $CI_NODE_INDEX/$CI_NODE_TOTAL --report-dir shard-$CI_NODE_INDEX --format json", job["script"].([]any)[0]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]any{"shard-$CI_NODE_INDEX/"}, job["artifacts"].(mapping)["paths"]); diff != "" {
		t.Error(diff)
	}
	merged := doc["kindlytest-all"].(mapping)
	if diff := cmp.Diff([]any{"kindlytest report merge shard-*/report.json --format json,junit,html"}, merged["script"]); diff != "" {
		t.Error(diff)
	}
	for _, rule := range merged["rules"].([]any) {
		if rule.(mapping)["when"] != "always" {
			t.Errorf("it does not run where a part fails: %v\n%s", rule, text)
		}
	}
}

// An action that moves under its name gets the secrets of who uses it.
func TestActionsArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`^[a-z-]+/[a-z/-]+@(v\d+\.\d+\.\d+|[0-9a-f]{40})$`)
	all := maps.Clone(samples)
	all["several"] = several
	for name, a := range all {
		if a.CI == nil || a.Release == "" { // without a release of its own there is main only
			continue
		}
		_, text := file(t, a, ".github/workflows/kindlytest.yml")
		for _, m := range regexp.MustCompile(`uses: (\S+)`).FindAllStringSubmatch(text, -1) {
			if !pinned.MatchString(m[1]) {
				t.Errorf("%s: %s is not pinned", name, m[1])
			}
		}
	}
}
