package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/net/http/httpguts"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/internal/recording"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

type runFlags struct {
	checks     checkFlags
	output     outputFlags
	config     string
	publicKeys []string
	privateKey string
	sub        string
	endpoint   string
	headerFile string
	webhooks   []string
	resolve    []string
	caFile     string
	targets    []string
	shard      string
	parallel   int
	lastFailed bool
	watch      bool
	watchPaths []string
	deliveries string
	observe    bool
	observeFor time.Duration
}

// hmacSecretVariable holds the secret of webhooks that flags name.
const hmacSecretVariable = "KINDLYTEST_HMAC_SECRET"

const runLong = `Opens PAGE in a headless Chrome, answers its requests for Kindly's hosts itself,
watches how it gets a token, and then checks page, auth endpoint and webhooks.
What is not given is skipped, with the reason.

Everything can be written into kindlytest.yaml (-c), and some things only there:
logins (page.login, page.second_login), what a webhook should answer, known
failures. Without PAGE, --endpoint, --webhook and -c, ./kindlytest.yaml is used
if it exists. Flags override the file.

Where ` + observed.DefaultName + ` says how the real Kindly was seen to work (kindlytest
learn, and --observe-client), requests are sent likewise, and checks say so.

Secrets are never arguments, which other users of the machine can see: they come
from files (--private-key, --endpoint-header-file), from ` + hmacSecretVariable + `
(the secret of webhooks given by --webhook), or from variables that
kindlytest.yaml names (${VAR}).

--webhook [NAME=]PUBLIC[=LOCAL] names a webhook by the URL that Kindly knows, and
where to call it instead for local work. NAME holds no ':' and no '/'; LOCAL
begins with http:// or https://; a URL within a URL's query must be
percent-encoded, as it should be.

Where the file lists several targets, all are checked, or those that --target
names; each has its reports in a folder of its own, and there is one verdict.
With --shard 2/5 this is the second of five machines that share them; kindlytest
report merge makes one report of theirs.

Reports are written even if the target could not be reached. A run of some checks
only (--only, --last-failed, --max-failures, --target) updates the report that is
there of the same target: rows of earlier runs say when they are from.`

func newRun(a *app) *cobra.Command {
	f := &runFlags{}
	cmd := &cobra.Command{
		Use:   "run [PAGE]",
		Short: "Check your page, auth endpoint and webhooks",
		Long:  runLong,
		Example: `  kindlytest run https://staging.example.com/ --public-key public.pem
  kindlytest run -c kindlytest.yaml --only AUTH,TOK
  kindlytest run --webhook orders=https://hooks.example.com/kindly=http://localhost:3000/kindly
  kindlytest run --endpoint https://staging.example.com/kindly/token --endpoint-header-file session.txt
  kindlytest run https://www.example.com/ --public-key public.pem --safe --format html
  kindlytest run -c kindlytest.yaml --shard 2/5`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return hint.Errorf("webhooks are given by --webhook, the auth endpoint by --endpoint", "one PAGE at a time, and got %q too", args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.check(cmd.Context(), cmd.Flags(), args, f)
		},
	}
	f.register(cmd.Flags())
	return cmd
}

func (f *runFlags) register(fs *pflag.FlagSet) {
	fs.SortFlags = false
	fs.StringVarP(&f.config, "config", "c", "", "`file` that describes the target (default ./"+config.DefaultName+" if nothing else is given)")
	fs.StringArrayVar(&f.publicKeys, "public-key", nil, "PEM `file` of the public key as uploaded to Kindly; more of them only say who signed instead")
	fs.StringVar(&f.privateKey, "private-key", "", "PEM `file` of its private key, of a test environment only: forges valid tokens for webhooks")
	fs.StringVar(&f.sub, "sub", "", "the `SUB` of tokens that are made with --private-key alone: a user whom the webhooks know")
	fs.StringVar(&f.endpoint, "endpoint", "", "`URL` of the auth endpoint; found by watching PAGE otherwise")
	fs.StringVar(&f.headerFile, "endpoint-header-file", "", "`file` of headers for --endpoint, such as a session: lines of Name: value")
	fs.StringArrayVar(&f.webhooks, "webhook", nil, "webhook as `[NAME=]PUBLIC[=LOCAL]`; repeatable")
	fs.StringArrayVar(&f.resolve, "resolve", nil, "call this address for a host name, as `HOST=ADDRESS`; repeatable")
	fs.StringVar(&f.caFile, "ca-file", "", "PEM `file` of a private certificate authority, trusted beside the system's")
	fs.StringSliceVar(&f.targets, "target", nil, "of the targets that the file lists, check only this `name`; repeatable")
	fs.StringVar(&f.shard, "shard", "", "of the targets that the file lists, check only this part, as `NUMBER/PARTS`, such as 2/5")
	fs.IntVar(&f.parallel, "parallel", suites.DefaultParallel, "targets at a time")
	fs.BoolVar(&f.lastFailed, "last-failed", false, "run only what failed or could not run in the report that is there, and what waits for that; all if nothing did")
	fs.BoolVar(&f.watch, "watch", false, "run again when files change or your app comes back, first what failed; keys: a all, f failed, o open the report, q quit")
	fs.StringArrayVar(&f.watchPaths, "watch-path", []string{"."}, "`folder` or file to watch, but for what git ignores; repeatable")
	fs.BoolVar(&f.observe, "observe-client", false, "check nothing: open PAGE with Kindly's own chat client, watch it, and put what it does into "+observed.DefaultName)
	fs.DurationVar(&f.observeFor, "observe-for", 30*time.Second, "with --observe-client: for how long; until after the token's end to see whether it is renewed")
	fs.StringVar(&f.deliveries, "deliveries", "", "`file` that listen --record wrote: webhooks are judged by the recorded message that tells members and strangers apart best")
	f.checks.register(fs)
	f.output.register(fs)
}

// enoughToCheck is how many bytes a run may take before garbage is collected sooner than
// by itself: webhooks that mean harm answer every request with as much as is read.
const enoughToCheck = 192 << 20

func (a *app) check(ctx context.Context, fs *pflag.FlagSet, args []string, f *runFlags) error {
	defer a.collect(100, enoughToCheck)()
	if f.watch {
		return a.watch(ctx, fs, args, f)
	}
	if f.observe {
		return a.observeClient(ctx, fs, args, f)
	}
	if fs.Changed("observe-for") {
		return hint.Errorf("kindlytest run PAGE --observe-client --observe-for 1m", "--observe-for says nothing without --observe-client")
	}
	if fs.Changed("watch-path") {
		return hint.Errorf("kindlytest run --watch --watch-path src", "--watch-path says nothing without --watch")
	}
	c, err := a.fileOf(fs, args, f)
	if err != nil {
		return err
	}
	if c.Targets != nil {
		return a.checkAll(ctx, fs, args, f, c)
	}
	if err := a.describe(c, fs, args, f); err != nil {
		return err
	}
	f.output.update = f.partial(fs.Changed)
	if err := tryReports(&f.output); err != nil {
		return err
	}
	if f.lastFailed {
		c.Notes = append(c.Notes, selectUnmended(&c.Options, c.Target, earlierRuns(f.output.reportDir))...)
	}
	a.showNotes(append(c.Notes, sandboxNotes(browser.WithoutSandbox(), c.Target, c.Options)...), f)
	run, err := a.execute(ctx, c.Target, c.Options, &f.output)
	if err != nil {
		return err
	}
	return exit(run.ExitCode)
}

// describe puts what flags say of one target, and of how it is checked, into c.
func (a *app) describe(c *config.Config, fs *pflag.FlagSet, args []string, f *runFlags) error {
	if err := f.checkParallel(); err != nil {
		return err
	}
	for _, name := range []string{"target", "shard", "parallel"} {
		if fs.Changed(name) {
			return hint.Errorf("targets: in kindlytest.yaml lists them", "--%s is for a file that lists several targets", name)
		}
	}
	if err := a.applyTarget(&c.Target, fs, args, f); err != nil {
		return err
	}
	if err := f.checks.apply(fs.Changed, &c.Options); err != nil {
		return err
	}
	if _, err := f.output.formats(); err != nil {
		return err
	}
	if c.Target.PageURL == "" && c.Target.Endpoint == nil && len(c.Target.Webhooks) == 0 {
		return hint.Errorf("kindlytest run PAGE, --endpoint URL, --webhook URL or -c FILE; kindlytest demo needs nothing", "nothing to check was given")
	}
	if err := a.lookForObserved(c); err != nil {
		return err
	}
	if err := a.readSaid(&c.Options, f); err != nil {
		return err
	}
	c.Options.Args = repeatable(append([]string{"run"}, args...), fs)
	return nil
}

// oneTarget reads what flags and file say of one target.
func (a *app) oneTarget(fs *pflag.FlagSet, args []string, f *runFlags) (*config.Config, error) {
	c, err := a.fileOf(fs, args, f)
	if err != nil {
		return nil, err
	}
	if c.Targets != nil {
		return nil, hint.Errorf("a file with the one that you work on", "--watch and --observe-client are for one target, and the file lists several")
	}
	return c, a.describe(c, fs, args, f)
}

// partial says whether flags make the run one of some checks, or of some targets.
func (f *runFlags) partial(given func(string) bool) bool {
	return f.lastFailed || f.checks.maxFailures > 0 || given("only") || given("target")
}

func (a *app) showNotes(notes []string, f *runFlags) {
	if f.output.quiet {
		return
	}
	for _, note := range notes {
		fmt.Fprintln(a.stderr, "note: "+printable(note))
	}
}

// configOf reads the file that was named, or the one that lies here if nothing else was
// given; used is its path, "" where there is none. It says so if it was not named.
func (a *app) configOf(flags *pflag.FlagSet, named string, given, quiet bool) (c *config.Config, used string, err error) {
	if used = named; !flags.Changed("config") {
		if _, err := os.Stat(config.DefaultName); given || errors.Is(err, fs.ErrNotExist) {
			return &config.Config{}, "", nil
		}
		if used = config.DefaultName; !quiet {
			fmt.Fprintln(a.stderr, "note: using "+used)
		}
	}
	c, err = config.Load(used, a.lookupEnv)
	return c, used, err
}

func (a *app) fileOf(flags *pflag.FlagSet, args []string, f *runFlags) (c *config.Config, err error) {
	given := len(args) > 0 || flags.Changed("endpoint") || flags.Changed("webhook")
	c, f.output.config, err = a.configOf(flags, f.config, given, f.output.quiet)
	return c, err
}

// readSaid reads the messages of --deliveries.
func (a *app) readSaid(o *suites.Options, f *runFlags) error {
	if f.deliveries == "" {
		return nil
	}
	file, err := os.Open(f.deliveries)
	if err != nil {
		return fmt.Errorf("--deliveries: %w", err)
	}
	defer file.Close() // it was only read
	kept := false
	o.Said = subject.SaidIn(func(yield func(recording.Delivery) bool) {
		for d, err := range recording.Read(file) {
			if err != nil {
				fmt.Fprintln(a.stderr, printable(fmt.Sprintf("note: %s: %v", f.deliveries, err)))
				continue
			}
			if kept = kept || d.Kept; !yield(d) {
				return
			}
		}
	})
	switch {
	case len(o.Said) == 0:
		return hint.Errorf("kindlytest listen --record makes recordings", "--deliveries: there is no message in %s", f.deliveries)
	case !kept && !f.output.quiet:
		fmt.Fprintln(a.stderr, "note: what these users wrote, and the values that their chats have collected, are stand-ins; dialogues are as recorded. listen --keep-values records all")
	}
	return nil
}

// lookForObserved takes what was learnt of the real Kindly from where one works, if
// no file says what to take. A configuration has looked beside itself.
func (a *app) lookForObserved(c *config.Config) error {
	if c.Options.Observed != nil || c.FromFile() {
		return nil
	}
	seen, err := config.ReadObserved(config.ReadFile, observed.DefaultName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		c.Options.Observed = seen
		c.Notes = append(c.Notes, config.ObservedNote(observed.DefaultName, seen))
	}
	return err
}

// applyTarget puts what flags say of the target into t.
func (a *app) applyTarget(t *target.Target, fs *pflag.FlagSet, args []string, f *runFlags) error {
	if len(args) > 0 {
		if err := config.CheckURL(args[0]); err != nil {
			return fmt.Errorf("PAGE: %w", err)
		}
		t.PageURL = args[0]
	}
	if err := applyKeys(t, f); err != nil {
		return err
	}
	if err := applyEndpoint(t, fs, f); err != nil {
		return err
	}
	if err := a.applyWebhooks(t, f.webhooks); err != nil {
		return err
	}
	return a.applyNetwork(t, f)
}

func applyKeys(t *target.Target, f *runFlags) error {
	if len(f.publicKeys) > 0 {
		t.PublicKeys, t.PublicPEM = nil, nil
	}
	for _, path := range f.publicKeys {
		key, pem, err := config.ReadPublicKey(config.ReadFile, path)
		if err != nil {
			return fmt.Errorf("--public-key: %w", err)
		}
		if t.PublicPEM == nil {
			t.PublicPEM = pem
		}
		t.PublicKeys = append(t.PublicKeys, key)
	}
	t.Sub = cmp.Or(f.sub, t.Sub)
	if f.privateKey == "" {
		return nil
	}
	key, err := config.ReadPrivateKey(config.ReadFile, f.privateKey)
	if err != nil {
		return fmt.Errorf("--private-key: %w", err)
	}
	t.PrivateKey = key
	return nil
}

// applyEndpoint replaces the endpoint as a whole: the session of one endpoint
// must not be sent to another.
func applyEndpoint(t *target.Target, fs *pflag.FlagSet, f *runFlags) error {
	if fs.Changed("endpoint") {
		if err := config.CheckURL(f.endpoint); err != nil {
			return fmt.Errorf("--endpoint: %w", err)
		}
		t.Endpoint = &target.EndpointConfig{URL: f.endpoint}
	}
	if f.headerFile == "" {
		return nil
	}
	if t.Endpoint == nil {
		return hint.Errorf("--endpoint URL names it", "--endpoint-header-file is given, but no endpoint")
	}
	header, err := readHeaders(f.headerFile)
	if err != nil {
		return fmt.Errorf("--endpoint-header-file: %w", err)
	}
	t.Endpoint.Header = header
	return nil
}

// readHeaders reads lines of "Name: value". Errors quote no value.
func readHeaders(path string) (http.Header, error) {
	text, err := config.ReadFile(path)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(strings.TrimPrefix(line, "\uFEFF"))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !httpguts.ValidHeaderFieldName(name) {
			return nil, hint.Errorf("an example: Cookie: session=…", "%s:%d: the line is not of the form Name: value", path, number)
		}
		header.Add(name, strings.TrimSpace(value))
	}
	if len(header) == 0 {
		return nil, hint.Errorf("an example of a line: Cookie: session=…", "%s holds no header", path)
	}
	return header, nil
}

func (a *app) applyWebhooks(t *target.Target, flags []string) error {
	if len(flags) > 0 {
		t.Webhooks = nil
	}
	for _, flag := range flags {
		w, err := parseWebhook(flag)
		if err != nil {
			return fmt.Errorf("--webhook: %w", err)
		}
		w.Secret = a.env(hmacSecretVariable)
		t.Webhooks = append(t.Webhooks, w)
	}
	return nil
}

func applyResolve(t *target.Target, flags []string) error {
	t.Resolve = maps.Clone(t.Resolve) // several targets may have it from one place
	for _, flag := range flags {
		host, address, ok := strings.Cut(flag, "=")
		if !ok || host == "" || address == "" || strings.ContainsAny(host, ":/") {
			return hint.Errorf("an example: --resolve hooks.example.com=127.0.0.1:3000", "--resolve: %q is not of the form HOST=ADDRESS", flag)
		}
		if t.Resolve == nil {
			t.Resolve = map[string]string{}
		}
		t.Resolve[strings.ToLower(host)] = address
	}
	return nil
}
