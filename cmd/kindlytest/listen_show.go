package main

import (
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
	fmt.Fprintf(&b, "%s%s  %-6s  %s  signature %s\n", ex.At.Format(time.TimeOnly), number, status, took(ex.Duration), d.Heard.Signature.Verdict)
	switch {
	case d.Heard.GivenUp:
		fmt.Fprintf(&b, "  Kindly hung up after %s, before the answer was whole.\n", took(ex.Duration))
	case ex.Err != nil && ex.Response == nil:
		fmt.Fprintf(&b, "  The app gave no answer (%s); Kindly got 502. Is it running?\n", cmpKind(ex.Kind()))
	}
	if s := d.Heard.Signature; s.Verdict != "right" && s.Verdict != "unjudged" {
		fmt.Fprintf(&b, "  %s %s\n", s.Text, s.Fix)
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
