package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/rule"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
	"github.com/kindlytest/kindlytest/target"
)

type sendFlags struct {
	webhook   string
	message   string
	slug      string
	chatID    string
	context   []string
	payload   string
	recording string
	delivery  int
	tokenFile string
	private   string
	config    string
	resolve   []string
	caFile    string
	timeout   time.Duration
	json      bool
}

const sendLong = `Sends one request to a webhook, signed and shaped as Kindly's, and shows what went
out and what came back.

The message is --message, with --context and --slug; or the whole body is the
content of --payload, sent byte for byte, or the one of a delivery that
kindlytest listen has recorded (--recording, --delivery), signed anew. With --token-file the token goes along
if its chat.webhook_domains cover the webhook, as with Kindly; otherwise the
output says why not. With --private-key, or that of --config, a token is made for
this request: its chat, five minutes, and the webhook's domain.
` + hmacSecretVariable + ` signs the body. No token and no secret is shown.

Exit codes: 0, the webhook answered 200 with what Kindly takes; 1, it answered
something else; 2, there was no answer, or nothing was sent.`

func newSend(a *app) *cobra.Command {
	f := &sendFlags{}
	cmd := &cobra.Command{
		Use:   "send --webhook URL",
		Short: "Send one signed webhook request, and show both sides",
		Long:  sendLong,
		Example: `  kindlytest send --webhook http://localhost:3000/kindly --message "where is my order?"
  kindlytest send --webhook https://hooks.example.com/kindly=http://localhost:3000/kindly --token-file token.txt
  kindlytest send --webhook https://hooks.example.com/kindly=http://localhost:3000/kindly --private-key test.pem
  kindlytest send --webhook http://localhost:3000/kindly --payload request.json --json`,
		Args: noArguments("the webhook is given by --webhook URL, the message by --message"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.send(cmd.Context(), cmd.Flags(), f) },
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.webhook, "webhook", "", "the webhook as `[NAME=]PUBLIC[=LOCAL]`")
	fs.StringVarP(&f.message, "message", "m", "Hello", "what the user wrote")
	fs.StringVar(&f.slug, "slug", "", "exchange_slug of the dialogue")
	fs.StringVar(&f.chatID, "chat-id", "", "the chat's `id`; the token's, or a random one, if it is not given")
	fs.StringArrayVar(&f.context, "context", nil, "what the chat has collected, as `KEY=VALUE`; repeatable")
	fs.StringVar(&f.payload, "payload", "", "send the content of this `file` as it is; - is stdin")
	fs.StringVar(&f.recording, "recording", "", "send the body of a delivery in this `file`, which listen --record wrote")
	fs.IntVar(&f.delivery, "delivery", 1, "its `number` in the file, from 1")
	fs.StringVar(&f.tokenFile, "token-file", "", "`file` that holds the chat's token")
	fs.StringVar(&f.private, "private-key", "", "PEM `file` to make a token with, instead of --token-file; of a test environment")
	fs.StringVarP(&f.config, "config", "c", "", "make a token with the private_key of this `file`, a kindlytest.yaml")
	fs.StringArrayVar(&f.resolve, "resolve", nil, "call this address for a host name, as `HOST=ADDRESS`; repeatable")
	fs.StringVar(&f.caFile, "ca-file", "", "PEM `file` of a private certificate authority, trusted beside the system's")
	fs.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long to wait for the answer")
	fs.BoolVar(&f.json, "json", false, "print both sides as JSON")
	return cmd
}

func (a *app) send(ctx context.Context, fs *pflag.FlagSet, f *sendFlags) error {
	s, err := a.sending(ctx, fs, f)
	if err != nil {
		return err
	}
	var t target.Target
	if err := errors.Join(applyAuthorities(&t, f.caFile), a.applyProxy(&t), applyResolve(&t, f.resolve)); err != nil {
		return err
	}
	if s.Manner, err = a.mannerHere(fs.Changed("timeout")); err != nil {
		return err
	}
	client := wire.NewClient(t.Wire(wire.Options{Timeout: f.timeout, UserAgent: "kindlytest/" + ownVersion()}))
	defer client.Close()
	d, err := mockkindly.Send(ctx, client, s, time.Now())
	if err != nil {
		return err
	}
	if f.json {
		err = printJSON(a.stdout, d)
	} else {
		err = a.showDelivery(d, f.timeout)
	}
	return errors.Join(err, exit(sendCode(d)))
}

// sending is what the flags say.
func (a *app) sending(ctx context.Context, fs *pflag.FlagSet, f *sendFlags) (mockkindly.Sending, error) {
	var s mockkindly.Sending
	if f.webhook == "" {
		return s, hint.Errorf("an example: --webhook http://localhost:3000/kindly", "--webhook is missing")
	}
	if f.timeout <= 0 {
		return s, fmt.Errorf("--timeout must be more than nothing, and is %s", f.timeout)
	}
	w, err := parseWebhook(f.webhook)
	if err != nil {
		return s, fmt.Errorf("--webhook: %w", err)
	}
	s.Webhook = mockWebhook(w)
	s.Webhook.Secret = a.env(hmacSecretVariable)
	key, err := a.keyToMint(f)
	if err != nil {
		return s, err
	}
	if f.tokenFile != "" {
		if s.Token, err = a.tokenToSend(ctx, f.tokenFile); err != nil {
			return s, fmt.Errorf("--token-file: %w", err)
		}
	}
	if fs.Changed("delivery") && f.recording == "" {
		return s, hint.Errorf("add --recording FILE", "--delivery is a number in a recording, and none is given")
	}
	if f.payload != "" || f.recording != "" {
		whole, others := "payload", []string{"message", "slug", "chat-id", "context"}
		if f.recording != "" {
			whole, others = "recording", append(others, "payload")
		}
		for _, name := range others {
			if fs.Changed(name) {
				return s, hint.Errorf("leave one of the two out", "--%s gives the whole body, so that --%s has no effect", whole, name)
			}
		}
		if f.recording != "" {
			s.Body, err = a.recordedBody(f.recording, f.delivery)
		} else {
			s.Body, err = a.readPayload(ctx, f.payload)
		}
		if err != nil {
			return s, err
		}
		s.Token, err = mint(key, s.Token, chatOf(s.Body), w.URL)
		return s, err
	}
	if s.Payload, err = f.build(s.Token); err != nil {
		return s, err
	}
	s.Token, err = mint(key, s.Token, s.Payload.ChatID, w.URL)
	return s, err
}

// build makes the payload from the flags.
func (f *sendFlags) build(raw token.Raw) (webhook.Payload, error) {
	id := f.chatID
	if id == "" && raw != "" {
		id = token.Check(raw, token.Expect{}).Token.ChatID()
	}
	ids := make([]string, 3)
	for i := range ids {
		var random [16]byte
		_, _ = rand.Read(random[:]) // never fails
		ids[i] = mockkindly.UUID(random)
	}
	if id == "" {
		id = ids[0]
	}
	p := webhook.New(id, f.message)
	p.OrganizationID, p.BotID, p.UserID = 1, 1, ids[1]
	p.Exchange.ID, p.Exchange.Slug = ids[2], f.slug
	p.Links.Chat = "https://bot.kindly.ai/chats/" + id
	p.Source = webhook.SourceTest
	for _, pair := range f.context {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return p, hint.Errorf("an example: --context order=42", "--context: %q is not of the form KEY=VALUE", pair)
		}
		if p.Context == nil {
			p.Context = map[string]any{}
		}
		p.Context[key] = value
	}
	return p, nil
}

// maxPayload bounds a file of --payload, in bytes.
const maxPayload = 10 << 20

func (a *app) readPayload(ctx context.Context, path string) ([]byte, error) {
	in := a.input(ctx)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("--payload: %w", err)
		}
		defer f.Close() // it was only read
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, maxPayload+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("--payload: %w", err)
	case len(body) > maxPayload:
		return nil, fmt.Errorf("--payload: it is larger than %d MB", maxPayload>>20)
	case len(body) == 0:
		return nil, fmt.Errorf("--payload: it is empty")
	}
	return body, nil
}

func sendCode(d mockkindly.Delivery) int {
	switch {
	case d.Exchange.Err != nil:
		return exitUsage
	case d.Exchange.Status() != 200 || d.AnswerErr != nil:
		return exitBroken
	}
	for _, p := range d.Problems {
		if p.Level == rule.Must {
			return exitBroken
		}
	}
	return exitOK
}

// shownDelivery is the part of a delivery's JSON form that is shown: what
// leaves the mock holds no credential.
type shownDelivery struct {
	WithToken bool   `json:"with_token"`
	Reason    string `json:"reason"`
	Error     string `json:"error"`
	Duration  int    `json:"duration_ms"`
	Request   struct {
		Method    string        `json:"method"`
		URL       string        `json:"url"`
		ConnectTo string        `json:"connect_to"`
		Headers   []shownHeader `json:"headers"`
		Body      string        `json:"body"`
	} `json:"request"`
	Response *struct {
		Status  int           `json:"status"`
		Headers []shownHeader `json:"headers"`
		Body    string        `json:"body"`
	} `json:"response"`
	AnswerError string `json:"answer_error"`
	Problems    []struct {
		ID, Level, Path, Expected, Actual, Fix string
	} `json:"problems"`
}

type shownHeader struct{ Name, Value string }

func (a *app) showDelivery(d mockkindly.Delivery, timeout time.Duration) error {
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("show the delivery: %w", err)
	}
	var v shownDelivery
	if err := json.Unmarshal(text, &v); err != nil {
		return fmt.Errorf("show the delivery: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "> %s %s\n", v.Request.Method, v.Request.URL)
	if v.Request.ConnectTo != "" {
		fmt.Fprintf(&b, "> (called at %s)\n", v.Request.ConnectTo)
	}
	showSide(&b, "> ", v.Request.Headers, v.Request.Body)
	token := "with the token"
	if !v.WithToken {
		token = "without a token"
	}
	fmt.Fprintf(&b, "\n%s: %s\n\n", token, v.Reason)
	if v.Response == nil {
		fmt.Fprintf(&b, "NO ANSWER after %d ms: %s\n", v.Duration, v.Error)
	} else {
		fmt.Fprintf(&b, "< %d, after %d ms\n", v.Response.Status, v.Duration)
		showSide(&b, "< ", v.Response.Headers, v.Response.Body)
	}
	if word := aWordOn(d, timeout); word != "" {
		fmt.Fprintf(&b, "\n%s\n", word)
	}
	for _, p := range v.Problems {
		fmt.Fprintf(&b, "\n%s %s %s\n  expected  %s\n  actual    %s\n  fix       %s\n", p.Level, p.ID, p.Path, p.Expected, p.Actual, p.Fix)
	}
	_, err = io.WriteString(a.stdout, printable(b.String()))
	return err
}

// showSide shows headers and body. A body of JSON is laid out.
func showSide(b *strings.Builder, prefix string, headers []shownHeader, body string) {
	for _, h := range headers {
		fmt.Fprintf(b, "%s%s: %s\n", prefix, h.Name, h.Value)
	}
	b.WriteString(strings.TrimSpace(prefix) + "\n")
	for line := range strings.Lines(indented(body)) {
		b.WriteString(prefix + strings.TrimRight(line, "\r\n") + "\n")
	}
}

func indented(body string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(body), "", "  ") != nil {
		return body
	}
	return out.String()
}
