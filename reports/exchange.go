package reports

import (
	"fmt"
	"strings"
)

// evidence shows the exchanges of a check, bounded and indented.
func (s *summaryPrinter) evidence(all []Evidence) {
	for i, e := range all {
		if i == maxExchanges {
			s.line(s.dim(fmt.Sprintf("    … %d more exchanges in the report files", len(all)-i)))
			return
		}
		s.line(s.dim("    ┌ " + cutToWidth(oneLine(e.Title), s.width-20) + " · " + duration(e.DurationMS)))
		for _, l := range s.exchange(e) {
			s.line(s.dim("    │ ") + l)
		}
	}
}

// exchange is exchangeText in lines that fit. A request whose token fills the
// lines leaves half of them to the answer, which is what it was sent for.
func (s *summaryPrinter) exchange(e Evidence) []string {
	var lines []string
	if e.Request != nil {
		lines = s.wrapped(requestText(*e.Request), s.width-8, maxExchangeLines/2)
	}
	if e.Response != nil {
		lines = append(lines, s.wrapped(responseText(*e.Response), s.width-8, maxExchangeLines-len(lines))...)
	}
	return lines
}

// exchangeText is an exchange as curl -v shows it.
func exchangeText(e Evidence) string {
	var text string
	if e.Request != nil {
		text += requestText(*e.Request)
	}
	if e.Response != nil {
		text += responseText(*e.Response)
	}
	return text
}

func requestText(r Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "> %s %s\n", r.Method, r.URL)
	writeMessage(&b, "> ", r.Headers, r.Body)
	return b.String()
}

func responseText(r Response) string {
	var b strings.Builder
	if r.Error != "" {
		fmt.Fprintf(&b, "< %s\n", r.Error)
	}
	if r.Status != 0 {
		fmt.Fprintf(&b, "< %d\n", r.Status)
	}
	writeMessage(&b, "< ", r.Headers, r.Body)
	return b.String()
}

func writeMessage(b *strings.Builder, mark string, headers []Header, body string) {
	for _, h := range headers {
		fmt.Fprintf(b, "%s%s: %s\n", mark, h.Name, h.Value)
	}
	if body != "" {
		fmt.Fprintf(b, "%s\n", body)
	}
}
