package mockkindly

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/kindlytest/kindlytest/internal/mocktest"
	"github.com/kindlytest/kindlytest/internal/shell"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/mockkindly/webhook"
)

func signingKey() *token.PrivateKey {
	return &token.PrivateKey{Key: *token.NewKey("private.pem", &mocktest.Key().PublicKey), Private: mocktest.Key()}
}

// delivered is an authenticated chat with one delivery.
func delivered(t *testing.T, o Options, hook *mocktest.Hook, domains ...string) (*Kindly, Chat, Event) {
	t.Helper()
	k := newMock(t, o, Webhook{Name: "hook", URL: "https://hooks.example.com/", ConnectTo: hook.URL, Secret: "hush-hush"})
	chat, _ := authenticated(t, k, domains...)
	say(t, k, chat.ID)
	return k, chat, lastEvent(k)
}

func lastEvent(k *Kindly) Event {
	events := k.Journal().Events(0)
	return events[len(events)-1]
}

func TestResend(t *testing.T) {
	hook := newHook(t, replying(`{"new_context":{"again":true}}`))
	judge := func(t *testing.T, chatID string) token.Result {
		t.Helper()
		raw := strings.TrimPrefix(hook.Last(t).Header.Get("Authorization"), "Bearer ")
		k := MustBot("bot", publicPEM())
		return token.Check(token.Raw(raw), token.Expect{Keys: k.PublicKeys, ChatID: chatID, Now: now()})
	}
	t.Run("the same is the same, byte for byte, and has no effect on the chat", func(t *testing.T) {
		k, chat, e := delivered(t, Options{}, hook, "hooks.example.com")
		first := hook.Last(t)
		before, _ := k.Chat(chat.ID)
		again, err := k.Resend(context.Background(), e.Seq, TokenSame)
		second := hook.Last(t)
		if err != nil || string(first.Body) != string(second.Body) || first.Header.Get("Authorization") != second.Header.Get("Authorization") {
			t.Fatalf("%v\n%s\n%s", err, first.Body, second.Body)
		}
		if again.Delivery.ResendOf != e.Seq || again.Seq != e.Seq+1 || again.Delivery.TokenState != TokenSame || !again.Delivery.WithToken {
			t.Errorf("%+v", again.Delivery)
		}
		if after, _ := k.Chat(chat.ID); fmt.Sprint(after.Context) != fmt.Sprint(before.Context) {
			t.Errorf("the context was %v and is %v", before.Context, after.Context)
		}
		signature, _ := webhook.Signature(second.Header)
		if !webhook.Verify("hush-hush", second.Body, signature) {
			t.Error("the signature is wrong")
		}
	})
	t.Run("without the token", func(t *testing.T) {
		k, _, e := delivered(t, Options{}, hook, "hooks.example.com")
		if _, err := k.Resend(context.Background(), e.Seq, TokenNone); err != nil || hook.Last(t).Header.Get("Authorization") != "" {
			t.Error(err, hook.Last(t).Header)
		}
	})
	t.Run("with an expired token", func(t *testing.T) {
		k, chat, e := delivered(t, Options{SigningKey: signingKey()}, hook, "hooks.example.com")
		if _, err := k.Resend(context.Background(), e.Seq, TokenExpired); err != nil {
			t.Fatal(err)
		}
		res := judge(t, chat.ID)
		if _, expired := res.Violation("TOK-EXP-FUTURE"); !expired || res.SignedBy == nil {
			t.Errorf("%+v", res)
		}
		for _, v := range res.Violations {
			if v.Refused() && v.Rule.ID != "TOK-EXP-FUTURE" && v.Rule.ID != "TOK-IAT-SKEW" { // as with any old token
				t.Errorf("it breaks %s too: %s", v.Rule.ID, v.Actual)
			}
		}
	})
	t.Run("with the token of another chat that is open", func(t *testing.T) {
		k, chat, e := delivered(t, Options{}, hook, "hooks.example.com")
		_, raw := authenticated(t, k, "hooks.example.com")
		if _, err := k.Resend(context.Background(), e.Seq, TokenOtherChat); err != nil || hook.Last(t).Header.Get("Authorization") != "Bearer "+raw.Secret() {
			t.Error(err)
		}
		if _, other := judge(t, chat.ID).Violation("TOK-CHAT-ID"); !other {
			t.Error("it is this chat's")
		}
	})
	t.Run("with a token of another chat, made with the key", func(t *testing.T) {
		k, chat, e := delivered(t, Options{SigningKey: signingKey()}, hook, "hooks.example.com")
		if _, err := k.Resend(context.Background(), e.Seq, TokenOtherChat); err != nil {
			t.Fatal(err)
		}
		res := judge(t, chat.ID)
		if _, other := res.Violation("TOK-CHAT-ID"); !other || len(res.Violations) != 1 {
			t.Errorf("%+v", res.Violations)
		}
	})
	for _, state := range []TokenState{TokenExpired, TokenOtherChat} {
		t.Run("no token goes where the allowlist keeps it from: "+string(state), func(t *testing.T) {
			k, _, e := delivered(t, Options{SigningKey: signingKey()}, hook, "elsewhere.example.com")
			n := len(hook.Requests)
			authenticated(t, k, "elsewhere.example.com")
			var not *ResendError
			if _, err := k.Resend(context.Background(), e.Seq, state); !errors.As(err, &not) || len(hook.Requests) != n {
				t.Errorf("%v, %d requests", err, len(hook.Requests)-n)
			}
		})
		t.Run("without a key there is none: "+string(state), func(t *testing.T) {
			k, _, e := delivered(t, Options{}, hook, "hooks.example.com")
			var not *ResendError
			if _, err := k.Resend(context.Background(), e.Seq, state); !errors.As(err, &not) || !strings.Contains(not.Problem, "--private-key") {
				t.Error(err)
			}
		})
	}
	t.Run("what is no delivery is not found", func(t *testing.T) {
		k, _, e := delivered(t, Options{}, hook)
		for _, seq := range []uint64{0, 1, e.Seq + 1} {
			if _, err := k.Resend(context.Background(), seq, TokenSame); !errors.Is(err, ErrUnknownDelivery) {
				t.Errorf("%d: %v", seq, err)
			}
			if _, err := k.Curl(seq, false); !errors.Is(err, ErrUnknownDelivery) {
				t.Errorf("%d as curl: %v", seq, err)
			}
		}
	})
}

func TestNoAnswerOfResendHoldsASecret(t *testing.T) {
	hook := newHook(t, replying(`{}`))
	k, _, e := delivered(t, Options{SigningKey: signingKey()}, hook, "hooks.example.com")
	for _, state := range []TokenState{TokenSame, TokenExpired, TokenOtherChat} {
		again, err := k.Resend(context.Background(), e.Seq, state)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := again.MarshalJSON()
		sent := hook.Last(t).Header.Get("Authorization")
		if err != nil || strings.Contains(string(shown), sent[strings.LastIndex(sent, ".")+1:]) || strings.Contains(string(shown), "hush-hush") {
			t.Errorf("%s: %v %s", state, err, shown)
		}
	}
}

// hostileText is what a visitor could write to play tricks with a shell.
const hostileText = "it's '; touch /tmp/pwned; echo $(id) `id` \\ \"$HOME\" \n\x1b[2J \u202e !! %s 'a'"

// runCurl runs a command with a curl that writes down its arguments, each with
// a NUL behind it, and then what it is piped.
func runCurl(t *testing.T, shell, command string) (args []string, body string) {
	t.Helper()
	cat, err := exec.LookPath("cat")
	if err != nil {
		t.Skip("SKIPPED, NOT CHECKED: there is no sh")
	}
	const curl = `curl() { printf '%s\0' "$@"; case "$*" in *@-) "$CAT" ;; esac; }` + "\n"
	cmd := exec.Command(shell, "-c", curl+command)
	cmd.Env = []string{"TOKEN=from the environment", "PATH=/nowhere", "CAT=" + cat}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, command)
	}
	if before, piped, ok := strings.Cut(string(out), "\x00@-\x00"); ok {
		return strings.Split(before, "\x00"), piped
	}
	args = strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	return args, args[len(args)-1]
}

func curlOf(t *testing.T, k *Kindly, seq uint64, query string) string {
	t.Helper()
	command, err := k.Curl(seq, query == "?token=1")
	if err != nil {
		t.Fatal(err)
	}
	return command
}

// A command for a webhook behind a gate leads through it, and does not hold the key.
func TestCurlGoesThroughTheGate(t *testing.T) {
	hook := newHook(t, replying("{}"))
	client := wire.NewClient(wire.Options{Gates: wire.Gates{{Origins: []string{hook.URL}, Header: map[string]string{"X-Bypass": "sesam-open-42"}, User: "staging", Password: "sesam-open-43"}}})
	defer client.Close()
	k, _, sent := delivered(t, Options{Client: client}, hook, "hooks.example.com")
	command := curlOf(t, k, sent.Seq, "")
	if !strings.Contains(command, `-H "X-Bypass: $GATE_X_BYPASS"`) || strings.Contains(command, "GATE_AUTHORIZATION") || strings.Contains(command, "sesam") {
		t.Errorf("the gate's header is not a variable, or stands beside the token's:\n%s", command)
	}
}

// Kindly, or what stands before the app, sends credentials of its own.
func TestCurlShowsNoCredentialInAnyHeader(t *testing.T) {
	k := newMock(t, Options{Bots: []Bot{{Key: "listen"}}})
	jwt := sign(claims("c", now()))
	header := http.Header{
		"X-Api-Key": {"key-4711-4711"}, "Cookie": {"session=key-4712-4712"}, "cf-access-jwt-assertion": {jwt.Secret()}, "X-Secret'`$(a)": {"key-4713-4713"},
		"Kindly-HMAC": {"uEeD0Q7eW9btdx6LFvvlpwkzQBWdbknsQkg1C27Cx7Q="}, "X-Plain": {"it's plain"},
	}
	e, err := k.Overhear(Overheard{Bot: "listen", Webhook: "app", Exchange: wire.Exchange{
		Request: wire.Request{Method: "POST", URL: "https://hooks.example.com/", Header: header, Body: []byte("{}")}, Response: &wire.Response{Status: 200},
	}})
	if err != nil {
		t.Fatal(err)
	}
	shown := curlOf(t, k, e.Seq, "")
	if strings.Contains(shown, "key-47") || strings.Contains(shown, signature(jwt)) || strings.Contains(shown, "\"X-Secret") {
		t.Errorf("it holds a credential:\n%s", shown)
	}
	for _, line := range []string{`-H "X-Api-Key: $GATE_X_API_KEY"`, `-H "Cookie: $GATE_COOKIE"`, `-H "Cf-Access-Jwt-Assertion: $GATE_CF_ACCESS_JWT_ASSERTION"`, "uEeD0Q7eW9btdx6LFvvlpwkzQBWdbknsQkg1C27Cx7Q=", "X-Plain: it"} {
		if !strings.Contains(shown, line) {
			t.Errorf("it lacks %s:\n%s", line, shown)
		}
	}
	whole := curlOf(t, k, e.Seq, "?token=1")
	for _, values := range header {
		if !strings.Contains(whole, strings.ReplaceAll(values[0], "'", `'\''`)) {
			t.Errorf("with the token, %q is left out:\n%s", values[0], whole)
		}
	}
}

func TestCurlIsWhatWasSent(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("SKIPPED, NOT CHECKED: there is no sh")
	}
	another := sign(claims("another", now()))
	for name, tt := range map[string]struct {
		text, context string
		hidden        string // what is only shown with the token
	}{
		"plain":                        {"where is my order?", "", ""},
		"hostile":                      {hostileText, "", ""},
		"the chat's token":             {hostileText + "TOKEN'", "", "SIGNATURE"},
		"its signature":                {"xSIGNATURE", "", "SIGNATURE"},
		"its signature in the context": {hostileText, "SIGNATURE", "SIGNATURE"},
		"another token in the context": {hostileText, another.Secret(), signature(another)},
		"the secret":                   {`is "hush-hush" it?`, "", "hush-hush"},
	} {
		t.Run(name, func(t *testing.T) {
			hook := newHook(t, replying("{}"))
			k, chat, _ := delivered(t, Options{}, hook, "hooks.example.com")
			fill := strings.NewReplacer("TOKEN", chat.Token.Secret(), "SIGNATURE", signature(chat.Token))
			m := Message{Text: fill.Replace(tt.text), Context: map[string]any{"jwt": fill.Replace(tt.context)}}
			if _, err := k.Say(context.Background(), chat.ID, m); err != nil {
				t.Fatal(err)
			}
			sent, e := hook.Last(t), lastEvent(k)
			whole := curlOf(t, k, e.Seq, "?token=1")
			args, body := runCurl(t, "sh", whole)
			if body != string(sent.Body) {
				t.Errorf("the body is\n%q, and was\n%q", body, sent.Body)
			}
			if !slices.Contains(args, "Authorization: "+sent.Header.Get("Authorization")) || args[4] != hook.URL {
				t.Errorf("the arguments are %q", args)
			}
			shown := curlOf(t, k, e.Seq, "")
			args, body = runCurl(t, "sh", shown)
			if !slices.Contains(args, "Authorization: Bearer from the environment") {
				t.Errorf("the arguments are %q", args)
			}
			hidden := fill.Replace(tt.hidden)
			if hidden != "" && strings.Contains(shown, hidden) || strings.Contains(shown, signature(chat.Token)) {
				t.Errorf("%q is in\n%s", hidden, shown)
			}
			if !json.Valid([]byte(body)) || (body == string(sent.Body)) != (hidden == "") {
				t.Errorf("without the token, the body is %q", body)
			}
			if strings.HasPrefix(shown, bodyChanged) != (hidden != "") || strings.Contains(whole, "#") {
				t.Errorf("the comment is wrong:\n%s\n%s", shown, whole)
			}
		})
	}
}

// A command is pasted into a terminal: what it shows must be what it does.
func TestCurlIsPrintableAndSendsTheSameBytes(t *testing.T) {
	var shells []string
	for _, name := range []string{"sh", "dash", "bash", "zsh", "ksh"} {
		if _, err := exec.LookPath(name); err == nil {
			shells = append(shells, name)
		}
	}
	if len(shells) == 0 {
		t.Skip("SKIPPED, NOT CHECKED: there is no sh")
	}
	for name, tt := range map[string]struct {
		body  string
		piped bool
	}{
		"printable":               {`{"message":"100% of 'em: \\033[2J \c $HOME äöü 你好 שלום 🎉"}`, false},
		"C1: CSI":                 {"{\"message\":\"\u009b2J\"}", true},
		"text turned around":      {"{\"message\":\"\u202e\u2066'; rm -rf x\"}", true},
		"invisible":               {"{\"message\":\"\u200b\ufeff\u00a0\u2028\"}", true},
		"digits after an escape":  {"\u009b07\u009b77", true},
		"backslashes beside them": {"\u202e\\0101 \\c \\\\ \\", true},
		"percent beside them":     {"\u202e%s %% %b", true},
		"C0, NUL, DEL, no UTF-8":  {"\x00\x1b[2J\t\x7f\xff\xc2", true},
		"line breaks at the end":  {"a\nb\r\n\n", true},
		"a file's name":           {"@/etc/passwd", true},
	} {
		t.Run(name, func(t *testing.T) {
			var d Delivery
			d.Exchange.Request = wire.Request{
				Method: "POST", URL: "https://hooks.example.com/ä?a=\u009b2J\u202e",
				Header: http.Header{"X-Test": {"'\u009b\x1b\n"}}, Body: []byte(tt.body),
			}
			command := d.curl(true, nil)
			for _, r := range command {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Errorf("%U is in %q", r, command)
				}
			}
			if strings.Contains(command, "@-") != tt.piped {
				t.Errorf("piped, or not: %s", command)
			}
			for _, shell := range shells {
				args, body := runCurl(t, shell, command)
				if body != tt.body || args[4] != "https://hooks.example.com/ä?a=%C2%9B2J%E2%80%AE" {
					t.Errorf("%s sends\n%q, not\n%q, %q", shell, body, tt.body, args)
				}
			}
		})
	}
}

func FuzzShellQuote(f *testing.F) {
	f.Add(hostileText)
	f.Add("'")
	f.Add("\u009b2J\xff")
	f.Fuzz(func(t *testing.T, s string) {
		q := shell.Word(s)
		// Outside of quotes there may only be \'.
		rest := strings.ReplaceAll(q, `'\''`, "")
		if strings.Count(rest, "'") != 2 || rest[0] != '\'' || rest[len(rest)-1] != '\'' {
			t.Errorf("%q becomes %q", s, q)
		}
		for _, r := range q {
			if !unicode.IsPrint(r) {
				t.Errorf("%q becomes %q, with %U", s, q, r)
			}
		}
	})
}

func TestAfterARestartOnlyTheTokenIsMissing(t *testing.T) {
	hook := newHook(t, replying("{}"))
	k, _, e := delivered(t, Options{}, hook, "hooks.example.com")
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var stored Event
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	if d, err := k.again(stored, TokenNone); err != nil || string(d.Exchange.Request.Body) != string(hook.Last(t).Body) {
		t.Errorf("without: %v", err)
	}
	var not *ResendError
	if _, err := k.again(stored, TokenSame); !errors.As(err, &not) {
		t.Errorf("the same: %v", err)
	}
	if c := stored.Delivery.curl(true, nil); !strings.Contains(c, "$TOKEN") {
		t.Error(c)
	}
}

func TestAfterARestartNoBodyIsSentThatNeverWas(t *testing.T) {
	const notCredentials = "<signature removed> <secret removed> a.b.c"
	tests := map[string]struct {
		text     string
		redacted bool
	}{
		"a token":                        {"TOKEN", true},
		"a signature":                    {"xSIGNATURE", true},
		"the secret":                     {"psst, hush-hush", true},
		"what stands in a removed place": {notCredentials, false},
		"hostile":                        {hostileText, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			hook := newHook(t, replying("{}"))
			k, chat, _ := delivered(t, Options{}, hook, "hooks.example.com")
			text := strings.NewReplacer("TOKEN", chat.Token.Secret(), "SIGNATURE", signature(chat.Token)).Replace(tt.text)
			if _, err := k.Say(context.Background(), chat.ID, Message{Text: text}); err != nil {
				t.Fatal(err)
			}
			e := lastEvent(k)
			if _, err := k.again(e, TokenSame); err != nil {
				t.Errorf("before the restart: %v", err)
			}
			for range 2 { // what was read back can be written once more
				text, err := json.Marshal(e)
				if err != nil {
					t.Fatal(err)
				}
				e = Event{}
				if err := json.Unmarshal(text, &e); err != nil {
					t.Fatal(err)
				}
			}
			d, err := k.again(e, TokenNone)
			var not *ResendError
			if errors.As(err, &not) != tt.redacted || err == nil && string(d.Exchange.Request.Body) != string(hook.Last(t).Body) {
				t.Errorf("%v", err)
			}
		})
	}
}
