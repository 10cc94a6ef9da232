package config

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/totp"
	"github.com/kindlytest/kindlytest/target"
)

type pageSection struct {
	URL         address       `yaml:"url" must:"yes"`
	Login       *loginSection `yaml:"login" doc:"How a user is logged in."`
	SecondLogin *loginSection `yaml:"second_login" doc:"The same for another user."`
	Steps       pageSteps     `yaml:"steps" doc:"What a visitor does on the page, at each visit, logged in or not, until the chat is there: consent, scrolling, opening the chat."`
}

func (d *document) page(at path, t *target.Target, s *pageSection) {
	t.PageURL = d.url(at.to("url"), s.URL)
	t.Login, t.Second = d.login(at.to("login"), s.Login), d.login(at.to("second_login"), s.SecondLogin)
	t.PageSteps = d.steps(at.to("steps"), s.Steps.steps())
}

type loginForm struct {
	Steps        steps   `yaml:"steps"`
	StorageState text    `yaml:"storage_state" doc:"A file that Playwright wrote (context.storageState): cookies, and local storage of several origins."`
	Cookies      cookies `yaml:"cookies" doc:"name: value pairs, or a list of cookies with attributes."`
	Headers      secrets `yaml:"headers" doc:"Added to requests to the page's origin only."`
	LocalStorage secrets `yaml:"local_storage" doc:"There before any script of the page's origin runs."`
	Origin       address `yaml:"origin" doc:"Whom headers, local storage and cookies without a domain are for, if not the page's origin."`
}

func (loginForm) keywords() object {
	some := func(key string, least object) object {
		return append(requires(key), member{"properties", object{{key, least}}})
	}
	return object{
		{"errorMessage", "logs nobody in; give steps, storage_state, cookies, headers or local_storage"},
		{"anyOf", []any{
			requires("steps"), requires("storage_state"), some("cookies", object{{"minItems", 1}, {"minProperties", 1}}),
			some("headers", object{{"minProperties", 1}}), some("local_storage", object{{"minProperties", 1}}),
		}},
	}
}

// A loginSection is a list of steps, or keys and values.
type loginSection struct{ loginForm }

func (loginSection) keywords() object {
	return object{
		{"description", "A list of steps, or an object with steps, cookies, headers or local storage."},
		{"anyOf", []any{reflect.TypeFor[steps](), reflect.TypeFor[loginForm]()}},
	}
}

// UnmarshalYAML takes either.
func (l *loginSection) UnmarshalYAML(n ast.Node) error {
	if _, ok := n.(*ast.SequenceNode); ok {
		return decodeNode(n, &l.Steps)
	}
	return decodeNode(n, &l.loginForm)
}

// login reads how a user is logged in.
func (d *document) login(at path, s *loginSection) *browser.Login {
	if s == nil {
		return nil
	}
	steps := at.to("steps")
	if n, _ := find(d.root, steps); n == nil {
		steps = at // the list itself
	}
	l := &browser.Login{
		Steps: d.steps(steps, s.Steps), Headers: strs(s.Headers), LocalStorage: strs(s.LocalStorage),
		Origin: strings.TrimSuffix(d.url(at.to("origin"), s.Origin), "/"),
	}
	for i, c := range s.Cookies {
		l.Cookies = append(l.Cookies, browser.Cookie{
			Name: string(c.Name), Value: string(c.Value), Domain: string(c.Domain), Path: string(c.Path),
			Secure: c.Secure, HTTPOnly: c.HTTPOnly, SameSite: d.sameSite(at.to("cookies").item(i).to("same_site"), c.SameSite),
		})
	}
	if s.StorageState != "" {
		d.storageState(at.to("storage_state"), string(s.StorageState), l)
	}
	return l
}

type sameSite string

func (sameSite) keywords() object {
	return object{{"pattern", `^([sS][tT][rR][iI][cC][tT]|[lL][aA][xX]|[nN][oO][nN][eE]|.*\$\{.*)$`}, {"errorMessage", "must be Strict, Lax or None"}}
}

func (d *document) sameSite(at path, s sameSite) string {
	if s == "" {
		return ""
	}
	known := []string{"Strict", "Lax", "None"}
	i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(string(s), k) })
	if i < 0 {
		d.problem(at, "same_site must be Strict, Lax or None, not %q", s)
		return ""
	}
	return known[i]
}

// A PageStep is what a visitor does on a page.
type PageStep struct {
	Fill    fields   `yaml:"fill" doc:"Put values into fields, in their order: {\"#email\": ada@example.com}. ${totp:VAR} is a one-time code of the secret in VAR."`
	Click   text     `yaml:"click" doc:"Click on an element, and wait for what comes of it."`
	WaitFor text     `yaml:"wait_for" doc:"Wait until an element can be seen."`
	Press   text     `yaml:"press" doc:"Press a key where the focus is, such as Enter."`
	Scroll  text     `yaml:"scroll" doc:"To top, to bottom, or to an element."`
	Idle    duration `yaml:"idle" doc:"Do nothing for so long, such as 2s."`
}

// A step is what a user does who logs in.
type step struct {
	Goto     address `yaml:"goto" doc:"Open a URL, and wait for the document."`
	PageStep `yaml:",inline"`
}

func (PageStep) keywords() object {
	return object{
		{"title", "a step"},
		{"description", "One action. Selectors are CSS; what is in a frame stands after its selector: iframe >>> #email."},
		{"maxProperties", 1},
		{"errorMessage", "has one action; begin each with a hyphen of its own"},
	}
}

type steps []step

func (steps) keywords() object {
	return object{{"description", "What a user does, in this order."}, {"minItems", 1}}
}

type pageSteps []PageStep

func (pageSteps) keywords() object { return object{{"minItems", 1}} }

func (list pageSteps) steps() (all steps) {
	for _, s := range list {
		all = append(all, step{PageStep: s})
	}
	return all
}

func (d *document) steps(at path, list steps) []browser.Step {
	var steps []browser.Step
	for i, s := range list {
		here := at.item(i)
		out := browser.Step{Goto: d.url(here.to("goto"), s.Goto), Click: string(s.Click), WaitFor: string(s.WaitFor), Press: string(s.Press), Scroll: string(s.Scroll)}
		if s.Idle != "" {
			out.Idle = d.duration(here.to("idle"), s.Idle)
		}
		for _, f := range s.Fill {
			field, err := d.field(here.to("fill", f.selector), f.selector, f.value)
			if err != nil {
				d.problem(here.to("fill", f.selector), "%s", err)
			}
			out.Fill = append(out.Fill, field)
		}
		steps = append(steps, out)
	}
	return steps
}

// oneTime matches ${totp:VAR}, and $${totp:…}, which is no code.
var oneTime = regexp.MustCompile(`\$?\$\{totp:([A-Za-z_][A-Za-z0-9_]*)\}`)

// field replaces the variables in what is typed. One-time codes are made when it
// is typed.
func (d *document) field(at path, selector, raw string) (browser.Field, error) {
	f := browser.Field{Selector: selector}
	var texts []string
	var keys []totp.Key
	rest := 0
	for _, m := range oneTime.FindAllStringSubmatchIndex(raw, -1) {
		if strings.HasPrefix(raw[m[0]:], "$$") {
			continue
		}
		text, err := Expand(raw[rest:m[0]], d.env(at))
		if err != nil {
			return f, err
		}
		key, err := d.key(at, raw[m[2]:m[3]])
		if err != nil {
			return f, err
		}
		texts, keys, rest = append(texts, text), append(keys, key), m[1]
	}
	last, err := Expand(raw[rest:], d.env(at))
	if err != nil || len(keys) == 0 {
		f.Value = last
		return f, err
	}
	f.Code = func(now time.Time) string {
		var b strings.Builder
		for i, key := range keys {
			b.WriteString(texts[i])
			b.WriteString(key.Code(now))
		}
		return b.String() + last
	}
	return f, nil
}

func (d *document) key(at path, variable string) (totp.Key, error) {
	secret, err := Expand("${"+variable+"}", d.env(at))
	if err != nil {
		return totp.Key{}, err
	}
	key, err := totp.Parse(secret)
	if err != nil {
		return key, fmt.Errorf("the environment variable %s: %w", variable, err)
	}
	return key, nil
}

// maxStorageState bounds a file of Playwright, in bytes.
const maxStorageState = 8 << 20

// A storageState is what Playwright writes.
type storageState struct {
	Cookies []struct {
		Name, Value, Domain, Path string
		Expires                   float64
		HTTPOnly                  bool
		Secure                    bool
		SameSite                  string
	}
	Origins []struct {
		Origin       string
		LocalStorage []struct{ Name, Value string }
		IndexedDB    []json.RawMessage
	}
}

// storageState adds what Playwright has stored of a browser in which somebody was
// logged in.
func (d *document) storageState(at path, name string, l *browser.Login) {
	state, err := readStorageState(d.from.Read, name)
	if err != nil {
		d.failed(at, at.name(), err)
		return
	}
	l.Stored = name
	for _, c := range state.Cookies {
		cookie := browser.Cookie{Name: c.Name, Value: c.Value, Domain: c.Domain, Path: c.Path, HTTPOnly: c.HTTPOnly, Secure: c.Secure, SameSite: c.SameSite}
		if c.Expires > 0 {
			cookie.Expires = time.UnixMilli(int64(c.Expires * 1000))
		}
		l.Cookies = append(l.Cookies, cookie)
	}
	for _, o := range state.Origins {
		if len(o.IndexedDB) > 0 {
			d.note(at, fmt.Sprintf("%s holds an IndexedDB of %s, which is not restored: an app that keeps its session there needs steps", name, o.Origin))
		}
		if len(o.LocalStorage) == 0 {
			continue
		}
		if CheckURL(o.Origin) != nil {
			d.problem(at, "%s: %s: an origin in it is no URL", at.name(), name)
			return
		}
		items := map[string]string{}
		for _, item := range o.LocalStorage {
			items[item.Name] = item.Value
		}
		if l.Storage == nil {
			l.Storage = map[string]map[string]string{}
		}
		l.Storage[strings.TrimSuffix(o.Origin, "/")] = items
	}
	if len(l.Cookies)+len(l.Storage)+len(l.Steps)+len(l.Headers)+len(l.LocalStorage) == 0 {
		d.problem(at, "%s: %s holds neither cookies nor local storage: nobody was logged in when it was written", at.name(), name)
	}
}

func readStorageState(read func(string, int64) ([]byte, error), name string) (storageState, error) {
	var state storageState
	text, err := read(name, maxStorageState)
	if err != nil {
		return state, fileError(name, err)
	}
	if json.Unmarshal(text, &state) != nil { // its error may quote what is in it
		return state, fmt.Errorf("%s is not what Playwright's context.storageState writes", name)
	}
	if len(state.Origins) > maxOrigins {
		return state, fmt.Errorf("%s holds the storage of more than %d origins", name, maxOrigins)
	}
	return state, nil
}

// maxOrigins bounds those whose local storage is restored: each one takes a tab.
const maxOrigins = 50

type gateSection struct {
	Origins origins `yaml:"origins" doc:"scheme://host[:port]; all of the target's, if not given."`
	Headers secrets `yaml:"headers" doc:"Added to each request."`
	Basic   struct {
		User     text `yaml:"user" must:"yes"`
		Password text `yaml:"password" must:"yes"`
	} `yaml:"basic" doc:"Name and password of Basic authorization; requests that bring an Authorization keep theirs."`
	Cookies           secrets `yaml:"cookies"`
	ClientCertificate struct {
		Cert text `yaml:"cert" must:"yes"`
		Key  text `yaml:"key" must:"yes"`
	} `yaml:"client_certificate" doc:"PEM files: for servers that ask for a certificate."`
}

func (gateSection) keywords() object {
	return object{
		{"title", "a gate"},
		{"anyOf", []any{requires("headers"), requires("basic"), requires("cookies"), requires("client_certificate")}},
		{"errorMessage", "opens nothing; give headers, basic, cookies or client_certificate"},
	}
}

// origins are a list of URLs; one alone is a list too.
type origins struct{ texts }

func (origins) keywords() object {
	return object{{"anyOf", []any{reflect.TypeFor[address](), reflect.TypeFor[[]address]()}}}
}

// gates reads what stands before a staging system.
func (d *document) gates(at path, list []gateSection) []target.Gate {
	var out []target.Gate
	for i, s := range list {
		here := at.item(i)
		g := target.Gate{Header: strs(s.Headers), User: string(s.Basic.User), Password: string(s.Basic.Password), Cookies: strs(s.Cookies)}
		for j, origin := range s.Origins.texts {
			where := here.to("origins")
			if n, _ := find(d.root, where.item(j)); n != nil {
				where = where.item(j)
			}
			g.Origins = append(g.Origins, strings.TrimSuffix(d.url(where, address(origin)), "/"))
		}
		if c := s.ClientCertificate; c.Cert != "" {
			cert, err := readCertificate(d.from.small, string(c.Cert), string(c.Key))
			if err != nil {
				d.failed(here.to("client_certificate"), "client_certificate", err)
			}
			g.Certificate = cert
		}
		out = append(out, g)
	}
	return out
}

func readCertificate(read func(string) ([]byte, error), certFile, keyFile string) (*tls.Certificate, error) {
	cert, err := read(certFile)
	if err != nil {
		return nil, fileError(certFile, err)
	}
	key, err := read(keyFile)
	if err != nil {
		return nil, fileError(keyFile, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	switch {
	case err == nil:
		return &pair, nil
	case strings.Contains(err.Error(), "does not match"):
		return nil, fmt.Errorf("%s is not the key of %s", keyFile, certFile)
	}
	return nil, errors.New(certFile + " and " + keyFile + " must be PEM files, of a certificate and of its key without a password")
}
