package config_test

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/oracle"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

var environment = map[string]string{
	"USER": "ada@example.com", "PASSWORD": "pa: ss\n#word", "SESSION": "s3ss10n", "SECRET": "hmac-secret", "EMPTY": "",
	"TOTP": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
}

func sources() config.Sources {
	return config.Sources{
		Env: func(name string) (string, bool) { v, ok := environment[name]; return v, ok },
		Read: func(path string, _ int64) ([]byte, error) {
			if text, ok := files()[path]; ok {
				return text, nil
			}
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		},
	}
}

// everything is a file with each key.
const everything = `
version: 1
name: Staging
bot: {key: my-bot, public_key: public.pem}
page:
  url: https://staging.example.com/
  login:
    - goto: https://staging.example.com/login
    - fill: {"#z": "${USER}", "#a": "${PASSWORD}", "#code": "1-${totp:TOTP}"}
    - click: "button[type=submit]"
    - press: Enter
    - wait_for: .account
  second_login:
    cookies:
      - {name: session, value: "${SESSION}", domain: example.com, path: /a, secure: true, http_only: true, same_site: lax}
    headers: {X-Test: "yes"}
    local_storage: {"token": "${SESSION}"}
    origin: https://staging.example.com/
    storage_state: grace.json
    steps: [{idle: 1s}]
  steps:
    - click: "#accept"
    - scroll: bottom
    - idle: 1.5s
endpoint:
  url: https://staging.example.com/kindly/token
  method: put
  headers: {authorization: "Bearer ${SESSION}"}
  chat_id_field: chatId
  path: /v2/${chat_id}
  query: {q: "${chat_id}"}
  body: {variables: {id: "${chat_id}"}}
  token: data.token
  second_headers: {authorization: "Bearer of grace"}
webhooks:
  - name: orders
    url: https://hooks.example.com/kindly
    connect_to: http://localhost:3000/kindly
    hmac_secret: ${SECRET}
    headers: {X-Api-Key: "${SECRET}"}
    message: where is my order ${NUMBER:-42}?
    slug: order-status
    context: {order: "42", "n": 7, list: [true, null, 1.5]}
    authenticated: {contains: ["Ada"], status: 200}
    refused:
      status: [401, 403]
      not_contains: Ada
      json: {error: {code: 1}}
private_key: private.pem
sub: u-42
ca_file: ca.pem
resolve: {Hooks.Example.com: "127.0.0.1:3000"}
gate:
  - origins: [https://staging.example.com/]
    headers: {x-bypass: "${SECRET}"}
    basic: {user: staging, password: "${PASSWORD}"}
    cookies: {gate: "${SESSION}"}
    client_certificate: {cert: ca.pem, key: private.pem}
proxy: http://proxy.example.com:3128
observed: seen.json
checks:
  only: [AUTH, tok-exp]
  skip: HOOK-*
  expected_failures: [{id: auth-no-store, reason: "OPS-12", until: 2027-01-31}]
  strict: true
  safe: true
  wait_expiry: true
  concurrency: 3
  rate: 12.5
  timeout: 20s
dialogues:
  - slug: orders
    phrases: [where is it]
    webhook: orders
    exchange_slug: next
    new_context: {a: 1}
  - fallback: true
    reply: What?
    buttons: [{button_type: quick_reply, label: Order, value: where is it}]
    image_carousel: [{imageUrl: "https://a.example/a.png"}]
`

func TestParseReadsEverything(t *testing.T) {
	c, err := config.Parse("kindlytest.yaml", []byte(everything), sources())
	if err != nil {
		t.Fatal(err)
	}
	target, o := c.Target, c.Options
	code := &target.Login.Steps[1].Fill[2].Code
	if got := (*code)(time.Unix(59, 0)); got != "1-287082" {
		t.Errorf("the one-time code is %q", got)
	}
	*code = nil // functions can't be compared
	gate := target.Gates[0]
	for what, row := range map[string]struct{ got, want any }{
		"name":     {target.Name, "Staging"},
		"bot key":  {target.BotKey, "my-bot"},
		"page":     {target.PageURL, "https://staging.example.com/"},
		"resolve":  {target.Resolve, map[string]string{"hooks.example.com": "127.0.0.1:3000"}},
		"only":     {o.Only, []string{"AUTH", "tok-exp"}},
		"skip":     {o.Skip, []string{"HOOK-*"}},
		"expected": {o.ExpectedFailures, map[string]string{"AUTH-NO-STORE": "OPS-12"}},
		"until":    {o.ExpectedUntil, map[string]time.Time{"AUTH-NO-STORE": time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)}},
		"switches": {[]bool{o.Strict, o.Safe, o.WaitExpiry}, []bool{true, true, true}},
		"bounds":   {[]any{o.Concurrency, o.Rate, o.Timeout.String()}, []any{3, 12.5, "20s"}},
		"notes": {c.Notes, []string{
			"kindlytest.yaml:19:20: grace.json holds an IndexedDB of https://login.example.com, which is not restored: an app that keeps its session there needs steps",
			"kindlytest.yaml:34:35: endpoint.second_headers.authorization stands in the file; ${VAR} takes it from the environment",
		}},
		"secrets":    {slices.Compact(slices.Sorted(slices.Values(target.Secrets))), []string{"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "ada@example.com", "hmac-secret", "pa: ss\n#word", "s3ss10n"}},
		"page steps": {target.PageSteps, []browser.Step{{Click: "#accept"}, {Scroll: "bottom"}, {Idle: 1500 * time.Millisecond}}},
		"gate": {[]any{gate.Origins, gate.Header, gate.User, gate.Password, gate.Cookies, gate.Certificate != nil},
			[]any{[]string{"https://staging.example.com"}, map[string]string{"x-bypass": "hmac-secret"}, "staging", "pa: ss\n#word", map[string]string{"gate": "s3ss10n"}, true}},
		"proxy":           {[]string{target.Proxy.HTTP, target.Proxy.HTTPS}, []string{"http://proxy.example.com:3128", "http://proxy.example.com:3128"}},
		"sub":             {target.Sub, "u-42"},
		"keys":            {[]bool{target.PrivateKey != nil, len(target.PublicKeys) == 1, len(target.Authorities) == 1}, []bool{true, true, true}},
		"webhook headers": {target.Webhooks[0].Header, http.Header{"X-Api-Key": {"hmac-secret"}}},
		"a request for a token": {target.Endpoint.Request("c1"), wire.Request{Method: "PUT", URL: "https://staging.example.com/v2/c1?q=c1",
			Header: http.Header{"Authorization": {"Bearer s3ss10n"}, "Content-Type": {"application/json"}}, Body: []byte(`{"variables":{"id":"c1"}}`)}},
		"the second user's": {target.Endpoint.ForSecond().Header, http.Header{"Authorization": {"Bearer of grace"}}},
		"token":             {target.Endpoint.Token, "data.token"},
		"dialogues": {c.Dialogues, []mockkindly.Dialogue{
			{Slug: "orders", Phrases: []string{"where is it"}, Webhook: "orders", Answer: webhook.Answer{ExchangeSlug: "next", NewContext: map[string]any{"a": uint64(1)}}},
			{Fallback: true, Answer: webhook.Answer{Reply: "What?", Buttons: []webhook.Button{{Type: "quick_reply", Label: "Order", Value: "where is it"}}, ImageCarousel: []webhook.Image{{ImageURL: "https://a.example/a.png"}}}},
		}},
		"steps in their order, fields too": {target.Login.Steps, []browser.Step{
			{Goto: "https://staging.example.com/login"},
			{Fill: []browser.Field{{Selector: "#z", Value: "ada@example.com"}, {Selector: "#a", Value: "pa: ss\n#word"}, {Selector: "#code"}}},
			{Click: "button[type=submit]"}, {Press: "Enter"}, {WaitFor: ".account"},
		}},
		"second login": {target.Second, &browser.Login{
			Steps: []browser.Step{{Idle: time.Second}},
			Cookies: []browser.Cookie{
				{Name: "session", Value: "s3ss10n", Domain: "example.com", Path: "/a", Secure: true, HTTPOnly: true, SameSite: "Lax"},
				{Name: "sid", Value: "grace-sid", Domain: ".example.com", Path: "/", HTTPOnly: true, SameSite: "None", Expires: time.Unix(1999999999, 0)},
			},
			Stored:       "grace.json",
			Storage:      map[string]map[string]string{"https://app.example.com": {"jwt": "grace-jwt"}, "https://login.example.com": {"device": "d"}},
			Headers:      map[string]string{"X-Test": "yes"},
			LocalStorage: map[string]string{"token": "s3ss10n"},
			Origin:       "https://staging.example.com",
		}},
		"endpoint headers": {target.Endpoint.Header, http.Header{"Authorization": {"Bearer s3ss10n"}}},
		"endpoint":         {[]string{target.Endpoint.URL, target.Endpoint.Method, target.Endpoint.ChatIDField}, []string{"https://staging.example.com/kindly/token", "PUT", "chatId"}},
		"webhook":          {[]string{target.Webhooks[0].Name, target.Webhooks[0].URL, target.Webhooks[0].ConnectTo, target.Webhooks[0].Secret, target.Webhooks[0].Message, target.Webhooks[0].Slug}, []string{"orders", "https://hooks.example.com/kindly", "http://localhost:3000/kindly", "hmac-secret", "where is my order 42?", "order-status"}},
		"context":          {target.Webhooks[0].Context, map[string]any{"order": "42", "n": uint64(7), "list": []any{true, nil, 1.5}}},
		"authenticated":    {target.Webhooks[0].Authenticated, &oracle.Expectation{Contains: []string{"Ada"}, Status: []int{200}}},
		"refused":          {target.Webhooks[0].Refused, &oracle.Expectation{Status: []int{401, 403}, NotContains: []string{"Ada"}, JSON: map[string]any{"error": map[string]any{"code": uint64(1)}}}},
	} {
		if diff := cmp.Diff(row.want, row.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}

const aPage = "version: 1\npage: {url: https://a.example/}\n"

// mistakes are what a file must not hold, and what is said of it. Some are
// beyond a schema: it sees no files, variables and names of checks.
var mistakes = []struct {
	name, text, want string
	beyond           bool
}{
	{"an empty file", "", "f: it is empty; it begins with version: 1", false},
	{"a comment alone", "# later\n", "f: it is empty; it begins with version: 1", false},
	{"no mapping", "- a\n", "f:1:1: the file must be keys and values, not a list", false},
	{"no version", "page: {url: https://a.example/}\n", "f:1:1: version is missing; the file begins with version: 1", false},
	{"another version", "version: 2\npage: {url: https://a.example/}\n", "f:1:10: version must be 1, not 2", false},
	{"a version that is text", "version: \"1\"\npage: {url: https://a.example/}\n", "f:1:10: version must be 1, not 1 in quotes", false},
	{"a key in its parent's line", "version: 1\npage: url: https://a.example/\n", "f:2:7: this does not fit where it stands: what belongs to a key stands in lines below it, all indented alike; a text that holds a colon and a space stands in quotes", true},
	{"a key that is indented further than its neighbour", "version: 1\npage:\n  url: https://a.example/\n    steps: []\n", "f:3:8: this does not fit where it stands: what belongs to a key stands in lines below it, all indented alike; a text that holds a colon and a space stands in quotes", true},
	{"a key without its colon", "version: 1\npage:\n  url https://a.example/\n  steps: []\n", "f:3:3: a key with its colon is expected here: key: value", true},
	{"a quote that does not end", "version: 1\nname: \"shop\npage: {url: https://a.example/}\n", "f:2:7: the text that begins here lacks the quote at its end", true},
	{"a brace that does not end", "version: 1\npage: {url: https://a.example/\n", "f:2:7: what begins with { here has no } at its end", true},
	{"a bracket that does not end", "version: 1\nwebhooks: [{url: https://a.example/}\n", "f:2:11: what begins with [ here has no ] at its end", true},
	{"a text that begins with a sign", "version: 1\nname: @shop\n", "f:2:7: a text can't begin with this sign; put it in quotes", true},
	{"a tab for indentation", "version: 1\npage:\n\turl: https://a.example/\n", "f:3:1: a tab stands here, which YAML does not take for indentation; use spaces", true},
	{"nothing to check", "version: 1\n", "f:1:1: it names nothing to check; give page, endpoint or webhooks", false},
	{"a key mistyped", "version: 1\nwebhook: []\n", `f:2:1: unknown key "webhook"; did you mean "webhooks"?`, false},
	{"a key that stands elsewhere", "version: 1\npublic_key: public.pem\n", `f:2:1: unknown key "public_key"; it stands in bot`, false},
	{"a key of its own", aPage + "telephone: 1\n", `f:3:1: unknown key "telephone"; the file may hold version, name, bot, page, endpoint, webhooks, private_key, sub, ca_file, resolve, gate, proxy, observed, checks, dialogues, targets`, false},
	{"a key without a value", "version: 1\npage:\n", "f:2:1: page has no value; give it one, or leave it out", false},
	{"a key twice", aPage + "page: {url: https://b.example/}\n", "f:3:1: the key is there already, further up", true},
	{"text for a switch", aPage + "checks: {strict: \"true\"}\n", "f:3:18: checks.strict must be true or false, not text", false},
	{"a number for a list of checks", aPage + "checks: {only: {a: 1}}\n", "f:3:16: checks.only must be a list, not keys and values", false},
	{"a time without unit", aPage + "checks: {timeout: 10}\n", `f:3:19: checks.timeout must be a time such as 10s or 2m, not "10"`, false},
	{"no requests a second", aPage + "checks: {rate: -1}\n", "f:3:16: checks.rate must not be negative", false},
	{"a check that there is not", aPage + "checks: {skip: [AUTH-NO-STOER]}\n", `f:3:17: checks.skip: "AUTH-NO-STOER" selects no check; did you mean AUTH-NO-STORE?`, true},
	{"a known failure without reason", aPage + "checks:\n  expected_failures:\n    - id: AUTH-NO-STORE\n", "f:5:7: reason is missing: why is the failure of AUTH-NO-STORE accepted?", false},
	{"a whole area as known failure", aPage + "checks: {expected_failures: [{id: AUTH, reason: x}]}\n", `f:3:30: "AUTH" names several checks; list each one with its reason`, true},
	{"a page without URL", "version: 1\npage: {login: [{goto: https://a.example/}]}\n", "f:2:7: page.url is missing", false},
	{"a URL without scheme", "version: 1\npage: {url: localhost:3000}\n", `f:2:13: page.url: "localhost:3000" does not start with http:// or https://; did you mean http://localhost:3000?`, false},
	{"a password in a URL", "version: 1\npage: {url: \"https://u:p@a.example/\"}\n", "f:2:13: page.url: the URL of a.example holds a password or user name, which would end up in logs; give it as a header, from the environment: page.login.headers, or endpoint.headers, in kindlytest.yaml", true},
	{"two actions in a step", aPage[:len(aPage)-2] + ", login: [{click: a, press: b}]}\n", "f:2:41: a step has one action; begin each with a hyphen of its own", false},
	{"an unknown action", aPage[:len(aPage)-2] + ", login: [{clik: a}]}\n", `f:2:42: unknown key "clik"; did you mean "click"?`, false},
	{"a login that does nothing", aPage[:len(aPage)-2] + ", login: {}}\n", "f:2:40: page.login logs nobody in; give steps, storage_state, cookies, headers or local_storage", false},
	{"an expectation that everything meets", "version: 1\nwebhooks: [{url: https://a.example/, refused: {}}]\n", "f:2:47: refused expects nothing; give a status, contains, not_contains or json", false},
	{"two webhooks of one name", "version: 1\nwebhooks:\n  - {name: a, url: https://a.example/}\n  - {name: a, url: https://b.example/}\n", `f:4:5: two webhooks are called "a"`, true},
	{"a key file that is not there", "version: 1\nbot: {public_key: gone.pem}\npage: {url: https://a.example/}\n", "f:2:19: bot.public_key: gone.pem: file does not exist", true},
	{"a variable that is not set", "version: 1\nname: ${NOWHERE}\npage: {url: https://a.example/}\n", "f:2:7: the environment variable NOWHERE is not set; set it, or give a default: ${NOWHERE:-default}", true},
	{"a variable that is empty", "version: 1\nname: ${EMPTY}\npage: {url: https://a.example/}\n", "f:2:7: the environment variable EMPTY is empty; give it a value, or a default: ${EMPTY:-default}", true},
	{"no variable", "version: 1\nname: ${a b}\npage: {url: https://a.example/}\n", "f:2:7: this is no variable: the forms are ${VAR} and ${VAR:-default}; $${ stands for ${ itself", true},
	{"an alias", "version: 1\nname: *a\npage: {url: https://a.example/}\n", "f:2:7: name can't be an anchor, alias or merge key, which are not supported: write the value out", true},
	{"no targets", "version: 1\ntargets: []\n", "f:2:10: targets must list 1 to 200 targets, not 0", false},
	{"a target that is text", "version: 1\ntargets: [shop]\n", "f:2:11: a target must be keys and values, not text", false},
	{"a target without name", "version: 1\ntargets: [{page: {url: https://a.example/}}]\n", "f:2:11: the target's name is missing", false},
	{"a target whose name is no folder's", "version: 1\ntargets: [{name: a/b, page: {url: https://a.example/}}]\n", `f:2:18: name must be fit for a folder, up to 64 of a-z, A-Z, 0-9, - and _, a letter or digit first, not "a/b"`, false},
	{"two targets of one name", "version: 1\npage: {url: https://a.example/}\ntargets: [{name: shop}, {name: Shop}]\n", `f:3:25: two targets are called "Shop"`, true},
	{"a target with nothing to check", "version: 1\ntargets: [{name: shop}]\n", "f:2:11: target shop names nothing to check; give page, endpoint or webhooks", true},
	{"a name beside targets", "version: 1\nname: all\ntargets: [{name: shop, page: {url: https://a.example/}}]\n", "f:2:7: name is for a file of one target; each entry of targets has a name of its own", false},
	{"targets within a target", "version: 1\ntargets: [{name: shop, targets: []}]\n", `f:2:24: unknown key "targets"; a target may hold name, bot, page, endpoint, webhooks, private_key, sub, ca_file, resolve, gate, proxy, observed, checks`, false},
	{"an authority that is not there", aPage + "ca_file: gone.pem\n", "f:3:10: ca_file: gone.pem: file does not exist", true},
	{"a gate that opens nothing", aPage + "gate: [{origins: https://a.example/}]\n", "f:3:8: a gate opens nothing; give headers, basic, cookies or client_certificate", false},
	{"a gate without its list", aPage + "gate: {headers: {a: b}}\n", "f:3:7: gate must be a list, not keys and values", false},
	{"basic without its password", aPage + "gate: [{basic: {user: u}}]\n", "f:3:16: basic.password is missing", false},
	{"a certificate without its key", aPage + "gate: [{client_certificate: {cert: ca.pem, key: public.pem}}]\n", "f:3:29: client_certificate: ca.pem and public.pem must be PEM files, of a certificate and of its key without a password", true},
	{"a proxy that is none", aPage + "proxy: proxy.example.com\n", "f:3:8: proxy: it is no URL of a proxy; an example: http://proxy.example.com:3128", true},
	{"a goto on the page", aPage[:len(aPage)-2] + ", steps: [{goto: https://a.example/}]}\n", `f:2:42: unknown key "goto"; a step may hold fill, click, wait_for, press, scroll, idle`, false},
	{"an idle without unit", aPage[:len(aPage)-2] + ", steps: [{idle: 2}]}\n", `f:2:48: idle must be a time such as 10s or 2m, not "2"`, false},
	{"a state that is not there", aPage[:len(aPage)-2] + ", login: {storage_state: gone.json}}\n", "f:2:56: page.login.storage_state: gone.json: file does not exist", true},
	{"a state that is none", aPage[:len(aPage)-2] + ", login: {storage_state: ca.pem}}\n", "f:2:56: page.login.storage_state: ca.pem is not what Playwright's context.storageState writes", true},
	{"what was learnt is not there", aPage + "observed: gone.json\n", "f:3:11: observed: gone.json: file does not exist", true},
	{"what was learnt is none", aPage + "observed: ca.pem\n", "f:3:11: observed: ca.pem: it is no JSON that kindlytest learn wrote; kindlytest learn writes such a file", true},
	{"a state of nobody", aPage[:len(aPage)-2] + ", login: {storage_state: nobody.json}}\n", "f:2:56: page.login.storage_state: nobody.json holds neither cookies nor local storage: nobody was logged in when it was written", true},
	{"a code outside of fill", "version: 1\nname: ${totp:TOTP}\npage: {url: https://a.example/}\n", "f:2:7: ${totp:VAR} is a one-time code, which is typed: it stands in fill alone", true},
	{"a code of no secret", aPage[:len(aPage)-2] + ", login: [{fill: {a: \"${totp:SESSION}\"}}]}\n", "f:2:52: the environment variable SESSION: it is no secret of an authenticator: those are in base32 (A-Z, 2-7), or an otpauth:// URL", true},
	{"an endpoint with two bodies", "version: 1\nendpoint: {url: https://a.example/, body: \"${chat_id}\", form: {a: b}}\n", "f:2:11: endpoint: body and form are two bodies; give one", true},
	{"an endpoint that is not told the chat", "version: 1\nendpoint: {url: https://a.example/, query: {a: b}}\n", "f:2:11: endpoint: the chat id goes nowhere; ${chat_id} says where, in query, body, form, path or headers", true},
	{"a webhook's Authorization", "version: 1\nwebhooks: [{url: https://a.example/, headers: {authorization: \"${SECRET}\"}}]\n", "f:2:63: headers: Kindly sends the token in Authorization; a gateway wants another header", true},
	{"a button that is none", aPage + "dialogues:\n  - fallback: true\n    buttons:\n      - {button_type: quick_reply, label: 1}\n", "f:6:43: buttons[0].label: expected a string, got a number", true},
	{"a secret as a time", aPage + "checks: {timeout: \"${SECRET}\"}\n", "f:3:19: checks.timeout must be a time such as 10s or 2m, not ${SECRET}", true},
	{"a secret as a URL", "version: 1\npage: {url: \"${SECRET}\"}\n", "f:2:13: page.url: ${SECRET} does not start with http:// or https://; did you mean https://${SECRET}?", true},
	{"a secret as a check", aPage + "checks: {skip: [\"${SECRET}\"]}\n", "f:3:17: checks.skip: ${SECRET} selects no check; `kindlytest list` shows them", true},
	{"two documents", aPage + "---\nversion: 1\n", "f:4:1: a second document begins here; several targets are a list: targets", true},
}

func TestParseNamesTheMistakeAndTheWayOut(t *testing.T) {
	for _, row := range mistakes {
		t.Run(row.name, func(t *testing.T) {
			_, err := config.Parse("f", []byte(row.text), sources())
			if err == nil {
				t.Fatal("no error")
			}
			if got := err.Error(); got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

func TestTargetsReplaceSectionsOfTheFile(t *testing.T) {
	c, err := config.Parse("f", []byte(`
version: 1
targets: # before their defaults, to no effect
  - name: shop
  - name: intranet
    page: {url: https://intranet.example/}
    bot: {key: other}
    webhooks: [{name: own, url: https://own.example/}]
    resolve: {own.example: 127.0.0.2}
    checks: {only: TOK, skip: SIG, strict: false}
    sub: u-7
bot: {key: common}
sub: u-42
page:
  url: https://shop.example/
  login: [{click: a}]
webhooks: [{name: orders, url: https://hooks.example/}]
resolve: {hooks.example: 127.0.0.1}
checks: {strict: true, safe: true, skip: [RESP]}
`), sources())
	if err != nil {
		t.Fatal(err)
	}
	shop, intranet := c.Targets[0], c.Targets[1]
	for what, row := range map[string]struct{ got, want any }{
		"names":                        {[]string{shop.Target.Name, intranet.Target.Name}, []string{"shop", "intranet"}},
		"a page that is the file's":    {shop.Target.PageURL, "https://shop.example/"},
		"a login with it":              {shop.Target.Login != nil, true},
		"a page of its own":            {intranet.Target.PageURL, "https://intranet.example/"},
		"no login of another page":     {intranet.Target.Login == nil, true},
		"users":                        {[]string{shop.Target.Sub, intranet.Target.Sub}, []string{"u-42", "u-7"}},
		"bots":                         {[]string{shop.Target.BotKey, intranet.Target.BotKey}, []string{"common", "other"}},
		"webhooks, not added up":       {len(intranet.Target.Webhooks), 1},
		"webhooks of the file":         {shop.Target.Webhooks[0].Name, "orders"},
		"names resolved, not added up": {intranet.Target.Resolve, map[string]string{"own.example": "127.0.0.2"}},
		"names resolved by the file":   {shop.Target.Resolve, map[string]string{"hooks.example": "127.0.0.1"}},
		"checks of the file":           {[]any{shop.Options.Strict, shop.Options.Skip}, []any{true, []string{"RESP"}}},
		"checks of its own, key by key": {[]any{intranet.Options.Strict, intranet.Options.Safe, intranet.Options.Skip, intranet.Options.Only},
			[]any{false, true, []string{"SIG"}, []string{"TOK"}}},
	} {
		if diff := cmp.Diff(row.want, row.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}

func TestParseTellsAllMistakesInTheirOrder(t *testing.T) {
	_, err := config.Parse("f", []byte("version: 1\nchecks: {strict: 1, save: true}\npage: {url: nowhere}\n"), sources())
	var e *config.Error
	if !errors.As(err, &e) || len(e.Problems) != 3 {
		t.Fatalf("got %v, want three problems", err)
	}
	for i, line := range []int{2, 2, 3} {
		if e.Problems[i].Line != line {
			t.Errorf("problem %d is in line %d, want %d", i, e.Problems[i].Line, line)
		}
	}
}

func TestParseNeverQuotesTheSourceOfASyntaxError(t *testing.T) {
	_, err := config.Parse("f", []byte("version: 1\nwebhooks:\n  - hmac_secret: sesam-open\n   url: [\n"), sources())
	if err == nil || strings.Contains(err.Error(), "sesam") {
		t.Fatalf("got %v", err)
	}
}

func TestParseRemarksOnSecretsInTheFile(t *testing.T) {
	c, err := config.Parse("f", []byte(`version: 1
page:
  url: https://a.example/
  login:
    - fill: {"#password": sesam-open, "#email": ada@example.com}
webhooks:
  - {url: https://a.example/, hmac_secret: sesam-open}
`), sources())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"f:5:27: a password stands in the file; ${VAR} takes it from the environment",
		"f:7:44: hmac_secret stands in the file; ${VAR} takes it from the environment",
	}
	if diff := cmp.Diff(want, c.Notes); diff != "" {
		t.Error(diff)
	}
}

func TestExpand(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"a variable", "${SESSION}", "s3ss10n"},
		{"within text", "Bearer ${SESSION}!", "Bearer s3ss10n!"},
		{"a default that is not needed", "${SESSION:-x}", "s3ss10n"},
		{"a default", "${NOWHERE:-x y}", "x y"},
		{"an empty default", "a${NOWHERE:-}b", "ab"},
		{"a default for an empty variable", "${EMPTY:-x}", "x"},
		{"no variable", "$5, 100$ and {}", "$5, 100$ and {}"},
		{"an escape", "$${SESSION}", "${SESSION}"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := config.Expand(row.text, sources().Env)
			if err != nil || got != row.want {
				t.Errorf("got %q and %v, want %q", got, err, row.want)
			}
		})
	}
}

func TestExpandDoesNotExpandValues(t *testing.T) {
	env := func(string) (string, bool) { return "${OTHER}", true }
	if got, err := config.Expand("${A}", env); err != nil || got != "${OTHER}" {
		t.Errorf("got %q and %v", got, err)
	}
}

func TestWhatABrowserStoredMayBeLargerThanAKey(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "kindlytest.yaml")
	for size, want := range map[int]string{2 << 20: "", 8 << 20: "state.json: it is larger than 8192 KB"} {
		for name, text := range map[string]string{
			"kindlytest.yaml": "version: 1\npage: {url: http://localhost/, login: {storage_state: state.json}}\n",
			"state.json":      `{"origins": [{"origin": "http://localhost", "localStorage": [{"name": "a", "value": "` + strings.Repeat("x", size) + `"}]}]}`,
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := config.Load(file, func(string) (string, bool) { return "", false })
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("of %d bytes: %v, want %q", size, err, want)
		}
	}
}

func TestLoadFindsKeysBesideTheFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "kindlytest.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nbot: {public_key: key.pem}\npage: {url: https://a.example/}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(path, sources().Env)
	if err == nil || !strings.Contains(err.Error(), "key.pem: no such file") && !strings.Contains(err.Error(), "cannot find") {
		t.Fatalf("got %v, want that the key is not there", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = config.Load(path, sources().Env)
	if err == nil || strings.Contains(err.Error(), "no such file") {
		t.Fatalf("got %v, want that it is no key", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("version: 1\npage: {url: https://a.example/, login: [{fill: {a: b}}]}\n")
	f.Add("version: 1\nwebhooks: [{url: https://a.example/, context: {a: [1, {b: !!x c}]}}]\n")
	f.Add("a: &a [*a]\n<<: *a\n? {x}\n: y\n")
	f.Add("version: ${SESSION}\nname: |\n  a\n  ${b\n")
	f.Add("checks: {expected_failures: [{id: TOK-EXP, reason: |-\n x}]}\n...\n---\n%YAML 1.2\n")
	f.Add("version: 1\npage: {url: https://a.example/}\ntargets: [{name: a}, {name: b, checks: {rate: 1}}]\n")
	f.Add(everything)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := config.Parse("f", []byte(text), sources())
		if (c == nil) == (err == nil) {
			t.Fatalf("got %v and %v: exactly one of them", c, err)
		}
		var e *config.Error
		if err != nil && (!errors.As(err, &e) || len(e.Problems) == 0) {
			t.Fatalf("an error without problems: %v", err)
		}
		if err != nil {
			return
		}
		if err := validates(t, text); errors.As(err, new(*jsonschema.ValidationError)) {
			t.Fatalf("the schema refuses what the parser takes: %v", err)
		}
	})
}
