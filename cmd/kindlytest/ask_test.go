package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/starter"
)

func TestAsk(t *testing.T) {
	for _, row := range []struct {
		name   string
		there  string // a file
		answer []string
		want   starter.Answers
		says   string
	}{
		{"a page, and nothing more", "", []string{"https://a.example/", "", "", "", "", "none", ""}, starter.Answers{Page: "https://a.example/"}, "URL of the page"},
		{"a URL that is none is asked again", "", []string{"a.example", "https://a.example/", "", "", "", "", "none", "none"},
			starter.Answers{Page: "https://a.example/"}, "did you mean https://a.example?"},
		{"nothing at all is asked again", "", []string{"", "", "", "", "https://a.example/token", "", "", "my-bot", "key.pem", ""},
			starter.Answers{Endpoint: "https://a.example/token", BotKey: "my-bot", PublicKey: "key.pem"}, "At least one"},
		{"users and webhooks", ".github", []string{"http://localhost:1/", "http://localhost:1/login", "y", "https://h.example/", "http://localhost:2/", "Where is my order?", "https://i.example/", "", "", "", "y", "", "", "", "", "npm start"},
			starter.Answers{Page: "http://localhost:1/", Login: "http://localhost:1/login", SecondLogin: true, HMAC: true, PublicKey: "public.pem", CI: []string{"github"}, Start: "npm start",
				Webhooks: []starter.Webhook{{URL: "https://h.example/", ConnectTo: "http://localhost:2/", Message: "Where is my order?"}, {URL: "https://i.example/", Message: "Hello"}}}, "[github]"},
		{"a key that is not there is said at once", "", []string{"https://a.example/", "", "", "", "", "my.pem", ""},
			starter.Answers{Page: "https://a.example/", PublicKey: "my.pem"}, "There is no my.pem yet"},
		{"a key that is there needs no word", "my.pem", []string{"https://a.example/", "", "", "", "", "my.pem", ""},
			starter.Answers{Page: "https://a.example/", PublicKey: "my.pem"}, "or none [public.pem]: CI to"},
		{"a webhook on localhost alone", "", []string{"", "", "http://localhost:2/", "", "Hi", "", "", "", "none", ""},
			starter.Answers{Webhooks: []starter.Webhook{{URL: "http://localhost:2/", Message: "Hi"}}}, "Kindly forwards no token to localhost"},
		{"a CI that there is not is asked again", ".gitlab-ci.yml", []string{"https://a.example/", "", "", "", "", "", "jenkins", "gitlab"},
			starter.Answers{Page: "https://a.example/", PublicKey: "public.pem", CI: []string{"gitlab"}}, "There are github, gitlab and none"},
		{"what stands before it", "", []string{"https://a.example/", "", "", "vpn", "basic", "", "none", ""},
			starter.Answers{Page: "https://a.example/", Gate: "basic"}, "a proxy is read from HTTPS_PROXY"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out strings.Builder
			got, err := ask(strings.NewReader(strings.Join(row.answer, "\n")+"\n"), &out, func(path string) bool { return path == row.there })
			if err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(out.String(), row.says) {
				t.Errorf("it did not say %q:\n%s", row.says, out.String())
			}
		})
	}
}

func TestAskEndsWithItsInputAndOnInterrupt(t *testing.T) {
	nothing := func(string) bool { return false }
	var out strings.Builder
	if _, err := ask(strings.NewReader("https://a.example/\n"), &out, nothing); !errors.Is(err, errNoAnswer) {
		t.Errorf("at the end of the input: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ask(waitingFor(ctx, silent(t)), &out, nothing); !errors.Is(err, errNoAnswer) {
		t.Errorf("on an interrupt: %v", err)
	}
}

// Whoever was asked for a token, a body or a report may rather go.
func TestReadingOfStdinEndsOnInterrupt(t *testing.T) {
	for _, args := range [][]string{{"verify"}, {"report", "-"}, {"send", "--webhook", "http://localhost:1/", "--payload", "-"}} {
		ctx, cancel := context.WithCancel(t.Context())
		asked := readerFunc(func(b []byte) (int, error) { cancel(); return silent(t).Read(b) })
		var stderr strings.Builder
		a := &app{stdin: asked, stdout: io.Discard, stderr: &stderr, lookupEnv: func(string) (string, bool) { return "", false }}
		code := make(chan int, 1)
		go func() { code <- a.run(ctx, args) }()
		select {
		case got := <-code:
			if got != exitUsage || !strings.Contains(stderr.String(), "interrupted") {
				t.Errorf("%q: exit code %d, %s", args, got, stderr.String())
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%q waits on", args)
		}
	}
}

// silent is an input to which nobody says anything.
func silent(t *testing.T) io.Reader {
	return readerFunc(func([]byte) (int, error) { <-t.Context().Done(); return 0, t.Context().Err() })
}
