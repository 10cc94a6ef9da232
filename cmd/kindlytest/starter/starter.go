// Package starter writes the files that a team begins with: kindlytest.yaml, and
// what its CI needs to run it, keep the reports, and gate the merge.
//
//	for _, f := range starter.Files(starter.Answers{Page: "https://staging.example.com/", CI: []string{"github"}}) {
//		os.WriteFile(f.Path, f.Text, 0o644)
//	}
//
// The files are commented, hold no secret, and are the user's own from then on.
package starter

import (
	"bytes"
	"cmp"
	"embed"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/internal/plainjson"
	"github.com/kindlytest/kindlytest/internal/shell"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// Answers are what is known of a target. Nothing is needed; URLs must be ones
// that [config.CheckURL] takes.
type Answers struct {
	Page        string
	Login       string // the page where users log in; "" if none do
	Form        Form   // what is known of the form there
	Recorded    []Step // what was done to log in, if somebody was watched; instead of Form
	PageSteps   []Step // what was done on the page until the chat was there
	SecondLogin bool   // with another user's login
	Endpoint    string
	Gate        string // what stands before it: one of Gates, or ""
	Webhooks    []Webhook
	HMAC        bool // Kindly signs its requests to the webhooks
	BotKey      string
	PublicKey   string   // the name of a PEM file
	CI          []string // of CIs
	CAFile      string   // the name of a PEM file of a private certificate authority
	Start       string   // a shell command that starts the application in a CI
	Release     string   // of kindlytest, such as v1.2.3; "" for the newest
	Existing    *Existing
}

// Existing is what a kindlytest.yaml says that is there already, in place of all that
// describes a target.
type Existing struct {
	Targets   int // that it lists; 0 for a file of one
	Variables []string
	Local     string // see [Answers.Local]
}

// mostShards bounds the machines that share targets: each one has to be set up.
const mostShards = 5

// Shards are the numbers of the machines that share the targets; none where there is
// one target.
func (a Answers) Shards() []int {
	var numbers []int
	if a.Existing != nil && a.Existing.Targets > 1 {
		for i := range min(a.Existing.Targets, mostShards) {
			numbers = append(numbers, i+1)
		}
	}
	return numbers
}

// A Form is a login form: CSS selectors. Those that are not known are guessed.
type Form struct {
	User, Password, Submit string
	Code                   string // of a one-time code; "" if none is asked for
	Read                   bool   // the form was looked at: what is not there comes on the next page
}

// A Step is one of a login, or of what a visitor does on the page: exactly one
// member is set.
type Step struct {
	Fill         []Field
	Click, Press string // a selector; a key
}

// A Field is a selector, and what is put in.
type Field struct {
	Selector string
	Variable string // what the variable with the value ends in, such as EMAIL
	Chosen   string // the value itself, of lists and boxes
}

// totpVariable is that of the secret of one-time codes.
const totpVariable = "TOTP"

// Value is what stands in the file, as YAML; prefix is that of the variables.
func (f Field) Value(prefix string) string {
	switch f.Variable {
	case "":
		return scalar(f.Chosen)
	case totpVariable:
		return "${totp:" + prefix + f.Variable + "}"
	}
	return "${" + prefix + f.Variable + "}"
}

// Steps are those by which a user logs in at the form.
func (f Form) Steps() []Step {
	submit := Step{Click: cmp.Or(f.Submit, "button[type=submit]")}
	user := Field{Selector: cmp.Or(f.User, "#email"), Variable: "EMAIL"}
	password := Field{Selector: cmp.Or(f.Password, "#password"), Variable: "PASSWORD"}
	if f.Read && f.Password == "" { // it is asked for later
		password.Selector = "[type=password]"
		return []Step{{Fill: []Field{user}}, submit, {Fill: []Field{password}}, submit}
	}
	fields := []Field{user, password}
	if f.Code != "" {
		fields = append(fields, Field{Selector: f.Code, Variable: totpVariable})
	}
	return []Step{{Fill: fields}, submit}
}

// LoginSteps are those by which a user logs in, after the first goto.
func (a Answers) LoginSteps() []Step {
	if a.Recorded != nil {
		return a.Recorded
	}
	return a.Form.Steps()
}

// A Webhook is one that Kindly calls.
type Webhook struct {
	Name, URL, ConnectTo string
	Message              string // something that it answers; "" for DefaultMessage
}

// DefaultMessage is what a webhook is asked whose message is not known.
const DefaultMessage = "Hello"

// Ask is what the webhook is asked.
func (w Webhook) Ask() string { return cmp.Or(w.Message, DefaultMessage) }

// CIs are the CI systems that files can be written for.
var CIs = []string{"github", "gitlab"}

// Gates are what may stand before a staging system.
var Gates = []string{"header", "basic", "certificate"}

// A File is one to be written.
type File struct {
	Path string // with slashes, from the project's root
	Text []byte
	// Add is what to do by hand if the file is there already, because it belongs
	// to others too; "" for a file that is all kindlytest's.
	Add string
}

// Files are the files for these answers, kindlytest.yaml first, unless it is there.
func Files(a Answers) []File {
	var files []File
	if a.Existing == nil {
		files = append(files, File{Path: config.DefaultName, Text: render("kindlytest.yaml", a)})
	}
	if slices.Contains(a.CI, "github") {
		files = append(files, File{Path: ".github/workflows/kindlytest.yml", Text: render("github.yml", a)})
	}
	if slices.Contains(a.CI, "gitlab") {
		files = append(files,
			File{Path: ".gitlab/kindlytest.yml", Text: render("gitlab.yml", a)},
			File{Path: ".gitlab-ci.yml", Text: render("gitlab-ci.yml", a), Add: "under include:, add  - local: .gitlab/kindlytest.yml"})
	}
	return files
}

// Secrets are the environment variables that the configuration needs.
func (a Answers) Secrets() []string {
	if a.Existing != nil {
		return a.Existing.Variables
	}
	var names []string
	if a.Page != "" && a.Login != "" {
		names = append(names, a.variables("KINDLYTEST_")...)
		if a.SecondLogin {
			names = append(names, a.variables("KINDLYTEST_SECOND_")...)
		}
	}
	switch a.Gate {
	case "header":
		names = append(names, "STAGING_BYPASS")
	case "basic":
		names = append(names, "STAGING_PASSWORD")
	}
	if len(a.Webhooks) > 0 && a.HMAC {
		names = append(names, "KINDLY_HMAC_SECRET")
	}
	return names
}

func (a Answers) variables(prefix string) []string {
	var names []string
	for _, step := range a.LoginSteps() {
		for _, f := range step.Fill {
			if name := prefix + f.Variable; f.Variable != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Schema is where editors find the schema of the file.
func (Answers) Schema() string { return config.SchemaURL }

// Ref is the version of the GitHub Action.
func (a Answers) Ref() string {
	if a.Release == "" {
		return "main"
	}
	return a.Release
}

// Version is what `go install` is asked for.
func (a Answers) Version() string {
	if a.Release == "" {
		return "latest"
	}
	return a.Release
}

// Local is the first URL that is called on the CI's own machine, so that the
// application must be started there; "" if there is none.
func (a Answers) Local() string {
	if a.Existing != nil {
		return a.Existing.Local
	}
	urls := []string{a.Page, a.Endpoint}
	for _, w := range a.Webhooks {
		if w.ConnectTo != "" {
			urls = append(urls, w.ConnectTo)
		} else {
			urls = append(urls, w.URL)
		}
	}
	if i := slices.IndexFunc(urls, wire.IsLoopback); i >= 0 {
		return urls[i]
	}
	return ""
}

//go:embed templates/*.tmpl
var sources embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"yaml": scalar, "shell": shell.Word, "args": stepsOf}).ParseFS(sources, "templates/*.tmpl"))

// prefixed are steps whose variables begin alike.
type prefixed struct {
	Steps  []Step
	Prefix string
}

func stepsOf(steps []Step, prefix string) prefixed { return prefixed{steps, prefix} }

func render(name string, a Answers) []byte {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name+".tmpl", a); err != nil {
		panic(err) // a template of ours is broken, which the tests would show
	}
	return b.Bytes()
}

// plain matches text that is a string in YAML as it stands.
var plain = regexp.MustCompile(`^[A-Za-z/.][A-Za-z0-9_./:@%?=&+~-]*[A-Za-z0-9_/]$`)

// notText are words that YAML, in one version or another, takes for something
// else than text.
var notText = regexp.MustCompile(`(?i)^(true|false|yes|no|on|off|null|y|n|\.inf|\.nan)$`)

// scalar writes a text as a YAML scalar in which nothing is expanded.
func scalar(s string) string {
	s = strings.ReplaceAll(s, "${", "$${")
	if plain.MatchString(s) && !notText.MatchString(s) {
		return s
	}
	return string(plainjson.Must(s))
}
