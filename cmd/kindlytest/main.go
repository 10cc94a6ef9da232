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
// the second one kills.
func mainCode() int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		// Ginkgo listens too while it runs; Reset takes the signals from both.
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		cancel()
	}()
	a := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		lookupEnv: os.LookupEnv,
	}
	return a.run(ctx, os.Args[1:])
}
