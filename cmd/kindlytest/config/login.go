package config

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
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
	URL         text          `yaml:"url"`
	Login       *loginSection `yaml:"login"`
	SecondLogin *loginSection `yaml:"second_login"`
	Steps       []step        `yaml:"steps"`
}

func (d *document) page(at path, t *target.Target, s *pageSection) {
	t.PageURL = d.url(at.to("url"), s.URL)
	t.Login, t.Second = d.login(at.to("login"), s.Login), d.login(at.to("second_login"), s.SecondLogin)
	t.PageSteps = d.steps(at.to("steps"), s.Steps)
}

type loginForm struct {
	Steps        []step          `yaml:"steps"`
	StorageState text            `yaml:"storage_state"`
	Cookies      cookies         `yaml:"cookies"`
	Headers      map[string]text `yaml:"headers"`
	LocalStorage map[string]text `yaml:"local_storage"`
	Origin       text            `yaml:"origin"`
}

// A loginSection is a list of steps, or keys and values.
type loginSection struct{ loginForm }

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

func (d *document) sameSite(at path, s text) string {
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

type step struct {
	Goto    text   `yaml:"goto"`
	Fill    fields `yaml:"fill"`
	Click   text   `yaml:"click"`
	WaitFor text   `yaml:"wait_for"`
	Press   text   `yaml:"press"`
	Scroll  text   `yaml:"scroll"`
	Idle    text   `yaml:"idle"`
}

func (d *document) steps(at path, list []step) []browser.Step {
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

func readStorageState(read func(string) ([]byte, error), name string) (storageState, error) {
	var state storageState
	text, err := read(name)
	if err != nil {
		return state, fileError(name, err)
	}
	if len(text) > maxStorageState {
		return state, fmt.Errorf("%s is larger than %d MB", name, maxStorageState>>20)
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
	Origins texts           `yaml:"origins"`
	Headers map[string]text `yaml:"headers"`
	Basic   struct {
		User     text `yaml:"user"`
		Password text `yaml:"password"`
	} `yaml:"basic"`
	Cookies           map[string]text `yaml:"cookies"`
	ClientCertificate struct {
		Cert text `yaml:"cert"`
		Key  text `yaml:"key"`
	} `yaml:"client_certificate"`
}

// gates reads what stands before a staging system.
func (d *document) gates(at path, list []gateSection) []target.Gate {
	var out []target.Gate
	for i, s := range list {
		here := at.item(i)
		g := target.Gate{Header: strs(s.Headers), User: string(s.Basic.User), Password: string(s.Basic.Password), Cookies: strs(s.Cookies)}
		for j, origin := range s.Origins {
			where := here.to("origins")
			if n, _ := find(d.root, where.item(j)); n != nil {
				where = where.item(j)
			}
			g.Origins = append(g.Origins, strings.TrimSuffix(d.url(where, text(origin)), "/"))
		}
		if c := s.ClientCertificate; c.Cert != "" {
			cert, err := readCertificate(d.from.Read, string(c.Cert), string(c.Key))
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
