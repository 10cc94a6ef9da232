package mockkindly

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/shell"
	"github.com/kindlytest/kindlytest/internal/wire"
)

// bodyChanged stands above a command whose body is not what was sent. There is
// nothing in it that a shell would read where it knows no comments, as zsh does
// at its prompt.
const bodyChanged = "# The body held a token or a secret, which is left out here. A Kindly-HMAC below is of the whole body and does not fit this one.\n"

// curl is a shell command that repeats the delivery. Without withToken the
// token is replaced by the variable $TOKEN, other headers that are credentials by
// such as $GATE_X_API_KEY, and the body holds none, so that the command can be shown
// around.
// It is for a POSIX shell: all that is foreign stands in single quotes. It is
// printable, since it is pasted into terminals, and sends the body to the byte:
// one that is not printable is piped into curl. What opens the gates before the
// webhook is a variable each, as $GATE_X_BYPASS.
func (d Delivery) curl(withToken bool, gates wire.Gates) string {
	req := d.Exchange.Request
	to := cmp.Or(req.ConnectTo, req.URL)
	comment, body := "", req.Body
	if !withToken {
		if body = d.shownBody(body); !bytes.Equal(body, req.Body) {
			comment = bodyChanged
		}
	}
	pipe, data := "", shell.Word(string(body))
	if !printable(body) || bytes.HasPrefix(body, []byte("@")) { // @ would name a file
		pipe, data = "printf '%b' "+shell.Word(escapeForPrintf(body))+" | ", "@-"
	}
	lines := []string{pipe + "curl -sS -i -X " + shell.Word(req.Method) + " " + shell.Word(escapeURL(redact.URL(to)))}
	names := make([]string, 0, len(req.Header))
	for name := range req.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range req.Header[name] {
			lines = append(lines, "-H "+d.curlHeader(name, value, withToken))
		}
	}
	for _, line := range gates.Placeholders(to) {
		if name, _, _ := strings.Cut(line, ":"); req.Header.Get(name) == "" {
			lines = append(lines, `-H "`+line+`"`)
		}
	}
	lines = append(lines, "--data-binary "+data)
	return comment + strings.Join(lines, " \\\n  ") + "\n"
}

func (d Delivery) curlHeader(name, value string, withToken bool) string {
	if !strings.EqualFold(name, "Authorization") {
		shown := d.redact.Header(name, value)
		if withToken || shown == value || strings.EqualFold(name, "Kindly-HMAC") {
			return shell.Word(name + ": " + value)
		}
		asGate := wire.Gates{{URL: name, Header: map[string]string{name: value}}}
		for _, line := range asGate.Placeholders(name) {
			return `"` + line + `"`
		}
		return shell.Word(name + ": " + shown)
	}
	if raw := tokenOf(&d); withToken && raw != "" {
		return shell.Word(name + ": Bearer " + raw.Secret())
	}
	return `"` + name + `: Bearer $TOKEN"`
}

// printable tells whether a text is UTF-8 without control characters, such as
// the C1 that some terminals obey, and without those that hide or turn text.
func printable(text []byte) bool {
	return utf8.Valid(text) && bytes.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// escapeForPrintf writes a text so that printf '%b' (POSIX) gives its bytes.
func escapeForPrintf(text []byte) string {
	return escape(bytes.ReplaceAll(text, []byte(`\`), []byte(`\\`)), `\0%03o`)
}

// escapeURL percent-encodes what is not printable.
func escapeURL(raw string) string { return escape([]byte(raw), "%%%02X") }

// escape formats each byte of what is not printable.
func escape(text []byte, format string) string {
	var out strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if unicode.IsPrint(r) && (r != utf8.RuneError || size > 1) {
			out.Write(text[:size])
		} else {
			for _, b := range text[:size] {
				fmt.Fprintf(&out, format, b)
			}
		}
		text = text[size:]
	}
	return out.String()
}

// Curl is a shell command that repeats a delivery of the journal, with or without
// the token that went along. Errors: ErrUnknownDelivery, *ResendError, *StoreError.
func (k *Kindly) Curl(seq uint64, withToken bool) (string, error) {
	e, err := k.delivery(seq)
	if err != nil {
		return "", err
	}
	if len(e.Delivery.Exchange.Request.Body) >= maxJournalBody {
		return "", &ResendError{"The request's body is too long for a command line."}
	}
	if err := e.Delivery.whole(); err != nil {
		return "", err
	}
	return e.Delivery.curl(withToken, k.client.Gates()), nil
}
