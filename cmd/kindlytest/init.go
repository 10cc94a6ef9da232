package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/starter"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/target"
)

type initFlags struct {
	answers  starter.Answers
	webhooks []string
	force    bool
	dryRun   bool

	record  bool
	browser string
}

func newInit(a *app) *cobra.Command {
	f := &initFlags{}
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write kindlytest.yaml, and what your CI needs to run it",
		Long: `Writes kindlytest.yaml into the current directory, and with --ci the files that
let GitHub Actions or GitLab run it, keep the reports, and gate the merge. The
folder of the reports is added to .gitignore.

With --ci and nothing else, where kindlytest.yaml is there already, it writes the
files of the CI for that one: if it lists several targets, with several machines
that share them.

With --page or --login it looks at the page, and proposes the selectors of its
login form, if there is one and it can be reached.

With --record it opens a window, and writes what you click and fill in there as
steps: the login, and then what opens the chat. What you type is not kept.

On a terminal, without flags, it asks. Otherwise the flags say all; what they
leave out stands in the file as a comment. Secrets are never asked for: the file
names environment variables (${NAME}), and init says which ones to set.

A file that exists is not touched, unless --force is given.`,
		Example: `  kindlytest init
  kindlytest init --page http://localhost:3001/ --login http://localhost:3001/login --public-key public.pem --ci github
  kindlytest init --webhook https://hooks.example.com/kindly=http://localhost:3000/kindly --hmac --ci gitlab
  kindlytest init --page https://staging.example.com/ --record
  kindlytest init --page https://staging.example.com/ --ci github,gitlab --dry-run
  kindlytest init --ci github`,
		Args: noArguments("the page is given by --page"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.init(cmd.Context(), cmd.Flags(), f)
		},
	}
	f.register(cmd.Flags())
	return cmd
}

func (f *initFlags) register(fs *pflag.FlagSet) {
	fs.SortFlags = false
	fs.StringVar(&f.answers.Page, "page", "", "`URL` of the page with the chat")
	fs.StringVar(&f.answers.Login, "login", "", "`URL` of the page where users log in")
	fs.BoolVar(&f.answers.SecondLogin, "second-login", false, "a second user logs in there, too")
	fs.StringVar(&f.answers.Endpoint, "endpoint", "", "`URL` of the auth endpoint; found by watching the page otherwise")
	fs.StringArrayVar(&f.webhooks, "webhook", nil, "webhook as `[NAME=]PUBLIC[=LOCAL]`; repeatable")
	fs.BoolVar(&f.answers.HMAC, "hmac", false, "Kindly signs its requests to the webhooks")
	fs.StringVar(&f.answers.BotKey, "bot-key", "", "the bot's `key`")
	fs.StringVar(&f.answers.PublicKey, "public-key", "", "PEM `file` of the public key as uploaded to Kindly")
	fs.StringVar(&f.answers.CAFile, "ca-file", "", "PEM `file` of a private certificate authority, trusted beside the system's")
	fs.StringSliceVar(&f.answers.CI, "ci", []string{"none"}, "write files for this CI: github, gitlab; or none")
	fs.StringVar(&f.answers.Start, "start", "", "shell `command` that starts your application in the CI")
	fs.BoolVar(&f.record, "record", false, "open a window, and write the steps as they are clicked")
	fs.StringVar(&f.browser, "browser", "", "Chrome `executable` for --record (default: the one that is found)")
	fs.BoolVar(&f.force, "force", false, "replace files that exist")
	fs.BoolVar(&f.dryRun, "dry-run", false, "print the files, and write none")
}

func (a *app) init(ctx context.Context, fs *pflag.FlagSet, f *initFlags) error {
	if err := f.read(); err != nil {
		return err
	}
	if f.answers.CI != nil && !f.record && !describes(fs) && exists(config.DefaultName) {
		return a.initCI(ctx, f)
	}
	if f.answers.Page == "" && f.answers.Endpoint == "" && len(f.webhooks) == 0 {
		if !a.canAsk() || describes(fs) || fs.Changed("ci") || fs.Changed("start") {
			return hint.Errorf("--page URL, --endpoint URL or --webhook URL; on a terminal, kindlytest init alone asks", "nothing to check was given")
		}
		answers, err := ask(a.input(ctx), a.stderr, exists)
		if err != nil {
			return err
		}
		f.answers = answers
	}
	a.noteLocal(f)
	if f.record {
		if err := a.record(ctx, &f.answers, f.browser); err != nil {
			return err
		}
	} else {
		a.readForm(ctx, &f.answers)
	}
	return a.start(ctx, f)
}

// start writes the files, or prints them.
func (a *app) start(ctx context.Context, f *initFlags) error {
	f.answers.Release = release(ownVersion())
	files := starter.Files(f.answers)
	if f.dryRun {
		return errors.Join(a.printFiles(files), a.ignoreReports(ctx, true))
	}
	if err := a.writeFiles(files, f.force); err != nil {
		return err
	}
	if err := a.ignoreReports(ctx, false); err != nil {
		return err
	}
	a.whatNow(f.answers)
	return nil
}

// read checks what the flags say.
func (f *initFlags) read() error {
	for _, u := range []struct{ flag, url string }{
		{"page", f.answers.Page}, {"login", f.answers.Login}, {"endpoint", f.answers.Endpoint},
	} {
		if u.url == "" {
			continue
		}
		if err := config.CheckURL(u.url); err != nil {
			return fmt.Errorf("--%s: %w", u.flag, err)
		}
	}
	switch {
	case f.answers.Login != "" && f.answers.Page == "":
		return hint.Errorf("--page URL is the page with the chat", "--login is given, but no page")
	case f.answers.SecondLogin && f.answers.Login == "":
		return hint.Errorf("--login URL is the page where users log in", "--second-login is given, but no login")
	case f.answers.HMAC && len(f.webhooks) == 0:
		return hint.Errorf("--webhook URL names it", "--hmac is given, but no webhook")
	case strings.ContainsAny(f.answers.Start, "\n\r"):
		return errors.New("--start must be one line")
	}
	for _, flag := range f.webhooks {
		w, err := parseWebhook(flag)
		if err != nil {
			return fmt.Errorf("--webhook: %w", err)
		}
		f.answers.Webhooks = append(f.answers.Webhooks, starter.Webhook{Name: w.Name, URL: w.URL, ConnectTo: w.ConnectTo})
	}
	if err := applyAuthorities(&target.Target{}, f.answers.CAFile); err != nil {
		return err
	}
	if slices.Equal(f.answers.CI, []string{"none"}) {
		f.answers.CI = nil
	}
	for _, ci := range f.answers.CI {
		if !slices.Contains(starter.CIs, ci) {
			return unknownName("CI", ci, starter.CIs, "there are "+strings.Join(starter.CIs, ", ")+"; or none")
		}
	}
	return nil
}

// noteLocal says of each webhook that a flag names by a local URL that Kindly
// would not forward the token there. (Whoever is asked is told then.)
func (a *app) noteLocal(f *initFlags) {
	if len(f.webhooks) == 0 {
		return
	}
	for _, w := range f.answers.Webhooks {
		if wire.IsLoopback(w.URL) {
			fmt.Fprintf(a.stderr, "note: --webhook %s: %s\n", printable(w.URL), noTokenToLocalhost)
			fmt.Fprintf(a.stderr, "hint: give the public URL and this one: --webhook PUBLIC=%s\n", printable(cmp.Or(w.ConnectTo, w.URL)))
		}
	}
}

// initCI writes what a CI needs to run the kindlytest.yaml that is there.
func (a *app) initCI(ctx context.Context, f *initFlags) error {
	outline, err := config.OutlineOf(config.DefaultName)
	if err != nil {
		return err
	}
	there := &starter.Existing{Targets: len(outline.Targets), Variables: outline.Variables}
	if i := slices.IndexFunc(outline.Texts, wire.IsLoopback); i >= 0 {
		there.Local = outline.Texts[i]
	}
	f.answers.Existing = there
	fmt.Fprintln(a.stderr, "note: using "+config.DefaultName)
	return a.start(ctx, f)
}

// describes says whether a flag was given that is about the target.
func describes(fs *pflag.FlagSet) bool {
	some := false
	fs.Visit(func(f *pflag.Flag) {
		some = some || !slices.Contains([]string{"ci", "start", "force", "dry-run", "record", "browser"}, f.Name)
	})
	return some
}

// canAsk says whether somebody is there to answer.
func (a *app) canAsk() bool {
	in, ok := a.stdin.(*os.File)
	return ok && term.IsTerminal(int(in.Fd()))
}

// release is a version that can be asked for; "" for one that was built by hand.
func release(version string) string {
	if strings.HasPrefix(version, "v") && !strings.ContainsAny(version, "+-") {
		return version
	}
	return ""
}

func (a *app) printFiles(files []starter.File) error {
	for i, f := range files {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		if _, err := fmt.Fprintf(a.stdout, "# ---- %s\n%s", f.Path, f.Text); err != nil {
			return err
		}
	}
	return nil
}

// writeFiles writes all files, or none if one is there already. A file that
// belongs to others too is left alone then, and the user told what to add.
func (a *app) writeFiles(files []starter.File, force bool) error {
	var there []string
	for _, f := range files {
		if f.Add == "" && exists(f.Path) {
			there = append(there, f.Path)
		}
	}
	if len(there) > 0 && !force {
		return hint.Errorf("--force replaces what is there; --dry-run shows what would be written", "%s: already there", strings.Join(there, ", "))
	}
	for _, f := range files {
		if f.Add != "" && exists(f.Path) {
			fmt.Fprintf(a.stderr, "%s is there already: %s\n", f.Path, f.Add)
			continue
		}
		path := filepath.FromSlash(f.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.Text, 0o644); err != nil {
			return err
		}
		fmt.Fprintln(a.stderr, "wrote "+f.Path)
	}
	return nil
}

// whatNow says what is left to do.
func (a *app) whatNow(answers starter.Answers) {
	fmt.Fprintln(a.stderr, "\nNext:")
	if key := answers.PublicKey; key != "" && !exists(key) {
		fmt.Fprintf(a.stderr, "  put the public key that you pasted into Kindly into %s\n", printable(key))
	}
	switch {
	case answers.Recorded != nil:
		fmt.Fprintln(a.stderr, "  look at page.login and page.steps: what you did is there, and can be made shorter")
	case answers.Form.Read:
		fmt.Fprintln(a.stderr, "  look at page.login: the selectors were read from your form; wait_for is a guess")
	case answers.Login != "":
		fmt.Fprintln(a.stderr, "  adapt the selectors of page.login to your form")
	}
	if secrets := answers.Secrets(); len(secrets) > 0 {
		where := ""
		if len(answers.CI) > 0 {
			where = ", here and as secrets of the CI"
		}
		fmt.Fprintf(a.stderr, "  set %s%s\n", strings.Join(secrets, ", "), where)
	}
	if len(answers.CI) > 0 && answers.Local() != "" && answers.Start == "" {
		fmt.Fprintln(a.stderr, "  let the CI start your application: see the comment in its file")
	}
	fmt.Fprintln(a.stderr, "  kindlytest run")
}

func exists(path string) bool {
	_, err := os.Lstat(filepath.FromSlash(path))
	return !errors.Is(err, fs.ErrNotExist)
}
