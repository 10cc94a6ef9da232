package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

const ignoreFile = ".gitignore"

// ignoring is what .gitignore lacks so that git leaves reports alone, which may
// hold personal data; "" if it lacks nothing.
func ignoring(ctx context.Context) (string, error) {
	text, err := os.ReadFile(ignoreFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if strings.Trim(strings.TrimSpace(line), "/") == defaultReportDir {
			return "", nil
		}
	}
	// Where there is git, it knows: a pattern may cover the folder, or a file above.
	if exec.CommandContext(ctx, "git", "check-ignore", "--quiet", defaultReportDir+"/").Run() == nil {
		return "", nil
	}
	end := "\n"
	if strings.Contains(string(text), "\r\n") {
		end = "\r\n"
	}
	lacks := defaultReportDir + "/" + end
	if len(text) > 0 && !strings.HasSuffix(string(text), "\n") {
		lacks = end + lacks
	}
	return lacks, nil
}

// ignoreReports adds to .gitignore what it lacks, or prints it.
func (a *app) ignoreReports(ctx context.Context, dryRun bool) error {
	lacks, err := ignoring(ctx)
	if err != nil || lacks == "" {
		return err
	}
	if dryRun {
		_, err := fmt.Fprintf(a.stdout, "\n# ---- %s (added to it)\n%s", ignoreFile, strings.TrimLeft(lacks, "\r\n"))
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
