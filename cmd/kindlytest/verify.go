package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

type verifyFlags struct {
	file       string
	publicKeys []string
	chatID     string
	webhooks   []string
	now        string
	json       bool
	noColor    bool
}

const verifyLong = `Reads one token from stdin, or from --file, and judges it by every rule: not only
the first that it breaks. Nothing is sent anywhere.

A token is a credential, so that it is refused as an argument: it would stay in
the shell's history. White space around it, a "Bearer " in front, and the JSON
answer of an auth endpoint are understood, whatever its member is called.

A token may break a rule for which Kindly refuses none: it is taken, and is unsafe
or shown wrongly. The verdict then says ACCEPTED, BUT NOT SOUND.

Without --public-key nobody knows who signed the token; the verdict says so, and
the exit code is that of the other rules. 0: no MUST is violated; 1: one is; 2:
there is no token to judge. What --webhook tells changes no exit code.`

func newVerify(a *app) *cobra.Command {
	f := &verifyFlags{}
	cmd := &cobra.Command{
		Use:   "verify [-]",
		Short: "Judge one token by Kindly's rules",
		Long:  verifyLong,
		Example: `  kindlytest verify --public-key public.pem < token.txt
  pbpaste | kindlytest verify --public-key public.pem --chat-id 6f1c…
  kindlytest verify --file token.txt --webhook https://hooks.example.com/kindly --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) == 1 && args[0] == "-" {
				return nil
			}
			if _, err := os.Stat(args[0]); err == nil && len(args) == 1 {
				return hint.Errorf("kindlytest verify --file "+args[0], "%s is a file; verify reads stdin, or what --file names", args[0])
			}
			return hint.Errorf("kindlytest verify < token.txt, or pbpaste | kindlytest verify",
				"a token as an argument would stay in the shell's history (and others can see it): give it on stdin")
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return a.verify(cmd.Context(), f) },
	}
	f.register(cmd.Flags())
	return cmd
}

func (f *verifyFlags) register(fs *pflag.FlagSet) {
	fs.SortFlags = false
	fs.StringVar(&f.file, "file", "", "read the token from this `file`, not from stdin")
	fs.StringArrayVar(&f.publicKeys, "public-key", nil, "PEM `file` of the key uploaded to Kindly; more of them only say who signed instead")
	fs.StringVar(&f.chatID, "chat-id", "", "what getAuthToken was called with")
	fs.StringArrayVar(&f.webhooks, "webhook", nil, "say whether Kindly would forward the token to this `URL`; repeatable")
	fs.StringVar(&f.now, "now", "", "judge as of this `time` (RFC 3339, such as 2026-01-31T12:00:00Z)")
	fs.BoolVar(&f.json, "json", false, "print the result as JSON")
	fs.BoolVar(&f.noColor, "no-color", false, "no colours (also: NO_COLOR)")
}

// A judgement is what verify found out.
type judgement struct {
	result     token.Result
	now        time.Time
	keyGiven   bool
	notes      []string
	forwarding []forwarding
	domains    []token.Violation // what is wrong with chat.webhook_domains
	unread     string            // why they can't be judged
}

// forwarding is whether Kindly would send the token to a webhook.
type forwarding struct {
	URL string `json:"url"`
	decision
}

// expect is what the flags say of the token.
func (f *verifyFlags) expect() (token.Expect, error) {
	expect := token.Expect{ChatID: f.chatID, Now: time.Now()}
	if f.now != "" {
		now, err := time.Parse(time.RFC3339, f.now)
		if err != nil {
			return expect, hint.Errorf("an example: --now 2026-01-31T12:00:00Z", "--now: %q is no time", f.now)
		}
		expect.Now = now
	}
	for _, path := range f.publicKeys {
		key, _, err := config.ReadPublicKey(config.ReadFile, path)
		if err != nil {
			return expect, fmt.Errorf("--public-key: %w", err)
		}
		expect.Keys = append(expect.Keys, key)
	}
	return expect, nil
}

func (a *app) verify(ctx context.Context, f *verifyFlags) error {
	expect, err := f.expect()
	if err != nil {
		return err
	}
	text, err := a.readToken(ctx, f.file)
	switch {
	case err != nil && f.file != "":
		return fmt.Errorf("--file: %w", err)
	case err != nil:
		return err
	}
	raw, note := tokenIn(text)
	if raw == "" {
		return hint.Errorf("kindlytest verify < token.txt, or --file token.txt", "there is no token to judge: the input is empty")
	}
	j := judgement{result: token.Check(raw, expect), now: expect.Now, keyGiven: len(expect.Keys) > 0}
	if note != "" {
		j.notes = append(j.notes, note)
	}
	for _, k := range expect.Keys {
		if caution := k.Caution(); caution != "" {
			j.notes = append(j.notes, caution+".")
		}
	}
	j.domains, j.unread = mockkindly.JudgeDomains(j.result)
	for _, url := range f.webhooks {
		d := decision{Reason: j.unread}
		if j.unread == "" {
			d = decisionOf(allowlist.Decide(j.result.Token.WebhookDomains(), url))
		}
		j.forwarding = append(j.forwarding, forwarding{url, d})
	}
	if f.json {
		err = printJSON(a.stdout, j.json())
	} else {
		err = a.showJudgement(j, f.noColor)
	}
	if err != nil {
		return err
	}
	return exit(j.exitCode())
}

// maxTokenInput is more than any token that could be accepted, in bytes.
const maxTokenInput = 1 << 20

func (a *app) readToken(ctx context.Context, path string) (string, error) {
	in := a.input(ctx)
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return "", err // names the file
		}
		defer f.Close() // it was only read
		in = f
	} else if f, ok := a.stdin.(*os.File); ok && isInteractive(f) {
		fmt.Fprintln(a.stderr, "Paste the token, then press Enter and Ctrl-D.")
	}
	text, err := io.ReadAll(io.LimitReader(in, maxTokenInput))
	if err != nil {
		return "", fmt.Errorf("reading the token: %w", err)
	}
	return string(text), nil
}

// tokenIn finds the token in what people paste, and says where it was.
func tokenIn(text string) (raw token.Raw, note string) {
	text = strings.TrimSpace(strings.TrimPrefix(text, "\uFEFF"))
	if strings.HasPrefix(text, "{") {
		var answer struct {
			Token *string `json:"token"`
		}
		if json.Unmarshal([]byte(text), &answer) == nil && answer.Token != nil {
			return token.Raw(*answer.Token), `the token was read from the member "token" of a JSON object`
		}
		if within, by := token.Unwrap(token.Raw(text)); by == token.InJSON && within != "" {
			return within, "the token was read from a JSON object; its member is not called \"token\""
		}
	}
	const scheme = "bearer "
	if len(text) > len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
		return token.Raw(strings.TrimSpace(text[len(scheme):])), `"Bearer" in front of the token was left out`
	}
	if all := behindBearer.FindAllStringSubmatch(text, 2); len(all) == 1 {
		return token.Raw(all[0][1]), `the token is what stands behind "Bearer" there`
	}
	return token.Raw(text), ""
}

// behindBearer is a token in a header's line, or in a command, that was pasted whole.
var behindBearer = regexp.MustCompile(`(?i)\bbearer[ \t]+(ey[\w-]+\.[\w-]+\.[\w-]+)(?:[\s"'\\,;}]|$)`)

// violated counts the violations of a level.
func (j judgement) violated(level rule.Level) int {
	n := 0
	for _, v := range j.violations() {
		if v.Level == level {
			n++
		}
	}
	return n
}

func (j judgement) exitCode() int {
	if j.violated(rule.Must) > 0 {
		return exitBroken
	}
	return exitOK
}

// verdict is the last line.
func (j judgement) verdict() string {
	must, refused := j.violated(rule.Must), len(j.result.Refused())
	who := printable(cmp.Or(j.result.Token.Name(), j.result.Token.Subject(), "the user"))
	switch {
	case refused > 0 && !j.keyGiven:
		return fmt.Sprintf("REFUSED: it breaks %s (signature not checked: no --public-key)", plural(must, "MUST rule"))
	case refused > 0:
		return fmt.Sprintf("REFUSED: it breaks %s", plural(must, "MUST rule"))
	case must > 0 && !j.keyGiven:
		return fmt.Sprintf("NOT VERIFIED: signature not checked: no --public-key; it breaks %s, for which Kindly refuses no token", plural(must, "MUST rule"))
	case must > 0 && j.result.Accepted():
		return fmt.Sprintf("ACCEPTED, BUT NOT SOUND: Kindly would let %s in; it breaks %s: unsafe, or shown wrongly", who, plural(must, "MUST rule"))
	case !j.keyGiven:
		return "NOT VERIFIED: signature not checked: no --public-key; by all other rules it is a good token"
	case !j.result.Accepted():
		return "NOT VERIFIED: some rules could not be judged"
	}
	return "ACCEPTED: Kindly would let " + who + " in"
}
