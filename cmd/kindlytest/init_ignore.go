package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

const ignoreFile = ".gitignore"

// ignoring is what .gitignore lacks so that git leaves reports alone, which may
// hold personal data; "" if it lacks nothing.
func ignoring() (string, error) {
	text, err := os.ReadFile(ignoreFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if strings.Trim(strings.TrimSpace(line), "/") == defaultReportDir {
			return "", nil
		}
	}
	lacks := defaultReportDir + "/\n"
	if len(text) > 0 && !strings.HasSuffix(string(text), "\n") {
		lacks = "\n" + lacks
	}
	return lacks, nil
}

// ignoreReports adds to .gitignore what it lacks, or prints it.
func (a *app) ignoreReports(dryRun bool) error {
	lacks, err := ignoring()
	if err != nil || lacks == "" {
		return err
	}
	if dryRun {
		_, err := fmt.Fprintf(a.stdout, "\n# ---- %s (added to it)\n%s", ignoreFile, strings.TrimPrefix(lacks, "\n"))
		return err
	}
	f, err := os.OpenFile(ignoreFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(lacks)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "added %s/ to %s\n", defaultReportDir, ignoreFile)
	return nil
}
