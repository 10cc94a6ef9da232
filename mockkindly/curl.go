package mockkindly

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
)

// bodyChanged stands above a command whose body is not what was sent. There is
// nothing in it that a shell would read where it knows no comments, as zsh does
// at its prompt.
const bodyChanged = "# The body held a token or a secret, which is left out here. A Kindly-HMAC below is of the whole body and does not fit this one.\n"

// curl is a shell command that repeats the delivery. Without withToken the
// token is replaced by the variable $TOKEN, and the body holds no credential, so
// that the command can be shown around.
// It is for a POSIX shell: all that is foreign stands in single quotes.
func (d Delivery) curl(withToken bool) string {
	req := d.Exchange.Request
	to := req.URL
	if req.ConnectTo != "" {
		to = req.ConnectTo
	}
	comment, body := "", req.Body
	if !withToken {
		if body = d.sent.hideInBody(body); !bytes.Equal(body, req.Body) {
			comment = bodyChanged
		}
	}
	lines := []string{"curl -sS -i -X " + shellQuote(req.Method) + " " + shellQuote(redactURL(to))}
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
	lines = append(lines, "--data-binary "+shellQuote(string(body)))
	return comment + strings.Join(lines, " \\\n  ") + "\n"
}

func (d Delivery) curlHeader(name, value string, withToken bool) string {
	if !strings.EqualFold(name, "Authorization") {
		return shellQuote(name + ": " + value)
	}
	if raw := tokenOf(&d); withToken && raw != "" {
		return shellQuote(name + ": Bearer " + raw.Secret())
	}
	return `"` + name + `: Bearer $TOKEN"`
}

// shellQuote makes one word of any text. Control characters, which could play
// tricks with a terminal, are in no request of the mock; they are left out.
func shellQuote(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func (k *Kindly) getCurl(w http.ResponseWriter, r *http.Request) error {
	seq, err := number(r.PathValue("seq"), 0)
	if err != nil {
		return ErrUnknownDelivery
	}
	e, ok, err := k.journal.event(seq)
	if err != nil {
		return err
	}
	if !ok || e.Delivery == nil {
		return ErrUnknownDelivery
	}
	if len(e.Delivery.Exchange.Request.Body) >= maxJournalBody {
		return &ResendError{"The request's body is too long for a command line."}
	}
	if err := e.Delivery.whole(); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err = io.WriteString(w, e.Delivery.curl(r.URL.Query().Get("token") == "1"))
	return err
}
