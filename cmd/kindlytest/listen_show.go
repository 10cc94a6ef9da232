package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/listen"
)

// tellDelivery is a line for each delivery, and below it what is wrong.
func (a *app) tellDelivery(d listen.Delivery) {
	var b strings.Builder
	ex := d.Exchange
	status := "failed"
	if ex.Response != nil {
		status = fmt.Sprint(ex.Status())
	}
	number := ""
	if d.Seq > 0 {
		number = fmt.Sprintf(" #%d", d.Seq)
	}
	recorded := ""
	if d.Recorded > 0 {
		recorded = fmt.Sprintf("  delivery %d", d.Recorded)
	}
	fmt.Fprintf(&b, "%s%s  %-6s  %s  signature %s%s\n", ex.At.Format(time.TimeOnly), number, status, took(ex.Duration), d.Heard.Signature.Verdict, recorded)
	switch {
	case d.Heard.GivenUp:
		fmt.Fprintf(&b, "  Kindly hung up after %s, before the answer was whole.\n", took(ex.Duration))
	case errors.Is(ex.Err, listen.ErrBroken):
		fmt.Fprint(&b, "  The app's answer broke off; Kindly got what came of it.\n")
	case ex.Err != nil && ex.Response == nil:
		fmt.Fprintf(&b, "  The app gave no answer (%s); Kindly got 502. Is it running?\n", cmpKind(ex.Kind()))
	}
	s := d.Heard.Signature
	withoutSecret := s.Verdict == "unjudged" && s.Fix != "" // was said at the start
	if s.Verdict != "right" && !withoutSecret {
		fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(s.Text+" "+s.Fix))
	}
	fmt.Fprint(a.stdout, printable(b.String()))
	if d.Err != nil {
		fmt.Fprintln(a.stderr, printable("note: "+d.Err.Error()))
	}
}

func cmpKind[T ~string](kind T) string {
	if kind == "" {
		return "failed"
	}
	return string(kind)
}

// took is a duration as a line shows it.
func took(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
