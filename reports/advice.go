package reports

import (
	"fmt"
	"regexp"
	"strings"
)

// A Sample is code that closes a finding, in the language that the target
// seems to be written in.
type Sample struct {
	Stack string `json:"stack"` // as `kindlytest explain --stack` takes it
	Title string `json:"title"` // what the code does
	Code  string `json:"code"`
}

var plainStack = regexp.MustCompile(`^[a-z][a-z0-9-]{0,40}$`)

// Explain is the command that explains a finding; "" for what is none. Names
// that are not plain are left out: a report may be anybody's, and commands are
// copied.
func (c Check) Explain() string {
	if c.Outcome != Failed && c.Outcome != Warned || !plainID(c.ID) {
		return ""
	}
	command := "kindlytest explain " + c.ID
	if c.Sample != nil && plainStack.MatchString(c.Sample.Stack) {
		command += " --stack " + c.Sample.Stack
	}
	return command
}

// sample prints code, whose lines are kept as they are.
func (s *summaryPrinter) sample(code *Sample) {
	if code == nil {
		return
	}
	s.field(field{"sample", fmt.Sprintf("%s (%s)", code.Title, code.Stack)})
	for _, l := range s.wrapped(code.Code, s.width-4, maxSampleLines) {
		s.line(strings.TrimRight("    "+l, " "))
	}
}

const maxSampleLines = 60
