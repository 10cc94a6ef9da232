package config

import (
	"net/http"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// document reads the whole file.
func (d *decoder) document(root ast.Node) {
	t := d.target
	version := 0
	var versionNode, nameNode, targetsNode ast.Node
	ok := d.mapping(root, "the file", slices.Concat(
		[]field{
			{"version", func(n ast.Node) { versionNode = n; d.integer(&version, "version", 1, 1)(n) }},
			{"name", func(n ast.Node) { nameNode = n; d.inTheOpen(d.text(&t.Name, "name"))(n) }},
		},
		d.sections(),
		[]field{{"dialogues", d.inTheOpen(d.dialogues)}, {"targets", func(n ast.Node) { targetsNode = n }}},
	)...)
	if ok && versionNode == nil {
		d.problem(root, "version is missing; the file begins with version: 1")
	}
	if targetsNode != nil {
		if nameNode != nil {
			d.problem(nameNode, "name is for a file of one target; each entry of targets has a name of its own")
		}
		d.targets(targetsNode) // last: the rest are their defaults, wherever it stands
		return
	}
	if ok && len(d.problems) == 0 && !offersAnything(t) && len(d.config.Dialogues) == 0 {
		d.problem(root, "it names nothing to check; give page, endpoint or webhooks")
	}
}

// sections are what describes a target: in the file itself, or in an entry of
// targets, where each one replaces the file's as a whole.
func (d *decoder) sections() []field {
	return []field{
		{"bot", d.inTheOpen(d.bot)},
		{"page", d.page},
		{"endpoint", d.endpoint},
		{"webhooks", d.webhooks},
		{"private_key", d.inTheOpen(d.privateKey)},
		{"ca_file", d.inTheOpen(d.caFile)},
		{"resolve", d.inTheOpen(d.resolve)},
		{"checks", d.inTheOpen(d.checks)},
	}
}

func offersAnything(t *target.Target) bool {
	return t.PageURL != "" || t.Endpoint != nil || len(t.Webhooks) > 0
}

func (d *decoder) bot(n ast.Node) {
	t := d.target
	t.BotKey, t.PublicKeys, t.PublicPEM = "", nil, nil
	d.mapping(n, "bot",
		field{"key", d.text(&t.BotKey, "bot.key")},
		field{"public_key", d.publicKeys},
	)
}

// publicKeys reads one file name or several, of which the first is the key that
// was uploaded to Kindly.
func (d *decoder) publicKeys(n ast.Node) {
	t := d.target
	for _, item := range d.items(n, "bot.public_key", true) {
		path, ok := d.scalar(item, "bot.public_key")
		if !ok {
			continue
		}
		key, pem, err := ReadPublicKey(d.from.Read, path)
		if err != nil {
			d.failed(item, "bot.public_key", err)
			continue
		}
		if len(t.PublicKeys) == 0 {
			t.PublicPEM = pem
		}
		t.PublicKeys = append(t.PublicKeys, key)
	}
}

func (d *decoder) privateKey(n ast.Node) {
	path, ok := d.scalar(n, "private_key")
	if !ok {
		return
	}
	key, err := ReadPrivateKey(d.from.Read, path)
	if err != nil {
		d.failed(n, "private_key", err)
		return
	}
	d.target.PrivateKey = key
}

// caFile reads the certificates of a private authority.
func (d *decoder) caFile(n ast.Node) {
	path, ok := d.scalar(n, "ca_file")
	if !ok {
		return
	}
	authorities, err := ReadAuthorities(d.from.Read, path)
	if err != nil {
		d.failed(n, "ca_file", err)
		return
	}
	d.target.Authorities = authorities
}

func (d *decoder) page(n ast.Node) {
	t := d.target
	t.PageURL, t.Login, t.Second = "", nil, nil
	d.mapping(n, "page",
		field{"url", d.url(&t.PageURL, "page.url")},
		field{"login", func(n ast.Node) { t.Login = d.login(n, "page.login") }},
		field{"second_login", func(n ast.Node) { t.Second = d.login(n, "page.second_login") }},
	)
	if t.PageURL == "" && len(d.problems) == 0 {
		d.problem(n, "page.url is missing")
	}
}

func (d *decoder) endpoint(n ast.Node) {
	e := &target.EndpointConfig{Header: http.Header{}}
	d.mapping(n, "endpoint",
		field{"url", d.url(&e.URL, "endpoint.url")},
		field{"method", d.inTheOpen(d.text(&e.Method, "endpoint.method"))},
		field{"headers", func(n ast.Node) {
			for _, h := range d.secrets(n, "endpoint.headers") {
				e.Header.Set(h.name, h.value)
			}
		}},
		field{"chat_id_field", d.inTheOpen(d.text(&e.ChatIDField, "endpoint.chat_id_field"))},
	)
	e.Method = strings.ToUpper(e.Method)
	if e.URL == "" && len(d.problems) == 0 {
		d.problem(n, "endpoint.url is missing")
	}
	d.target.Endpoint = e
}

func (d *decoder) webhooks(n ast.Node) {
	d.target.Webhooks = nil
	for _, item := range d.items(n, "webhooks", false) {
		var w target.Webhook
		d.mapping(item, "a webhook",
			field{"name", d.inTheOpen(d.text(&w.Name, "name"))},
			field{"url", d.url(&w.URL, "url")},
			field{"connect_to", d.url(&w.ConnectTo, "connect_to")},
			field{"hmac_secret", d.secret(&w.Secret, "hmac_secret")},
			field{"message", d.text(&w.Message, "message")},
			field{"slug", d.text(&w.Slug, "slug")},
			field{"context", func(n ast.Node) { w.Context = d.object(n, "context") }},
			field{"authenticated", func(n ast.Node) { w.Authenticated = d.expectation(n, "authenticated") }},
			field{"refused", func(n ast.Node) { w.Refused = d.expectation(n, "refused") }},
		)
		if w.URL == "" && len(d.problems) == 0 {
			d.problem(item, "the webhook's url is missing")
		}
		hooks := &d.target.Webhooks
		if w.Name != "" && slices.ContainsFunc(*hooks, func(o target.Webhook) bool { return o.Name == w.Name }) {
			d.problem(item, "two webhooks are called %q", w.Name)
		}
		*hooks = append(*hooks, w)
	}
}

func (d *decoder) expectation(n ast.Node, what string) *oracle.Expectation {
	e := &oracle.Expectation{}
	d.mapping(n, what,
		field{"status", func(n ast.Node) {
			for _, item := range d.items(n, what+".status", true) {
				var status int
				d.integer(&status, what+".status", 100, 599)(item)
				e.Status = append(e.Status, status)
			}
		}},
		field{"contains", d.texts(&e.Contains, what+".contains")},
		field{"not_contains", d.texts(&e.NotContains, what+".not_contains")},
		field{"json", func(n ast.Node) { e.JSON = d.object(n, what+".json") }},
	)
	if len(e.Status)+len(e.Contains)+len(e.NotContains)+len(e.JSON) == 0 && len(d.problems) == 0 {
		d.problem(n, "%s: %s", what, oracle.ErrEmpty)
	}
	return e
}

func (d *decoder) resolve(n ast.Node) {
	d.target.Resolve = map[string]string{}
	pairs, _ := d.pairs(n, "resolve")
	for _, p := range pairs {
		var to string
		d.text(&to, "resolve")(p.value)
		d.target.Resolve[p.key] = to
	}
}

func (d *decoder) checks(n ast.Node) {
	o := d.options // a target's begin as the file's: what is safe for all stays safe
	d.mapping(n, "checks",
		field{"only", d.selection(&o.Only, "checks.only")},
		field{"skip", d.selection(&o.Skip, "checks.skip")},
		field{"expected_failures", d.expectedFailures},
		field{"strict", d.boolean(&o.Strict, "checks.strict")},
		field{"safe", d.boolean(&o.Safe, "checks.safe")},
		field{"wait_expiry", d.boolean(&o.WaitExpiry, "checks.wait_expiry")},
		field{"concurrency", d.integer(&o.Concurrency, "checks.concurrency", 1, 1000)},
		field{"rate", d.number(&o.Rate, "checks.rate")},
		field{"timeout", d.duration(&o.Timeout, "checks.timeout")},
	)
}

func (d *decoder) selection(into *[]string, what string) func(ast.Node) {
	return func(n ast.Node) {
		*into = nil
		for _, item := range d.items(n, what, true) {
			pattern, ok := d.scalar(item, what)
			if !ok {
				continue
			}
			if err := suites.ValidateSelection([]string{pattern}); err != nil {
				d.failed(item, what, err)
			}
			*into = append(*into, pattern)
		}
	}
}

func (d *decoder) expectedFailures(n ast.Node) {
	expected := map[string]string{}
	for _, item := range d.items(n, "checks.expected_failures", false) {
		var id, reason string
		ok := d.mapping(item, "an expected failure",
			field{"id", d.text(&id, "id")},
			field{"reason", d.text(&reason, "reason")},
		)
		if !ok {
			continue
		}
		check, found := suites.Find(id)
		switch {
		case id == "":
			d.problem(item, "id is missing: the check whose failure is expected")
		case !found:
			d.unknownCheck(item, id)
		case reason == "":
			d.problem(item, "reason is missing: why is the failure of %s accepted?", id)
		case expected[check.ID()] != "":
			d.problem(item, "%s is listed twice", check.ID())
		}
		expected[check.ID()] = reason
	}
	d.options.ExpectedFailures = expected
}

func (d *decoder) unknownCheck(n ast.Node, id string) {
	if err := suites.ValidateSelection([]string{id}); err != nil {
		d.failed(n, "checks.expected_failures", err)
		return
	}
	d.problem(n, "%q names several checks; list each one with its reason", id)
}
