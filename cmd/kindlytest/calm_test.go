package main

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// A CI's runner obeys lines that begin with "::", and "##[" anywhere.
func TestErrorsAreNoCommandsOfARunner(t *testing.T) {
	var out strings.Builder
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: &out}
	a.fail(errors.New("the page says\n::stop-commands::x\n \u00a0::error::y ##[command]z"))
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
			t.Errorf("it prints %q", line)
		}
	}
}
