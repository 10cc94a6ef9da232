package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/net/netutil"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/listen"
	"github.com/kindlytest/kindlytest/internal/recording"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/console"
	"github.com/kindlytest/kindlytest/mockkindly/server"
)

type listenFlags struct {
	serve     serveFlags // those of serve that listen has too: its console
	forwardTo string
	address   string
	record    string
	keep      bool
}

const listenLong = `Stands between the real Kindly and an app on this machine, and shows what Kindly
sends: is it signed rightly, and if not, how wrongly; the token by all rules; the
payload beside what is documented; the answer as Kindly reads it. Each delivery
can be sent again from the console.

Let a tunnel of yours lead to the address that is printed, and give its public
URL to Kindly. Bodies pass to the byte, both ways. If the app is down, Kindly
gets 502, and you are told.

With --record each delivery becomes a line of FILE, without signatures, tokens and
cookies. Personal values are replaced by others that look alike, unless
--keep-values. A line is written before Kindly gets the end of the answer, so that
it survives kill -9. kindlytest learn reads such files.

` + hmacSecretVariable + ` is the webhook's secret, or hmac_secret of the one
in kindlytest.yaml (-c) whose connect_to or url is --forward-to.`

func newListen(a *app) *cobra.Command {
	f := &listenFlags{}
	cmd := &cobra.Command{
		Use:   "listen --forward-to URL",
		Short: "Stand between the real Kindly and a local app, and watch",
		Long:  listenLong,
		Example: `  kindlytest listen --forward-to http://localhost:3000/kindly
  kindlytest listen --forward-to http://localhost:3000/kindly --record kindly.jsonl --public-key public.pem`,
		Args: noArguments("the app is given by --forward-to URL"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listenTo(cmd.Context(), cmd.Flags(), f) },
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.forwardTo, "forward-to", "", "`URL` of the app; without a path in it each request keeps its own")
	fs.StringVar(&f.record, "record", "", "append each delivery to this `file`")
	fs.BoolVar(&f.keep, "keep-values", false, "with --record: keep personal values as they are, to replay them")
	t := &f.serve.target
	fs.StringVarP(&t.config, "config", "c", "", "`file` with webhooks and keys (default ./"+config.DefaultName+" if there is one)")
	fs.StringArrayVar(&t.publicKeys, "public-key", nil, "PEM `file` of the public key as uploaded to Kindly")
	fs.StringVar(&t.privateKey, "private-key", "", "PEM `file` of its private key, of a test environment only: makes tokens for requests that are sent again")
	fs.StringVar(&t.caFile, "ca-file", "", "PEM `file` of a private certificate authority, trusted beside the system's")
	fs.StringVar(&f.address, "listen", "127.0.0.1:8485", "`address` for the tunnel")
	fs.StringVar(&f.serve.listen, "console", "127.0.0.1:8484", "`address` of the console; keep tunnels away from it")
	return cmd
}

// listenBot is the key of the bot whose deliveries pass.
const listenBot = "listen"

func (a *app) listenTo(ctx context.Context, fs *pflag.FlagSet, f *listenFlags) (err error) {
	f.serve.timeout = 10 * time.Second // of what is sent again
	if err := f.check(); err != nil {
		return err
	}
	c, err := a.serveConfig(fs, &f.serve)
	if err != nil {
		return err
	}
	hook := a.heardWebhook(c, f.forwardTo)
	so := server.Options{Pages: console.Handler(), WatchOnly: true, Version: ownVersion()}
	l, err := a.listen("--console", &f.serve, &so)
	if err != nil {
		return err
	}
	defer l.Close() // the server has closed it, if there was one
	tunnel, err := net.Listen("tcp", f.address)
	if err != nil {
		return listenError("--listen", f.address, err)
	}
	defer tunnel.Close()
	o := listen.Options{Bot: listenBot, Webhook: hook.Name, Secret: hook.Secret, Keys: c.Target.PublicKeys, Told: a.tellDelivery}
	if o.ForwardTo, err = url.Parse(hook.URL); err != nil {
		return err // it was parsed before
	}
	if err := notItself(o.ForwardTo, tunnel.Addr().(*net.TCPAddr), l.Addr().(*net.TCPAddr)); err != nil { // of "tcp" they always are
		return err
	}
	client := wire.NewClient(c.Target.Wire(wire.Options{Timeout: f.serve.timeout, UserAgent: "kindlytest/" + ownVersion()}))
	defer client.Close()
	o.TLS = c.Target.Wire(wire.Options{}).TLS
	if f.record != "" {
		if o.Recorder, err = recording.Create(f.record, recording.Options{KeepValues: f.keep, Redact: unrecorded(c, hook)}); err != nil {
			return fmt.Errorf("--record: %w", err)
		}
		defer func() { err = errors.Join(err, o.Recorder.Close()) }()
	}
	bot := mockkindly.Bot{Key: listenBot, ID: 1, OrganizationID: 1, PublicKeys: c.Target.PublicKeys, Published: c.Target.Published, Webhooks: []mockkindly.Webhook{hook}}
	o.Kindly, err = mockkindly.New(mockkindly.Options{
		Bots: []mockkindly.Bot{bot}, SigningKey: c.Target.PrivateKey, Client: client,
		Manner: mannerOf(c.Options.Observed, true), Public: l.base, Secrets: append(slices.Clip(c.Target.Secrets), so.AdminToken),
	})
	if err != nil {
		return err
	}
	return a.passOn(ctx, o, l, tunnel, so, f)
}

func (f *listenFlags) check() error {
	switch {
	case f.forwardTo == "":
		return hint.Errorf("an example: --forward-to http://localhost:3000/kindly", "--forward-to is missing: where is the app?")
	case f.keep && f.record == "":
		return hint.Errorf("add --record FILE", "--keep-values has no effect without a recording")
	}
	if err := config.CheckURL(f.forwardTo); err != nil {
		return fmt.Errorf("--forward-to: %w", err)
	}
	return nil
}

// notItself says of an address to which all is passed on that it is one of its own: a
// request would go round for ever.
func notItself(to *url.URL, own ...*net.TCPAddr) error {
	port := cmp.Or(to.Port(), map[string]string{"http": "80", "https": "443"}[to.Scheme])
	here := wire.IsLoopback(to.String()) || to.Hostname() == ownAddress()
	for _, address := range own {
		if here && port == strconv.Itoa(address.Port) {
			return hint.Errorf("name the address of your app", "--forward-to is where kindlytest listens itself")
		}
	}
	return nil
}

// heardWebhook is what stands behind: the webhook of the file that leads there,
// or one with the secret of the environment.
func (a *app) heardWebhook(c *config.Config, forwardTo string) mockkindly.Webhook {
	hook := mockkindly.Webhook{Name: "app", URL: forwardTo, Secret: a.env(hmacSecretVariable)}
	for _, w := range c.Target.Webhooks {
		if cmp.Or(w.ConnectTo, w.URL) == forwardTo {
			hook.Name, hook.Secret = cmp.Or(w.Name, hook.Name), cmp.Or(w.Secret, hook.Secret)
			break
		}
	}
	return hook
}

// unrecorded knows what no recording may hold.
func unrecorded(c *config.Config, hook mockkindly.Webhook) *redact.Redactor {
	known := &redact.Redactor{}
	known.Learn(c.Target.Secrets...)
	known.Learn(hook.Secret)
	return known
}

// passOn serves both sides until the end.
func (a *app) passOn(ctx context.Context, o listen.Options, l *listener, tunnel net.Listener, so server.Options, f *listenFlags) error {
	proxy, err := listen.New(o)
	if err != nil {
		return errors.Join(err, o.Kindly.Close())
	}
	passing := &mockServer{http: proxy.Server(), failed: make(chan error, 1)}
	passing.serve(listen.Listen(netutil.LimitListener(tunnel, maxConnections))) // the outer one: it is asked for headers
	showing := startServer(l.Listener, server.New(o.Kindly, so))
	a.introduceListen(l, tunnel.Addr().(*net.TCPAddr), o, f) // of "tcp" it always is
	stopped := passing.watch(showing.watch(ctx))
	<-stopped.Done()
	err = passing.end()
	proxy.Close()
	return errors.Join(err, showing.stop(o.Kindly))
}

func (a *app) introduceListen(l *listener, tunnel *net.TCPAddr, o listen.Options, f *listenFlags) {
	base, _, _ := urlsOf(tunnel, f.address)
	to := redact.URL(o.ForwardTo.String())
	fmt.Fprintf(a.stdout, "Listening at %s, and passing on to %s (Ctrl-C ends it).\n\n  console  %s/\n", base, printable(to), l.base)
	if f.record != "" {
		what := "personal values are replaced"
		if f.keep {
			what = "personal values are KEPT"
		}
		fmt.Fprintf(a.stdout, "  record   %s (%s)\n", printable(f.record), what)
	}
	fmt.Fprintf(a.stdout, "\nLet your tunnel lead to %s, and give its public URL to Kindly as the webhook's.\n\n", base)
	if o.Secret == "" {
		fmt.Fprintln(a.stderr, "note: without "+hmacSecretVariable+" no signature can be judged")
	}
	if len(o.Keys) == 0 {
		fmt.Fprintln(a.stderr, "note: without --public-key no token can be judged")
	}
	if l.token != "" {
		fmt.Fprintf(a.stderr, "note: other machines can reach the console, so that it wants a token. Open:\n  %s/#token=%s\n", l.base, l.token)
	}
}
