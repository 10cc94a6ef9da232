package suites_test

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/browser"
)

// nodeUser is a user as fixtures/node wants them.
type nodeUser struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

const nodeHook = "https://hooks.node-shop.example/kindly"

// pemPair makes the customer's keys as the documentation says.
var pemPair = sync.OnceValues(func() (pair [2][]byte, err error) {
	if _, err := exec.LookPath("openssl"); err != nil {
		return goPair()
	}
	dir, err := os.MkdirTemp("", "kindlytest-keys-")
	if err != nil {
		return pair, err
	}
	defer os.RemoveAll(dir)
	for _, command := range []string{
		"openssl genrsa -out private.pem 2048",
		"openssl rsa -in private.pem -outform PEM -pubout -out public.pem",
	} {
		words := strings.Fields(command)
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Dir = dir
		if err := cmd.Run(); err != nil {
			return pair, err
		}
	}
	if pair[0], err = os.ReadFile(filepath.Join(dir, "private.pem")); err != nil {
		return pair, err
	}
	pair[1], err = os.ReadFile(filepath.Join(dir, "public.pem"))
	return pair, err
})

func goPair() (pair [2][]byte, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return pair, err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return pair, err
	}
	pair[0] = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	pair[1] = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	return pair, nil
}

// startNode runs the customer in fixtures/node as a process, with a variable
// set that makes it do something wrong, and returns it as a target.
func startNode(t *testing.T, extraEnv ...string) suites.Target {
	t.Helper()
	requireBrowser(t)
	path, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("KINDLYTEST_REQUIRE_NODE") == "1" {
			t.Fatal("KINDLYTEST_REQUIRE_NODE=1: ", err)
		}
		t.Skip("SKIPPED, NOT CHECKED: ", err)
	}
	users := []nodeUser{
		{"u-7f31c2", "Ada Lovelace", "ada@node-shop.example", rand.Text()},
		{"u-90aa41", "Grace Hopper", "grace@node-shop.example", rand.Text()},
	}
	secret := rand.Text()
	url, pair := runNode(t, path, users, secret, extraEnv)
	public, err := token.ParsePublicKey("public.pem", pair[1])
	if err != nil {
		t.Fatal(err)
	}
	private, err := token.ParsePrivateKey("private.pem", pair[0])
	if err != nil {
		t.Fatal(err)
	}
	return suites.Target{
		Name: "node", PageURL: url + "/", BotKey: "node-shop-bot",
		Login: nodeLogin(url, users[0]), Second: nodeLogin(url, users[1]),
		PublicKeys: []*token.Key{public}, PublicPEM: pair[1], PrivateKey: private,
		Webhooks: []suites.Webhook{{Name: "orders", URL: nodeHook, ConnectTo: url + "/hook", Secret: secret, Message: "Where is my order?"}},
	}
}

// runNode starts the process and returns the URL that it prints. It ends with
// the test.
func runNode(t *testing.T, path string, users []nodeUser, secret string, extraEnv []string) (url string, pair [2][]byte) {
	t.Helper()
	pair, err := pemPair()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i, name := range []string{"private.pem", "public.pem"} {
		if err := os.WriteFile(filepath.Join(dir, name), pair[i], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := json.Marshal(users)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "../fixtures/node/server.mjs",
		filepath.Join(dir, "private.pem"), filepath.Join(dir, "public.pem"))
	cmd.Env = append(cmd.Environ(), "BOT_KEY=node-shop-bot", "HMAC_SECRET="+secret, "WEBHOOK_URL="+nodeHook, "USERS="+string(list))
	cmd.Env = append(cmd.Env, extraEnv...)
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		kill := time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() })
		defer kill.Stop()
		stdin.Close() // it ends by itself then
		if err := cmd.Wait(); err != nil {
			t.Errorf("the node customer: %v", err)
		}
	})
	return readURL(t, stdout), pair
}

func readURL(t *testing.T, stdout io.Reader) string {
	t.Helper()
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the node customer did not start: %v", err)
	}
	var said struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(line, &said); err != nil || said.URL == "" {
		t.Fatalf("the node customer said %q", line)
	}
	return said.URL
}

func nodeLogin(url string, u nodeUser) *browser.Login {
	return &browser.Login{Steps: []browser.Step{
		{Goto: url + "/login"},
		{Fill: []browser.Field{{Selector: "#email", Value: u.Email}, {Selector: "#password", Value: u.Password}}},
		{Click: "button[type=submit]"},
		{WaitFor: ".account"},
	}}
}

func TestNodeCustomerPassesEveryCheck(t *testing.T) {
	run := suites.Run(t.Context(), startNode(t), suites.Options{})
	if run.Problem != "" {
		t.Errorf("problem: %s", run.Problem)
	}
	for _, c := range run.Checks {
		switch c.Outcome {
		case reports.Failed, reports.Warned, reports.Errored:
			t.Errorf("%s is %s", c.ID, c.Outcome)
			describe(t, c)
		case reports.Skipped:
			t.Logf("%s is skipped: %s", c.ID, c.Reason)
		}
	}
	if run.Summary.Passed < 100 {
		t.Errorf("only %d checks passed: %+v", run.Summary.Passed, run.Summary)
	}
	if run.ExitCode != 0 {
		t.Errorf("exit code %d", run.ExitCode)
	}
	t.Logf("%+v in %d ms", run.Summary, run.DurationMS)
}

func TestNodeCustomerThatForgetsTheChatFails(t *testing.T) {
	target := startNode(t, "FORGET_CHAT=1")
	run := suites.Run(t.Context(), target, suites.Options{Only: []string{"HOOK-OTHER-CHAT", "HOOK-VALID"}})
	got := find(t, run, "HOOK-OTHER-CHAT")
	if got.Outcome != reports.Failed {
		t.Errorf("HOOK-OTHER-CHAT is %s", got.Outcome)
		describe(t, got)
	}
	if valid := find(t, run, "HOOK-VALID"); valid.Outcome != reports.Passed {
		t.Errorf("HOOK-VALID is %s", valid.Outcome)
		describe(t, valid)
	}
	if run.ExitCode != 1 {
		t.Errorf("exit code %d, want 1", run.ExitCode)
	}
}

// find returns a check of a run.
func find(t *testing.T, run reports.Run, id string) reports.Check {
	t.Helper()
	i := slices.IndexFunc(run.Checks, func(c reports.Check) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("the run has no check %s: %s", id, run.Problem)
	}
	return run.Checks[i]
}
