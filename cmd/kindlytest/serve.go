package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/console"
	"github.com/kindlytest/kindlytest/mockkindly/server"
	"github.com/kindlytest/kindlytest/mockkindly/sqlite"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/target"
)

type serveFlags struct {
	target     runFlags // those of run that serve has too
	listen     string
	hosts      []string
	db         string
	dbSync     bool
	page       string
	open       string
	headless   bool
	browser    string
	appWebhook string
	timeout    time.Duration
	safe       bool
	quiet      bool
	used       string // the file that describes what is played for, if one does
}

// Variables of the environment that hold secrets of the mock.
const (
	nextSecretVariable = "KINDLYTEST_NEXT_HMAC_SECRET"
	adminTokenVariable = "KINDLYTEST_ADMIN_TOKEN"
	apiKeyVariable     = "KINDLYTEST_API_KEY"
)

const serveLong = `Plays Kindly on this machine while you write an auth endpoint or a webhook: the
chat on your own page, an inbox, a console that shows every webhook request, and
forwarding of tokens as Kindly does it. Nothing is sent to Kindly. Here it shows a
line for each event: when, what, how it came out, how long it took, and one reason.

Point your page's script tag at the address that is printed, or leave the page
alone and let --open URL show it in a Chrome in which the mock answers for
Kindly's hosts.

Every message goes to each --webhook, unless kindlytest.yaml (-c) has dialogues.
Where ` + observed.DefaultName + ` says how the real Kindly was seen to work (kindlytest learn),
requests and chat client do likewise. Tokens are checked with --public-key. With --private-key, of a test environment
only, a request can be sent again with an expired token or another chat's.

Its page Checks runs the checks of kindlytest run: on the webhooks and keys that
are given here, on --page (or the one that --open shows) and --endpoint, and with
what kindlytest.yaml has, such as logins.

Everything is in memory, unless --db names a file: the newest 10,000 chats and
10,000 events, up to 64 MB each. The oldest make room.

Secrets come from the environment: ` + hmacSecretVariable + ` (of webhooks given
by flags), ` + nextSecretVariable + ` (what the fault rotate_secret signs
with; random otherwise), ` + apiKeyVariable + ` (of the Application API; any key
otherwise), ` + adminTokenVariable + ` (see --listen).`

func newServe(a *app) *cobra.Command {
	f := &serveFlags{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Play Kindly on this machine: chat, inbox, console, checks",
		Long:  serveLong,
		Example: `  kindlytest serve --webhook http://localhost:3000/kindly
  kindlytest serve --public-key public.pem --webhook orders=https://hooks.example.com/kindly=http://localhost:3000/kindly
  kindlytest serve -c kindlytest.yaml --db kindly.db
  kindlytest serve --public-key public.pem --open http://localhost:3000/
  kindlytest serve --public-key public.pem --page http://localhost:3000/ --webhook http://localhost:3000/kindly`,
		Args: noArguments("a page is shown by --open URL; webhooks are given by --webhook"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context(), cmd.Flags(), f) },
	}
	f.register(cmd.Flags())
	return cmd
}

func (f *serveFlags) register(fs *pflag.FlagSet) {
	fs.SortFlags = false
	t := &f.target
	fs.StringVarP(&t.config, "config", "c", "", "`file` with webhooks, keys and dialogues (default ./"+config.DefaultName+", unless --webhook, --page or --endpoint is given)")
	fs.StringArrayVar(&t.webhooks, "webhook", nil, "webhook as `[NAME=]PUBLIC[=LOCAL]`; repeatable")
	fs.StringArrayVar(&t.publicKeys, "public-key", nil, "PEM `file` of the public key as uploaded to Kindly; more of them only say who signed instead")
	fs.StringVar(&t.privateKey, "private-key", "", "PEM `file` of its private key, of a test environment only: makes tokens for requests that are sent again")
	fs.StringArrayVar(&t.resolve, "resolve", nil, "call this address for a host name, as `HOST=ADDRESS`; repeatable")
	fs.StringVar(&t.caFile, "ca-file", "", "PEM `file` of a private certificate authority, trusted beside the system's")
	fs.StringVar(&f.page, "page", "", "`URL` of the page that Checks looks at (default: that of --open)")
	fs.StringVar(&t.endpoint, "endpoint", "", "`URL` of the auth endpoint, for Checks; found by watching the page otherwise")
	fs.StringVar(&t.headerFile, "endpoint-header-file", "", "`file` of headers for --endpoint, such as a session: lines of Name: value")
	fs.BoolVar(&f.safe, "safe", false, "Checks sends no hostile input: for production")
	fs.StringVar(&f.open, "open", "", "show the page at this `URL` in a Chrome in which Kindly is the mock")
	fs.BoolVar(&f.headless, "headless", false, "with --open: no window")
	fs.StringVar(&f.browser, "browser", "", "for --open and Checks: `path` of Chrome or Chromium; found by itself otherwise")
	fs.StringVar(&f.db, "db", "", "keep journal and chats in this `file`; it holds what users wrote, but no signature of a token")
	fs.BoolVar(&f.dbSync, "db-sync", false, "with --db: wait for the disk at each message, so that what was answered survives a power cut too")
	fs.StringVar(&f.appWebhook, "app-webhook", "", "where replies of the Application API go, as `[NAME=]PUBLIC[=LOCAL]`")
	fs.DurationVar(&f.timeout, "timeout", 10*time.Second, "of one webhook request")
	fs.StringVar(&f.listen, "listen", "127.0.0.1:8484", "`address` to listen on; one that other machines reach makes console and API want a token")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "show no line for each event")
	fs.StringArrayVar(&f.hosts, "host", nil, "console and API answer to this host `name` too; repeatable")
}

// garbage is the percentage of what is in use that may gather before it is
// collected (GOGC). Four times Go's own makes a mock under load a tenth faster,
// and its slowest answers a fifth, for some 75 MB; one that rests needs none.
const garbage = 400

// enough is how many bytes the process may take before garbage is collected
// sooner after all (GOMEMLIMIT). Pages that mean harm can fill chats and journal,
// 130 MB, and three times that would gather.
const enough = 300 << 20

// collect sets both, unless the environment does. It returns the way back.
func (a *app) collect(percent int, most int64) (restore func()) {
	if _, told := a.lookupEnv("GOGC"); told {
		return func() {}
	}
	limit := debug.SetMemoryLimit(-1) // asks
	if _, told := a.lookupEnv("GOMEMLIMIT"); !told {
		debug.SetMemoryLimit(most)
	}
	percent = debug.SetGCPercent(percent)
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}

func (a *app) serve(ctx context.Context, fs *pflag.FlagSet, f *serveFlags) (err error) {
	defer a.collect(garbage, enough)()
	c, err := a.serveConfig(fs, f)
	if err != nil {
		return err
	}
	o, err := a.mockOptions(c, f)
	if err != nil {
		return err
	}
	so := server.Options{APIKey: a.env(apiKeyVariable), Pages: console.Handler(), Version: ownVersion()}
	l, err := a.listen("--listen", f, &so)
	if err != nil {
		return err
	}
	o.Public, o.Secrets = l.base, append(slices.Clip(c.Target.Secrets), so.APIKey, so.AdminToken)
	defer l.Close() // the server has closed it, if there was one
	client := wire.NewClient(c.Target.Wire(wire.Options{Timeout: f.timeout, UserAgent: "kindlytest/" + ownVersion()}))
	defer client.Close()
	o.Client = client
	o.Manner, so.Client = mannerOf(c.Options.Observed, fs.Changed("timeout")), c.Options.Observed.Client()
	if so.Client != nil {
		so.Client.Needs = nil // in a browser of somebody's own, others would be asked for them
	}
	if f.db != "" {
		store, openErr := sqlite.Open(f.db, sqlite.Options{Sync: f.dbSync})
		if openErr != nil {
			return storeError(openErr)
		}
		defer func() { err = errors.Join(err, store.Close()) }()
		o.Store = store
	}
	k, err := mockkindly.New(o)
	if err != nil {
		return placed(c, storeError(err))
	}
	checked := a.checker(c, fs, f)
	defer checked.Close() // again, where what follows fails
	so.Checks = checked
	handler := server.New(k, so)
	before := k.Journal().Last()
	serving := startServer(l.Listener, handler)
	a.introduceMock(l, c, f)
	if !f.quiet {
		defer showEvents(a.stdout, k.Journal(), before)()
	}
	stopped := serving.watch(ctx)
	if f.open != "" {
		if err := a.openPage(stopped, handler, c, f); err != nil {
			return errors.Join(err, serving.stop(k))
		}
	}
	<-stopped.Done()
	checked.Close()
	return serving.stop(k)
}

// mannerOf is how requests are sent by what was seen of the real Kindly. A time that
// is asked for counts.
func mannerOf(seen *observed.Learnt, timed bool) *webhook.Manner {
	m := seen.Manner()
	if m != nil && timed {
		m.Timeout = 0
	}
	return m
}

// mannerHere is mannerOf what lies in the working directory.
func (a *app) mannerHere(timed bool) (*webhook.Manner, error) {
	c := &config.Config{}
	if err := a.lookForObserved(c); err != nil {
		return nil, err
	}
	for _, note := range c.Notes {
		fmt.Fprintln(a.stderr, "note: "+printable(note))
	}
	return mannerOf(c.Options.Observed, timed), nil
}

// enoughForMock are flags each of which, also without a file, says what the mock works with.
var enoughForMock = []string{"open", "public-key", "private-key", "app-webhook", "forward-to"}

// serveConfig reads the file and the flags that say what the mock works with.
func (a *app) serveConfig(fs *pflag.FlagSet, f *serveFlags) (*config.Config, error) {
	given := fs.Changed("webhook") || fs.Changed("page") || fs.Changed("endpoint")
	c, used, err := a.configOf(fs, f.target.config, given, false)
	if f.used = used; err != nil {
		return nil, err
	}
	if len(c.Targets) > 0 {
		if fs.Changed("config") || !slices.ContainsFunc(enoughForMock, fs.Changed) {
			return nil, hint.Errorf("name what the mock works with by flags, or in a file of its own", "the file describes several targets, and Kindly is played for one")
		}
		fmt.Fprintln(a.stderr, "note: "+used+" is left out after all: it describes several targets, and Kindly is played for one")
		c, f.used = &config.Config{}, ""
	}
	if err := applyKeys(&c.Target, &f.target); err != nil {
		return nil, err
	}
	if err := applyEndpoint(&c.Target, fs, &f.target); err != nil {
		return nil, err
	}
	if err := a.applyWebhooks(&c.Target, f.target.webhooks); err != nil {
		return nil, err
	}
	if err := a.applyNetwork(&c.Target, &f.target); err != nil {
		return nil, err
	}
	for _, flag := range []struct{ name, url string }{{"--open", f.open}, {"--page", f.page}} {
		if flag.url == "" {
			continue
		}
		if err := config.CheckURL(flag.url); err != nil {
			return nil, fmt.Errorf("%s: %w", flag.name, err)
		}
		c.Target.PageURL = flag.url // that of --page, if both are given
	}
	if f.dbSync && f.db == "" {
		return nil, errors.New("--db-sync needs --db: what is in memory is nowhere else")
	}
	if f.timeout <= 0 {
		return nil, fmt.Errorf("--timeout must be more than nothing, and is %s", f.timeout)
	}
	if err := a.lookForObserved(c); err != nil {
		return nil, err
	}
	for _, k := range c.Target.PublicKeys {
		if caution := k.Caution(); caution != "" {
			c.Notes = append(c.Notes, caution)
		}
	}
	for _, note := range c.Notes {
		fmt.Fprintln(a.stderr, "note: "+printable(note))
	}
	return c, nil
}

// mockOptions describe the one bot that serves every key.
func (a *app) mockOptions(c *config.Config, f *serveFlags) (mockkindly.Options, error) {
	bot := mockkindly.Bot{
		Key: cmp.Or(c.Target.BotKey, "mock"), ID: 1, OrganizationID: 1,
		PublicKeys: c.Target.PublicKeys, Published: c.Target.Published,
		Webhooks: c.MockWebhooks(), Dialogues: c.Dialogues,
	}
	o := mockkindly.Options{
		Bots: []mockkindly.Bot{bot}, AnyBot: &bot, WantedKey: c.Target.BotKey, SigningKey: c.Target.PrivateKey,
		NextSecret: a.env(nextSecretVariable),
	}
	if f.appWebhook != "" {
		w, err := parseWebhook(f.appWebhook)
		if err != nil {
			return o, fmt.Errorf("--app-webhook: %w", err)
		}
		o.Application.Webhook = mockWebhook(w)
		o.Application.Webhook.Secret = a.env(hmacSecretVariable)
	}
	return o, nil
}

// placed adds to an error about a dialogue where in the file it stands.
func placed(c *config.Config, err error) error {
	var input *mockkindly.InputError
	if errors.As(err, &input) {
		if place := c.Place(input.Field); place != "" {
			return fmt.Errorf("%s: %w", place, err)
		}
	}
	return err
}

func mockWebhook(w target.Webhook) mockkindly.Webhook {
	return mockkindly.Webhook{Name: w.Name, URL: w.URL, ConnectTo: w.ConnectTo, Secret: w.Secret}
}

// storeError gives the error of a file its way out: what is wrong with one may
// show only when it is read.
func storeError(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return hint.Errorf(e.Way, "--db: %w", err)
	}
	return err
}
