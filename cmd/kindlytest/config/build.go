package config

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// build makes of the file what it describes.
func (d *document) build() {
	var head struct {
		Name      text              `yaml:"name"`
		Observed  text              `yaml:"observed"`
		Dialogues []dialogueSection `yaml:"dialogues"`
	}
	d.decode(nil, &head)
	c := d.config
	c.Target.Name = string(head.Name)
	d.sections(nil, &c.Target, &c.Options)
	c.ObservedFile = string(head.Observed)
	c.Target.Secrets = d.secrets[""]
	for i, s := range head.Dialogues {
		c.Dialogues = append(c.Dialogues, d.dialogue(path{"dialogues"}.item(i), s))
	}
	if n, _ := find(d.root, path{"targets"}); n != nil {
		d.targets()
	}
}

// The sections are as the file has them: the schema has seen to their types before they
// are decoded.
type sections struct {
	Bot        *botSection       `yaml:"bot"`
	Page       *pageSection      `yaml:"page"`
	Endpoint   *endpointSection  `yaml:"endpoint"`
	Webhooks   *[]webhookSection `yaml:"webhooks"`
	PrivateKey text              `yaml:"private_key"`
	Sub        text              `yaml:"sub"`
	CAFile     text              `yaml:"ca_file"`
	Resolve    *map[string]text  `yaml:"resolve"`
	Gate       *[]gateSection    `yaml:"gate"`
	Proxy      text              `yaml:"proxy"`
	Observed   text              `yaml:"observed"`
	Checks     checksSection     `yaml:"checks"`
}

// sections reads what describes a target: in the file itself, or in an entry of
// targets, where each one replaces the file's as a whole.
func (d *document) sections(at path, t *target.Target, o *subject.Options) {
	var s sections
	d.decode(at, &s)
	if s.Bot != nil {
		d.bot(at.to("bot"), t, s.Bot)
	}
	if s.Page != nil {
		d.page(at.to("page"), t, s.Page)
	}
	if s.Endpoint != nil {
		t.Endpoint = d.endpoint(at.to("endpoint"), s.Endpoint)
	}
	if s.Webhooks != nil {
		t.Webhooks = d.webhooks(at.to("webhooks"), *s.Webhooks)
	}
	d.files(at, t, s)
	if s.Resolve != nil {
		t.Resolve = map[string]string{}
		for host, to := range *s.Resolve {
			t.Resolve[strings.ToLower(host)] = string(to)
		}
	}
	if s.Gate != nil {
		t.Gates = d.gates(at.to("gate"), *s.Gate)
	}
	if s.Proxy != "" {
		t.Proxy.HTTP = d.proxy(at.to("proxy"), string(s.Proxy))
		t.Proxy.HTTPS = t.Proxy.HTTP
	}
	if s.Observed != "" {
		o.Observed = d.observed(at.to("observed"), string(s.Observed))
	}
	d.checks(at.to("checks"), o, s.Checks)
}

// observed reads what was learnt about the real Kindly.
func (d *document) observed(at path, name string) *observed.Learnt {
	l, err := ReadObserved(d.from.Read, name)
	if err != nil {
		d.failed(at, "observed", err)
	}
	return l
}

// url returns a URL that can be called.
func (d *document) url(at path, raw text) string {
	if raw == "" {
		return ""
	}
	if err := CheckURL(string(raw)); err != nil {
		d.failed(at, at.name(), err)
	}
	return string(raw)
}

// proxy returns the URL of a proxy, which may hold its password.
func (d *document) proxy(at path, raw string) string {
	if err := CheckProxy(raw); err != nil {
		d.failed(at, at.name(), err)
	}
	if u, err := url.Parse(raw); err == nil && u.User != nil {
		if n, _ := find(d.root, at); d.raw[n] == "" {
			d.note(at, "the proxy's password stands in the file; ${VAR} takes it from the environment")
		}
	}
	return raw
}

func (d *document) files(at path, t *target.Target, s sections) {
	if s.PrivateKey != "" {
		key, err := ReadPrivateKey(d.from.Read, string(s.PrivateKey))
		if err != nil {
			d.failed(at.to("private_key"), "private_key", err)
		}
		t.PrivateKey = key
	}
	t.Sub = string(s.Sub)
	if s.CAFile != "" {
		authorities, err := ReadAuthorities(d.from.Read, string(s.CAFile))
		if err != nil {
			d.failed(at.to("ca_file"), "ca_file", err)
		}
		t.Authorities = authorities
	}
}

type botSection struct {
	Key       text  `yaml:"key"`
	PublicKey texts `yaml:"public_key"`
}

// bot reads the keys of the bot, of which the first is the one that was uploaded
// to Kindly.
func (d *document) bot(at path, t *target.Target, s *botSection) {
	t.BotKey, t.PublicKeys, t.PublicPEM = string(s.Key), nil, nil
	for i, name := range s.PublicKey {
		where := at.to("public_key")
		if n, _ := find(d.root, where.item(i)); n != nil {
			where = where.item(i)
		}
		key, pem, err := ReadPublicKey(d.from.Read, name)
		if err != nil {
			d.failed(where, where.name(), err)
			continue
		}
		if len(t.PublicKeys) == 0 {
			t.PublicPEM = pem
		}
		t.PublicKeys = append(t.PublicKeys, key)
	}
}

type endpointSection struct {
	URL           text            `yaml:"url"`
	Method        text            `yaml:"method"`
	Headers       map[string]text `yaml:"headers"`
	ChatIDField   text            `yaml:"chat_id_field"`
	Path          text            `yaml:"path"`
	Query         map[string]text `yaml:"query"`
	Form          map[string]text `yaml:"form"`
	Body          value           `yaml:"body"`
	Token         text            `yaml:"token"`
	SecondHeaders map[string]text `yaml:"second_headers"`
}

func (d *document) endpoint(at path, s *endpointSection) *target.EndpointConfig {
	e := &target.EndpointConfig{
		URL: d.url(at.to("url"), s.URL), Method: strings.ToUpper(string(s.Method)), Header: header(s.Headers), ChatIDField: string(s.ChatIDField),
		RequestForm: target.RequestForm{Path: string(s.Path), Query: strs(s.Query), Form: strs(s.Form), Body: s.Body.any, Token: string(s.Token), SecondHeader: header(s.SecondHeaders)},
	}
	if err := e.Check(); err != nil {
		d.problem(at, "endpoint: %s", err)
	}
	return e
}

func header(m map[string]text) http.Header {
	if len(m) == 0 {
		return nil
	}
	h := http.Header{}
	for name, v := range m {
		h.Set(name, string(v))
	}
	return h
}

type webhookSection struct {
	Name          text                `yaml:"name"`
	URL           text                `yaml:"url"`
	ConnectTo     text                `yaml:"connect_to"`
	HMACSecret    text                `yaml:"hmac_secret"`
	Headers       map[string]text     `yaml:"headers"`
	Message       text                `yaml:"message"`
	Slug          text                `yaml:"slug"`
	Context       value               `yaml:"context"`
	Authenticated *expectationSection `yaml:"authenticated"`
	Refused       *expectationSection `yaml:"refused"`
}

func (d *document) webhooks(at path, list []webhookSection) []target.Webhook {
	var out []target.Webhook
	names := map[text]bool{}
	for i, s := range list {
		here := at.item(i)
		if s.Name != "" && names[s.Name] {
			d.problem(here, "two webhooks are called %q", s.Name)
		}
		names[s.Name] = true
		for name := range s.Headers {
			if strings.EqualFold(name, "Authorization") {
				d.problem(here.to("headers", name), "headers: Kindly sends the token in Authorization; a gateway wants another header")
			}
		}
		out = append(out, target.Webhook{
			Name: string(s.Name), URL: d.url(here.to("url"), s.URL), ConnectTo: d.url(here.to("connect_to"), s.ConnectTo),
			Secret: string(s.HMACSecret), Message: string(s.Message), Slug: string(s.Slug), Context: s.Context.object(), Header: header(s.Headers),
			Authenticated: s.Authenticated.expectation(), Refused: s.Refused.expectation(),
		})
	}
	return out
}

type expectationSection struct {
	Status      statuses `yaml:"status"`
	Contains    texts    `yaml:"contains"`
	NotContains texts    `yaml:"not_contains"`
	JSON        value    `yaml:"json"`
}

func (s *expectationSection) expectation() *oracle.Expectation {
	if s == nil {
		return nil
	}
	return &oracle.Expectation{Status: s.Status, Contains: s.Contains, NotContains: s.NotContains, JSON: s.JSON.object()}
}

type checksSection struct {
	Only             *texts             `yaml:"only"`
	Skip             *texts             `yaml:"skip"`
	ExpectedFailures *[]expectedFailure `yaml:"expected_failures"`
	Strict           *bool              `yaml:"strict"`
	Safe             *bool              `yaml:"safe"`
	WaitExpiry       *bool              `yaml:"wait_expiry"`
	Concurrency      int                `yaml:"concurrency"`
	Rate             *float64           `yaml:"rate"`
	Timeout          text               `yaml:"timeout"`
}

// checks reads how a target is checked. A target's begin as the file's: what is
// safe for all stays safe.
func (d *document) checks(at path, o *subject.Options, s checksSection) {
	d.selection(at.to("only"), &o.Only, s.Only)
	d.selection(at.to("skip"), &o.Skip, s.Skip)
	if s.ExpectedFailures != nil {
		o.ExpectedFailures, o.ExpectedUntil = d.expectedFailures(at.to("expected_failures"), *s.ExpectedFailures)
	}
	set(&o.Strict, s.Strict)
	set(&o.Safe, s.Safe)
	set(&o.WaitExpiry, s.WaitExpiry)
	set(&o.Rate, s.Rate)
	if s.Concurrency != 0 {
		o.Concurrency = s.Concurrency
	}
	if s.Timeout != "" {
		o.Timeout = d.duration(at.to("timeout"), s.Timeout)
	}
}

func set[T any](into *T, v *T) {
	if v != nil {
		*into = *v
	}
}

func (d *document) duration(at path, s text) time.Duration {
	v, err := time.ParseDuration(string(s))
	if err != nil || v <= 0 {
		d.problem(at, "%s must be a time such as 10s or 2m, not %q", at.name(), s)
	}
	return v
}

func (d *document) selection(at path, into *[]string, patterns *texts) {
	if patterns == nil {
		return
	}
	*into = nil
	for i, pattern := range *patterns {
		if _, err := suites.Select(pattern); err != nil {
			where := at
			if n, _ := find(d.root, at.item(i)); n != nil {
				where = at.item(i)
			}
			d.failed(where, at.name(), err)
		}
		*into = append(*into, pattern)
	}
}

type expectedFailure struct {
	ID     text `yaml:"id"`
	Reason text `yaml:"reason"`
	Until  text `yaml:"until"`
}

func (d *document) expectedFailures(at path, list []expectedFailure) (expected map[string]string, until map[string]time.Time) {
	expected = map[string]string{}
	for i, s := range list {
		here := at.item(i)
		if s.ID == "" || s.Reason == "" {
			continue // that is told by now
		}
		check, found := suites.Find(string(s.ID))
		if !found {
			_, err := suites.Select(string(s.ID))
			if err == nil {
				d.problem(here, "%q names several checks; list each one with its reason", s.ID)
				continue
			}
			d.failed(here, at.name(), err)
			continue
		}
		if _, listed := expected[check.ID()]; listed {
			d.problem(here, "%s is listed twice", check.ID())
		}
		expected[check.ID()] = string(s.Reason)
		if s.Until == "" {
			continue
		}
		day, err := time.Parse(time.DateOnly, string(s.Until))
		if err != nil {
			d.problem(here.to("until"), "until must be a day such as 2027-01-31, not %q", s.Until)
			continue
		}
		if until == nil {
			until = map[string]time.Time{}
		}
		until[check.ID()] = day.AddDate(0, 0, 1) // to its end, in UTC
	}
	return expected, until
}
