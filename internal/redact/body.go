package redact

import (
	"encoding/base64"
	"html"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// Raw returns the body of a message without what is known in it; JSON stays
// JSON. cut says that the body went on.
func (r *Redactor) Raw(body []byte, cut bool) []byte {
	if cut || !isJSON(body) {
		if text := r.known(string(body), cut); text != string(body) {
			return []byte(text)
		}
		return body
	}
	return r.JSON(Signatures(body), 0)
}

// Body is for people: without what is known, what stands in URLs, and fields
// that are credentials by their name. Without a content type the shape decides.
func (r *Redactor) Body(body []byte, contentType string, cut bool) string {
	return byName(urlsIn(r.known(string(body), cut)), contentType)
}

// secretHeaders hold credentials whatever their value.
var secretHeaders = map[string]bool{
	"cookie": true, "proxy-authorization": true, "x-csrf-token": true, "x-xsrf-token": true, "x-api-key": true, "kindly-hmac": true,
}

// Header returns a header's value without credentials. A token is worth showing
// without its signature.
func (r *Redactor) Header(name, value string) string {
	lower := strings.ToLower(name)
	switch {
	case lower == "set-cookie":
		cookie, attributes, _ := strings.Cut(value, ";")
		key, _, _ := strings.Cut(cookie, "=")
		return strings.TrimSuffix(r.Known(key)+"="+Removed+";"+attributes, ";")
	case secretHeaders[lower]:
		return Removed
	case lower == "authorization":
		return r.authorization(value)
	case IsSecretName(name) && len(value) >= MinSecret && len(tokensIn(value)) == 0:
		return Removed
	case lower == "location" || lower == "referer" || lower == "content-location":
		return URL(r.Known(value))
	}
	return r.Text(value)
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,15}$`)

func (r *Redactor) authorization(value string) string {
	name, credential, ok := strings.Cut(value, " ")
	if !ok || !scheme.MatchString(name) {
		return Removed
	}
	if shown := r.Text(credential); isToken(shown) || unsignedToken.MatchString(credential) {
		return name + " " + shown
	}
	return name + " " + Removed
}

// HeaderSecrets are the secrets in a header: its value, and the parts of it that
// are secret by themselves.
func HeaderSecrets(name, value string) []string {
	out := []string{value}
	switch http.CanonicalHeaderKey(name) {
	case "Cookie":
		for pair := range strings.SplitSeq(value, ";") {
			if _, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok {
				out = append(out, value)
			}
		}
	case "Authorization", "Proxy-Authorization":
		if _, credential, ok := strings.Cut(value, " "); ok {
			out = append(out, strings.TrimSpace(credential))
			pair, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(credential))
			if _, password, ok := strings.Cut(string(pair), ":"); ok { // Basic
				out = append(out, password)
			}
		}
	}
	return out
}

// byName returns a body without the values of fields that are credentials by
// their name: members of JSON, fields of forms, and what a page of HTML hands to
// its forms and scripts.
func byName(body, contentType string) string {
	body = htmlFields(members(body))
	media, params, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && strings.HasPrefix(media, "multipart/"):
		return multipartFields(body, params["boundary"])
	case media == "application/x-www-form-urlencoded", media == "" && formShape.MatchString(body):
		return formFields(body)
	}
	return body
}

// member matches a member of JSON whose value may be a credential. It is
// compiled when it is needed: that takes milliseconds, at each start.
var member = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`("([A-Za-z0-9_.-]{1,64})"\s*:\s*")((?:[^"\\]|\\.){12,})`)
})

// members returns s without the values of JSON members that are credentials by
// their name. Tokens were treated before, and are worth showing.
func members(s string) string {
	return member().ReplaceAllStringFunc(s, func(m string) string {
		parts := member().FindStringSubmatch(m)
		if !isSecretMember(parts[2]) || beginsToken.MatchString(parts[3]) {
			return m
		}
		return parts[1] + Removed
	})
}

// formShape is what an urlencoded form looks like: nothing but pairs.
var formShape = regexp.MustCompile(`^[A-Za-z0-9_.%+\[\]-]{1,100}=[^\s"'<>{}]*$`)

// formFields keeps the order and the spelling of an urlencoded form.
func formFields(form string) string {
	pairs := strings.Split(form, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		if value != "" && IsSecretName(unescapedQuery(name)) && !isToken(value) {
			pairs[i] = name + "=" + Removed
		}
	}
	return strings.Join(pairs, "&")
}

// partHead is the head of a part of multipart/form-data (RFC 7578), up to its
// value.
var partHead = regexp.MustCompile(`(?i)content-disposition:[^\r\n]*\bname="?([^"\r\n;]*)"?(?:[^\r\n]*\r?\n)+?\r?\n`)

// multipartFields empties the parts of a form that are credentials by their
// name. Without a boundary each line that begins like one is taken for it.
func multipartFields(body, boundary string) string {
	parts := strings.Split(body, "--"+boundary)
	for i, part := range parts {
		at := partHead.FindStringSubmatchIndex(part)
		if at == nil || !IsSecretName(part[at[2]:at[3]]) {
			continue
		}
		if value := part[at[1]:]; strings.TrimSpace(value) != "" && !beginsToken.MatchString(value) {
			parts[i] = part[:at[1]] + Removed + "\r\n"
		}
	}
	return strings.Join(parts, "--"+boundary)
}

// htmlField begins a field of a form, or a meta element, where frameworks keep the
// defence against cross-site requests.
var htmlField = regexp.MustCompile(`(?i)<(?:input|meta)\b`)

const longestElement = 1000

// htmlFields empties the elements whose name is that of a credential.
func htmlFields(body string) string {
	var out strings.Builder
	done := 0
	for _, at := range htmlField.FindAllStringIndex(body, -1) {
		rest := body[at[0]:min(len(body), at[0]+longestElement)]
		end := strings.IndexByte(rest, '>') + 1
		if at[0] < done || end == 0 {
			continue
		}
		out.WriteString(body[done:at[0]])
		out.WriteString(withoutValue(rest[:end]))
		done = at[0] + end
	}
	return out.String() + body[done:]
}

var (
	nameAttribute  = regexp.MustCompile(`(?i)\sname\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))`)
	valueAttribute = regexp.MustCompile(`(?i)(\s(?:value|content)\s*=\s*)(?:"[^"]+"|'[^']+'|[^\s"'>]+)`)
)

// withoutValue empties an element whose name is that of a credential.
func withoutValue(element string) string {
	m := nameAttribute.FindStringSubmatch(element)
	if m == nil || !isSecretMember(html.UnescapeString(m[1]+m[2]+m[3])) {
		return element
	}
	return valueAttribute.ReplaceAllString(element, `${1}"`+Removed+`"`)
}
