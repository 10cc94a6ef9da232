package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/reports"
)

// An app is one use of the command line, and all that it touches of its
// process. Files are the exception: their names come from the user.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookupEnv      func(string) (string, bool)
}

// input is stdin until ctx ends.
func (a *app) input(ctx context.Context) io.Reader { return waitingFor(ctx, a.stdin) }

var errInterrupted = errors.New("interrupted")

// waitingFor reads from in until ctx ends. Reading itself can't be interrupted: it goes on
// unheard, and the program ends then.
func waitingFor(ctx context.Context, in io.Reader) io.Reader {
	type got struct {
		bytes []byte
		err   error
	}
	return readerFunc(func(p []byte) (int, error) {
		own, read := make([]byte, len(p)), make(chan got, 1) // p is another's again after this
		go func() {
			n, err := in.Read(own)
			read <- got{own[:n], err}
		}()
		select {
		case <-ctx.Done():
			return 0, errInterrupted
		case g := <-read:
			return copy(p, g.bytes), g.err
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// The exit codes.
const (
	exitOK     = 0
	exitBroken = 1 // a requirement does not hold
	exitUsage  = 2 // it could not be found out
)

// An exitCode ends the program without a message: the command has said it all.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// exit is the error of an exit code; nil for success.
func exit(code int) error {
	if code == exitOK {
		return nil
	}
	return exitCode(code)
}

// run performs a command line and returns its exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	if _, _, err := root.Find(args); err != nil && !completes(args) {
		return a.fail(unknownCommand(root, args))
	}
	return a.fail(root.ExecuteContext(ctx))
}

// completes says whether a shell asks for completions: cobra adds the command
// for that only when it runs.
func completes(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// fail prints an error, once, and returns the exit code that it stands for.
func (a *app) fail(err error) int {
	if err == nil {
		return exitOK
	}
	var code exitCode
	if errors.As(err, &code) {
		return int(code)
	}
	if errors.Is(err, syscall.EPIPE) {
		return exitUsage // whoever read the output has seen enough
	}
	return failTo(a.stderr, err)
}

// failTo prints an error and the way out.
func failTo(w io.Writer, err error) int {
	fmt.Fprintln(w, "kindlytest: "+strings.ReplaceAll(printable(err.Error()), "\n", "\n  "))
	if way := hint.Of(err); way != "" {
		fmt.Fprintln(w, "hint: "+printable(way))
	}
	return exitUsage
}

// printable replaces what could move a cursor or turn text around, or be a command
// to the runner of a CI: a path, a URL or a claim may hold anything.
func printable(s string) string {
	return reports.WithoutCommands(strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		if r == '\t' {
			return ' '
		}
		return unicode.ReplacementChar
	}, s))
}

// env returns a variable of the environment, "" if it is not set.
func (a *app) env(name string) string {
	value, _ := a.lookupEnv(name)
	return value
}

// isTerminal says whether w is a terminal that obeys escape sequences.
func (a *app) isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && a.env("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// width is that of the terminal that w is, in columns; 0 if it is none.
func width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}
