package subject

import (
	"html"
	"mime"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// byName returns a body without the values of fields that are credentials by
// their name: members of JSON, fields of forms, and what a page of HTML hands to
// its forms and scripts. Without a content type the shape decides.
func byName(body, contentType string) string {
	body = htmlField().ReplaceAllStringFunc(members(body), withoutValue)
	media, params, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && strings.HasPrefix(media, "multipart/"):
		return multipartFields(body, params["boundary"])
	case media == "application/x-www-form-urlencoded", media == "" && formShape.MatchString(body):
		return safeQuery(body)
	}
	return body
}

// formShape is what an urlencoded form looks like: nothing but pairs.
var formShape = regexp.MustCompile(`^[A-Za-z0-9_.%+\[\]-]{1,100}=[^\s"'<>{}]*$`)

// partHead is the head of a part of multipart/form-data (RFC 7578), up to its
// value.
var partHead = regexp.MustCompile(`(?i)content-disposition:[^\r\n]*\bname="?([^"\r\n;]*)"?(?:[^\r\n]*\r?\n)+?\r?\n`)

// multipartFields empties the parts of a form that are credentials by their
// name. Without a boundary each line that begins like one is taken for it.
func multipartFields(body, boundary string) string {
	parts := strings.Split(body, "--"+boundary)
	for i, part := range parts {
		at := partHead.FindStringSubmatchIndex(part)
		if at == nil || !secretParameter(part[at[2]:at[3]]) {
			continue
		}
		if value := part[at[1]:]; strings.TrimSpace(value) != "" && !compactJWS.MatchString(value) {
			parts[i] = part[:at[1]] + removed + "\r\n"
		}
	}
	return strings.Join(parts, "--"+boundary)
}

// htmlField matches a field of a form, and a meta element, where frameworks keep
// the defence against cross-site requests. Like member, it is costly to compile.
var htmlField = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)<(?:input|meta)\b[^>]{1,1000}>`)
})

var (
	nameAttribute  = regexp.MustCompile(`(?i)\sname\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))`)
	valueAttribute = regexp.MustCompile(`(?i)(\s(?:value|content)\s*=\s*)(?:"[^"]+"|'[^']+'|[^\s"'>]+)`)
)

// withoutValue empties an element whose name is that of a credential.
func withoutValue(element string) string {
	m := nameAttribute.FindStringSubmatch(element)
	if m == nil || !secretName.MatchString(html.UnescapeString(m[1]+m[2]+m[3])) {
		return element
	}
	return valueAttribute.ReplaceAllString(element, `${1}"`+removed+`"`)
}

// parameterName is a parameter's name as a server reads it.
func parameterName(escaped string) string {
	if name, err := url.QueryUnescape(escaped); err == nil {
		return name
	}
	return escaped
}

// urlSecrets are the credentials in a URL: the password, and the values of
// parameters that are credentials by their name.
func urlSecrets(raw string) []string {
	u, err := url.Parse(raw)
	if err != nil {
		return nil
	}
	var out []string
	if password, ok := u.User.Password(); ok {
		out = append(out, password)
	}
	for _, query := range []string{u.RawQuery, u.EscapedFragment()} {
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if plain := parameterName(value); secretParameter(parameterName(name)) && plain != "" {
				out = append(out, plain)
			}
		}
	}
	return out
}
