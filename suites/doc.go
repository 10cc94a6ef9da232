// Package suites checks a customer's integration of Kindly Chat: each
// requirement is one [Check] literal, and everything else (the run, Ginkgo's
// tree, the list, the documentation) is derived from those literals.
//
// The command line calls [Run]:
//
//	run := suites.Run(ctx, suites.Target{
//		PageURL:    "https://staging.example.com/",
//		PublicKeys: []*token.Key{key},
//	}, suites.Options{})
//	os.Exit(run.ExitCode)
//
// A team that has a Ginkgo suite of its own adds the same specs to it:
//
//	var _ = suites.Describe(suites.Target{…}, suites.Options{})
//
// The checks of an area stand in its files (checks_page.go; checks_auth.go and
// checks_auth_session.go; …); a check's probe talks to the target through its
// [Session] only.
package suites
