package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/reports"
)

// openReport writes the page of a report beside it, and shows it.
func (a *app) openReport(ctx context.Context, fs *pflag.FlagSet, args []string) error {
	others := ""
	fs.Visit(func(f *pflag.Flag) {
		if f.Name != "open" {
			others = f.Name
		}
	})
	path := filepath.Join(defaultReportDir, reports.JSON.File())
	if len(args) > 0 {
		path = args[0]
	}
	switch {
	case others != "":
		return hint.Errorf("render the report by a command of its own", "--%s and --open exclude each other", others)
	case path == "-":
		return hint.Errorf("name the file: kindlytest report RUN.json --open", "--open writes beside the report, and stdin has no place")
	}
	set, several, err := a.readReport(ctx, path)
	if err != nil {
		return err
	}
	page, err := reports.WriteFile(filepath.Dir(path), reportOf(set, several), reports.HTML)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.stderr, "wrote "+page)
	return openFile(ctx, page)
}

// openFile shows a file with the program that this machine opens such files with.
func openFile(ctx context.Context, path string) error {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	opener := map[string][]string{"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"}}[runtime.GOOS]
	if opener == nil {
		opener = []string{"xdg-open"}
	}
	// It may stay until its window is closed.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), opener[0], append(opener[1:], absolute)...)
	if err := cmd.Start(); err != nil {
		return hint.Errorf("open it yourself: "+absolute, "no program to show the page with: %w", err)
	}
	go cmd.Wait() // how it ends is between it and the user
	return nil
}
