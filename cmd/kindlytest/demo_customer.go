package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/fixtures/stack"
	"github.com/kindlytest/kindlytest/internal/demo"
	"github.com/kindlytest/kindlytest/suites"
)

// customerFlags name a customer in another stack.
type customerFlags struct {
	name         string
	asDocumented bool
}

func (f *customerFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.name, "customer", "", "check a real program instead: "+strings.Join(stackNames(), ", "))
	fs.BoolVar(&f.asDocumented, "as-documented", false, "with --customer: built as Kindly's documentation says, and no more")
}

func (f *customerFlags) given() bool { return f.name != "" || f.asDocumented }

// stack is the one that is named.
func (f *demoFlags) stack() (stack.Stack, error) {
	known := "there are " + strings.Join(stackNames(), ", ")
	if f.customer.name == "" {
		return stack.Stack{}, hint.Errorf("name it with --customer; "+known, "--as-documented says nothing without a customer")
	}
	s, ok := stack.ByName(f.customer.name)
	switch {
	case !ok:
		return s, unknownName("customer", f.customer.name, stackNames(), known)
	case len(f.faults) > 0 || f.manner != "":
		return s, hint.Errorf("leave --customer out", "--fault and --manner are of the built-in shop, not of --customer %s", s.Name)
	case f.customer.asDocumented && !s.Documented:
		return s, hint.Errorf("leave --as-documented out", "Kindly's documentation has no sample like the customer %s", s.Name)
	}
	return s, nil
}

// demoCustomer checks a customer in another stack.
func (a *app) demoCustomer(ctx context.Context, fs *pflag.FlagSet, f *demoFlags) error {
	s, err := f.stack()
	if err != nil {
		return err
	}
	o := suites.Options{}
	if !f.customer.asDocumented {
		o.ExpectedFailures = s.Expected
	}
	if err := f.checks.apply(fs.Changed, &o); err != nil {
		return err
	}
	o.Args = repeatable([]string{"demo"}, fs)
	if _, err := f.output.formats(); err != nil {
		return err
	}
	c, err := a.startCustomer(ctx, s, f)
	if err != nil {
		return err
	}
	defer c.Close() // an error would only say that it had to be killed
	if !f.output.quiet {
		fmt.Fprint(a.people(&f.output), introduction(c, f.customer.asDocumented))
	}
	target, err := demo.StackTarget(c)
	if err != nil {
		return fmt.Errorf("describe the customer %s: %w", s.Name, err)
	}
	run, err := a.execute(ctx, target, o, &f.output)
	if err != nil {
		return err
	}
	return exit(run.ExitCode)
}

func (a *app) startCustomer(ctx context.Context, s stack.Stack, f *demoFlags) (*stack.Customer, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, hint.Errorf("set HOME, or XDG_CACHE_HOME", "no folder to keep packages in: %w", err)
	}
	c, err := stack.Start(ctx, s, stack.Options{
		AsDocumented: f.customer.asDocumented, Cache: filepath.Join(cache, "kindlytest", "customers"),
	})
	switch missing := (*stack.MissingError)(nil); {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("interrupted while the customer %s was started", s.Name)
	case errors.As(err, &missing):
		return nil, hint.Errorf(missing.Hint, "%w", err)
	}
	return c, err
}

// introduction says what runs, and how it is built.
func introduction(c *stack.Customer, asDocumented bool) string {
	var b strings.Builder
	at := c.PageURL
	if at == "" {
		at = c.EndpointURL
	}
	fmt.Fprintf(&b, "%s runs at %s (%s).\n", c.Stack.Title, at, versions(c.Versions))
	if asDocumented {
		b.WriteString("It does what Kindly's documentation says, and no more.\n")
	} else {
		b.WriteString("It is as sound as this stack allows.\n")
	}
	return b.String()
}

func versions(of map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		all = append(all, name+" "+of[name])
	}
	return strings.Join(all, ", ")
}

func stackNames() []string {
	var names []string
	for _, s := range stack.All() {
		names = append(names, s.Name)
	}
	return names
}
