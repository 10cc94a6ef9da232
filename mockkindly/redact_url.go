package mockkindly

import (
	"net/url"
	"regexp"
	"strings"
)

// removedValue stands for a credential in a URL.
const removedValue = "[removed]"

// secretName matches the names of parameters whose value is a credential.
var secretName = regexp.MustCompile(`(?i)token|secret|passw|pwd|credential|signature|csrf|xsrf|samlresponse|assertion|api[-_]?key|session|jwt|` +
	`^(?:key|sig|auth|authorization|code|state|nonce|ticket|sid)$`)

// opaque matches what looks like a key: long, and no words. An ID in the form
// of a UUID is none.
var (
	opaque = regexp.MustCompile(`^[A-Za-z0-9_+/=.~-]{20,}$`)
	uuid   = regexp.MustCompile(`(?i)^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// redactURL returns a URL without its user and password, and without what are
// credentials by their names or looks among the values of its query and of its
// fragment. A path is left as it is: nobody can tell what is secret in it. All
// the rest keeps its spelling.
func redactURL(raw string) string {
	if _, err := url.Parse(raw); err != nil && strings.Contains(raw, "@") {
		return "(unreadable URL)" // nobody knows where a password in it ends
	}
	rest, fragment, hasFragment := strings.Cut(raw, "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	shown := withoutUser(rest)
	if hasQuery {
		shown += "?" + redactQuery(query)
	}
	if hasFragment {
		shown += "#" + redactQuery(fragment)
	}
	return shown
}

// withoutUser takes the user off scheme://user:password@host/path.
func withoutUser(raw string) string {
	before, rest, ok := strings.Cut(raw, "//")
	if !ok || strings.ContainsAny(before, "/@") {
		return raw
	}
	end := strings.IndexByte(rest, '/')
	if end < 0 {
		end = len(rest)
	}
	return before + "//" + rest[strings.LastIndexByte(rest[:end], '@')+1:]
}

// redactQuery treats each of the parts that separators are between.
func redactQuery(query string) string {
	var out strings.Builder
	for query != "" {
		end := strings.IndexFunc(query, isSeparator)
		if end < 0 {
			end = len(query)
		}
		part := query[:end]
		if _, value, ok := secretPair(part); ok {
			part = strings.TrimSuffix(part, value) + removedValue
		}
		out.WriteString(part)
		if end < len(query) {
			out.WriteByte(query[end])
			end++
		}
		query = query[end:]
	}
	return out.String()
}

func isSeparator(r rune) bool { return r == '&' || r == ';' || r == '?' }

// secretPair takes name=value, or a value alone, apart, and tells whether the
// value is a credential.
func secretPair(part string) (name, value string, secret bool) {
	name, value, named := strings.Cut(part, "=")
	if !named {
		name, value = "", part
	}
	plain, err := url.QueryUnescape(value)
	if err != nil {
		plain = value
	}
	if unescaped, err := url.QueryUnescape(name); err == nil {
		name = unescaped
	}
	return name, value, plain != "" && (secretName.MatchString(name) || looksSecret(plain))
}

func looksSecret(value string) bool {
	return opaque.MatchString(value) && !uuid.MatchString(value) &&
		strings.ContainsAny(value, "0123456789") && strings.ContainsFunc(value, isLetter)
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// urlSecrets are what redactURL takes away, to be looked for elsewhere.
func urlSecrets(raw string) []string {
	if !strings.ContainsAny(raw, "@?") { // nearly always so
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil
	}
	var found []string
	if password, ok := u.User.Password(); ok {
		found = append(found, password)
	} else if looksSecret(u.User.Username()) {
		found = append(found, u.User.Username())
	}
	for _, part := range strings.FieldsFunc(u.RawQuery, isSeparator) {
		_, value, ok := secretPair(part)
		if !ok {
			continue
		}
		found = append(found, value)
		if plain, err := url.QueryUnescape(value); err == nil && plain != value {
			found = append(found, plain)
		}
	}
	return found
}

// secrets are the credentials of a webhook, its token aside.
func (w Webhook) secrets() []string {
	found := append(urlSecrets(w.URL), urlSecrets(w.ConnectTo)...)
	if w.Secret != "" {
		found = append(found, w.Secret)
	}
	return found
}

// secretsOf are the credentials of all webhooks of a bot, which a visitor or
// another webhook may repeat.
func (k *Kindly) secretsOf(botKey string) credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := credentials{secret: k.opts.NextSecret, others: k.opts.Application.Webhook.secrets()}
	if b, ok := k.bot(botKey); ok {
		for _, w := range b.Webhooks {
			c.others = append(c.others, w.secrets()...)
		}
	}
	return c
}

// withoutSecrets is e without the credentials of the bot's webhooks.
func (k *Kindly) withoutSecrets(e Event) Event {
	known := k.secretsOf(e.Bot)
	switch {
	case e.Message != nil:
		m := *e.Message
		m.Text, m.Slug = known.hide(m.Text), known.hide(m.Slug)
		e.Message = &m
	case e.Callback != nil:
		c := *e.Callback
		c.Error = known.hide(c.Error)
		e.Callback = &c
	case e.Delivery != nil: // its exchange is as on the wire: they are hidden where it is shown
		e.Delivery.sent.others = append(known.others, known.secret)
	}
	return e
}
