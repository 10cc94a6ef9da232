// Command kindlytest checks a Kindly Chat integration: it plays Kindly against
// a team's page, auth endpoint and webhooks, and says, requirement by
// requirement, what holds.
//
//	kindlytest demo
//	kindlytest run https://staging.example.com/ --public-key public.pem
//
// Exit codes: 0, no requirement is broken; 1, one is; 2, it could not be found
// out (wrong usage, configuration, no browser, target not reachable, or nothing
// was checked).
//
// One file holds one command. Commands get everything from outside through an
// app, so that tests run them without a process.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(mainCode()) }

// mainCode runs the command line of this process. The first interrupt ends the
// run in good order; after it, signals have their default effect again, so that
// the second one kills. That a terminal or a reader of the output has gone ends
// nothing that writes reports: a write fails then, and its error is handled.
func mainCode() int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // not ignored: children would inherit that
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		ends = append(ends, syscall.SIGHUP)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, ends...)
	go func() {
		<-signals
		// Ginkgo listens too while it runs; Reset takes the signals from both.
		signal.Reset(ends...)
		cancel()
	}()
	a := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		lookupEnv: os.LookupEnv,
	}
	return a.run(ctx, os.Args[1:])
}
