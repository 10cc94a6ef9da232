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
	var f file
	d.decode(nil, &f)
	c := d.config
	c.Target.Name = string(f.Name)
	d.sections(nil, &c.Target, &c.Options, f.Sections)
	c.ObservedFile = string(f.Observed)
	c.Target.Secrets = d.secrets[""]
	for i, s := range f.Dialogues {
		c.Dialogues = append(c.Dialogues, d.dialogue(path{"dialogues"}.item(i), s))
	}
	d.targets(f.Targets)
}

// A file is kindlytest.yaml as it is written. Its types are its schema, too: a key is a
// member, with what it is for (doc), and whether it must be there (must).
type file struct {
	Version   version `yaml:"version" must:"yes" doc:"The version of this form."`
	Name      text    `yaml:"name" doc:"A name for the target, for reports."`
	Sections  `yaml:",inline"`
	Dialogues []dialogueSection `yaml:"dialogues" doc:"What kindlytest serve does about a message; kindlytest run does not read them."`
	Targets   targetList        `yaml:"targets" doc:"Several targets, checked in one run with one verdict. The sections of the file are for targets that don't bring their own."`
}

func (file) keywords() object {
	return object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$id", SchemaURL},
		{"title", "kindlytest.yaml"},
		{"description", "What kindlytest checks, and how. ${VAR} and ${VAR:-default} within a value are taken from the environment. kindlytest itself checks more than a schema can: files, variables, names of checks."},
		{"if", requires("targets")},
		{"then", object{{"properties", object{{"name", object{{"not", object{}}, {"errorMessage", "is for a file of one target; each entry of targets has a name of its own"}}}}}}},
		{"else", object{
			{"anyOf", []any{requires("page"), requires("endpoint"), requires("webhooks"), requires("dialogues")}},
			{"errorMessage", "names nothing to check; give page, endpoint or webhooks"},
		}},
	}
}

// A version is that of the form.
type version struct{ value }

func (version) keywords() object { return object{{"const", 1}} }

// Sections describe a target.
type Sections struct {
	Bot        *botSection       `yaml:"bot" doc:"The bot at Kindly."`
	Page       *pageSection      `yaml:"page" doc:"The page that has the chat on it."`
	Endpoint   *endpointSection  `yaml:"endpoint" doc:"The auth endpoint, where no page is given, or the token does not come straight from a request of the page."`
	Webhooks   *[]webhookSection `yaml:"webhooks" doc:"The webhooks of the bot."`
	PrivateKey text              `yaml:"private_key" doc:"PEM file of the private key, of a test environment only."`
	Sub        text              `yaml:"sub" doc:"The sub of tokens that are made with private_key alone: a user whom the webhooks know."`
	CAFile     text              `yaml:"ca_file" doc:"PEM file of a private certificate authority, trusted beside the system's."`
	Resolve    *map[string]text  `yaml:"resolve" doc:"The address to call for a host name."`
	Gate       *[]gateSection    `yaml:"gate" doc:"What stands before a staging system: goes with every request to these origins, also when logged out."`
	Proxy      text              `yaml:"proxy" doc:"The proxy to call through, http://host:port; HTTP_PROXY and HTTPS_PROXY, if not given. NO_PROXY counts in any case."`
	Observed   text              `yaml:"observed" doc:"What kindlytest learn has found out about the real Kindly: requests are sent likewise, and checks say what they rest on. kindly-observed.json beside this file, if not given."`
	Checks     checksSection     `yaml:"checks" doc:"Which checks are run, and how."`
}

// sections reads what describes a target: in the file itself, or in an entry of
// targets, where each one replaces the file's as a whole.
func (d *document) sections(at path, t *target.Target, o *subject.Options, s Sections) {
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
	l, err := ReadObserved(d.from.small, name)
	if err != nil {
		d.failed(at, "observed", err)
	}
	return l
}

// url returns a URL that can be called.
func (d *document) url(at path, raw address) string {
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

func (d *document) files(at path, t *target.Target, s Sections) {
	if s.PrivateKey != "" {
		key, err := ReadPrivateKey(d.from.small, string(s.PrivateKey))
		if err != nil {
			d.failed(at.to("private_key"), "private_key", err)
		}
		t.PrivateKey = key
	}
	if s.Sub != "" {
		t.Sub = string(s.Sub)
	}
	if s.CAFile != "" {
		authorities, err := ReadAuthorities(d.from.small, string(s.CAFile))
		if err != nil {
			d.failed(at.to("ca_file"), "ca_file", err)
		}
		t.Authorities = authorities
	}
}

type botSection struct {
	Key       text  `yaml:"key" doc:"Its key; without it any data-bot-key is accepted."`
	PublicKey texts `yaml:"public_key" doc:"PEM file of the public key that you uploaded to Kindly. In a list the first is the uploaded one; the others only say who signed instead."`
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
		key, pem, err := ReadPublicKey(d.from.small, name)
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
	URL           address `yaml:"url" must:"yes"`
	Method        text    `yaml:"method" doc:"If not given: POST where there is a body, GET otherwise."`
	Headers       secrets `yaml:"headers" doc:"The session: a cookie, or an Authorization header."`
	ChatIDField   text    `yaml:"chat_id_field" doc:"The member of the JSON body that holds the chat id; if not given, both chat_id and chatId are sent."`
	Path          text    `yaml:"path" doc:"Instead of the URL's; ${chat_id} stands for the chat id."`
	Query         secrets `yaml:"query" doc:"Names and values; ${chat_id} stands for the chat id."`
	Form          secrets `yaml:"form" doc:"A form body: names and values; ${chat_id} stands for the chat id."`
	Body          body    `yaml:"body" doc:"A JSON body, or a text as it is; ${chat_id} stands for the chat id."`
	Token         text    `yaml:"token" doc:"Where the token stands in the answer, such as data.kindly.token."`
	SecondHeaders secrets `yaml:"second_headers" doc:"The session of another user."`
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

func header(m secrets) http.Header {
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
	Name          text                `yaml:"name" doc:"For reports."`
	URL           address             `yaml:"url" must:"yes" doc:"The URL that Kindly knows; decides whether the token may go there."`
	ConnectTo     address             `yaml:"connect_to" doc:"Where to call it instead, for local work."`
	HMACSecret    text                `yaml:"hmac_secret" doc:"The secret for Kindly-HMAC, from the environment: ${VAR}"`
	Headers       secrets             `yaml:"headers" doc:"What a gateway before it wants."`
	Message       text                `yaml:"message" doc:"What the user wrote; Hello, if not given."`
	Slug          text                `yaml:"slug" doc:"exchange.exchange_slug of the dialogue."`
	Context       data                `yaml:"context" doc:"The chat's context."`
	Authenticated *expectationSection `yaml:"authenticated" doc:"How a believed token is answered."`
	Refused       *expectationSection `yaml:"refused" doc:"How a refused token is answered."`
}

func (webhookSection) keywords() object { return object{{"title", "a webhook"}} }

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
	JSON        data     `yaml:"json"`
}

func (expectationSection) keywords() object {
	return object{
		{"description", "What an answer must look like."},
		{"minProperties", 1},
		{"errorMessage", "expects nothing; give a status, contains, not_contains or json"},
	}
}

func (s *expectationSection) expectation() *oracle.Expectation {
	if s == nil {
		return nil
	}
	return &oracle.Expectation{Status: s.Status, Contains: s.Contains, NotContains: s.NotContains, JSON: s.JSON.object()}
}

type checksSection struct {
	Only             *texts             `yaml:"only" doc:"Run only these: IDs, areas or globs (HOOK-ALG-*)."`
	Skip             *texts             `yaml:"skip" doc:"Leave these out."`
	ExpectedFailures *[]expectedFailure `yaml:"expected_failures" doc:"Known failures. They don't fail the run; one that passes does."`
	Strict           *bool              `yaml:"strict" doc:"A broken SHOULD fails the run too."`
	Safe             *bool              `yaml:"safe" doc:"Send no hostile input: for production."`
	WaitExpiry       *bool              `yaml:"wait_expiry" doc:"Wait for real tokens to expire where a check needs that."`
	Concurrency      concurrency        `yaml:"concurrency" doc:"Checks at a time; 8, if not given."`
	Rate             *rate              `yaml:"rate" doc:"Requests a second; 50, and no limit on this machine, if not given."`
	Timeout          duration           `yaml:"timeout" doc:"Of one request, and of the page's callback, such as 10s or 2m; 10s, if not given."`
}

type concurrency int

func (concurrency) keywords() object { return object{{"minimum", 1}, {"maximum", 1000}} }

type rate float64

func (rate) keywords() object { return object{{"minimum", 0}} }

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
	set((*rate)(&o.Rate), s.Rate)
	if s.Concurrency != 0 {
		o.Concurrency = int(s.Concurrency)
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

// A duration is a time as Go writes it.
type duration string

func (duration) keywords() object {
	return object{{"pattern", `^([0-9.]+(ns|us|µs|ms|s|m|h))+$|\$\{`}, {"errorMessage", "must be a time such as 10s or 2m"}}
}

func (d *document) duration(at path, s duration) time.Duration {
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
	ID     text `yaml:"id" must:"yes" doc:"One check, such as AUTH-NO-STORE."`
	Reason text `yaml:"reason" must:"yes" doc:"Why the failure is accepted."`
	Until  text `yaml:"until" doc:"The last day on which it is accepted, such as 2027-01-31 (UTC)."`
}

func (expectedFailure) keywords() object { return object{{"title", "an expected failure"}} }

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
