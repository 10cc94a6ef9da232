package advice_test

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/target"
)

// A runner knows how to start a stack's samples as a server.
type runner struct {
	stack      string
	recognised string                                    // the stack that a run takes it for
	start      func(t *testing.T, root string) *exec.Cmd // root is a copy of samples
}

var runners = []runner{
	{"node-jsonwebtoken", "node-jsonwebtoken", func(t *testing.T, root string) *exec.Cmd { return node(t, root, "../node-jsonwebtoken/token.mjs") }},
	{"node-jose", "node-jsonwebtoken", func(t *testing.T, root string) *exec.Cmd { return node(t, root, "../node-jose/token.mjs") }},
	{"python-pyjwt", "python-pyjwt", python},
	{"go-golang-jwt", "", goProgram},
}

func runnerOf(t *testing.T, stack string) runner {
	for _, r := range runners {
		if r.stack == stack {
			return r
		}
	}
	t.Fatalf("nothing runs the stack %s", stack)
	return runner{}
}

// lacking ends a test for want of a stack: loudly, and with a failure where the
// stack is required (as it is in CI).
func lacking(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("KINDLYTEST_REQUIRE_STACKS") == "1" {
		t.Fatal(what)
	}
	t.Skip("SKIPPED, NOT CHECKED: ", what)
}

func node(t *testing.T, root, library string) *exec.Cmd {
	path, err := exec.LookPath("node")
	if err != nil {
		lacking(t, err.Error())
	}
	modules, err := filepath.Abs("samples/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(modules, "express")); err != nil {
		lacking(t, "the samples' packages are not there: .ci/install-stacks installs them")
	}
	if err := os.Symlink(modules, filepath.Join(root, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return exec.Command(path, filepath.Join(root, "node", "server.mjs"), library)
}

// pythons are tried in this order: the first that has the packages is taken.
var pythons = []string{"python3", "/usr/bin/python3"}

func python(t *testing.T, root string) *exec.Cmd {
	for _, name := range pythons {
		path, err := exec.LookPath(name)
		if err == nil && exec.Command(path, "-c", "import flask, jwt, cryptography").Run() == nil {
			return exec.Command(path, "-B", filepath.Join(root, "python-pyjwt", "server.py"))
		}
	}
	lacking(t, "no Python has Flask, PyJWT and cryptography: .ci/install-stacks installs them")
	return nil
}

// goProgram builds the copy as a part of this module, which has its imports.
func goProgram(t *testing.T, root string) *exec.Cmd {
	program := filepath.Join(root, "go-golang-jwt", "server")
	overlay := filepath.Join(root, "overlay.json")
	original, err := filepath.Abs("samples/go-golang-jwt/main.go")
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]map[string]string{"Replace": {original: filepath.Join(root, "go-golang-jwt", "main.go")}}
	raw, err := json.Marshal(replace)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-overlay", overlay, "-o", program, "./samples/go-golang-jwt").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return exec.Command(program)
}

// pemPair is the shop's key pair, made once.
var pemPair = sync.OnceValues(func() (pair [2][]byte, err error) {
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
})

// A change takes something out of a sample, or puts something else there.
type change struct{ file, old, new string }

// serve copies the samples, changes them, starts the stack's server, and
// returns it as a target. The server ends with the test.
func serve(t *testing.T, r runner, pageOrigin string, changes ...change) target.Target {
	t.Helper()
	root := t.TempDir()
	if err := os.CopyFS(root, sourceFiles{os.DirFS("samples")}); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		apply(t, root, c)
	}
	cmd := r.start(t, root)
	secret, session, second := rand.Text(), rand.Text(), rand.Text()
	cmd.Env = append(cmd.Environ(), environment(t, root, secret, []string{session, second}, pageOrigin)...)
	url := run(t, cmd)
	pair, err := pemPair()
	if err != nil {
		t.Fatal(err)
	}
	public, err := token.ParsePublicKey("public.pem", pair[1])
	if err != nil {
		t.Fatal(err)
	}
	private, err := token.ParsePrivateKey("private.pem", pair[0])
	if err != nil {
		t.Fatal(err)
	}
	return target.Target{
		Name: r.stack, PublicKeys: []*token.Key{public}, PublicPEM: pair[1], PrivateKey: private,
		Endpoint: &target.EndpointConfig{URL: url + "/kindly/token", ChatIDField: "chatId", Header: http.Header{"Cookie": {"sid=" + session}}},
		Login:    login(session), Second: login(second),
		Webhooks: []target.Webhook{{URL: "https://hooks.example.com/kindly", ConnectTo: url + "/kindly/webhook", Secret: secret, Message: "Where is my order?"}},
	}
}

func login(session string) *browser.Login {
	return &browser.Login{Cookies: []browser.Cookie{{Name: "sid", Value: session, HTTPOnly: true, SameSite: "Lax"}}}
}

func apply(t *testing.T, root string, c change) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(c.file))
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(source), c.old) != 1 {
		t.Fatalf("%s does not hold %q once", c.file, c.old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(source), c.old, c.new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func environment(t *testing.T, dir, secret string, tickets []string, pageOrigin string) []string {
	pair, err := pemPair()
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"private.pem", "public.pem"} {
		if err := os.WriteFile(filepath.Join(dir, name), pair[i], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sessions, err := json.Marshal(map[string]any{
		tickets[0]: map[string]any{"id": "u-7f31c2", "name": "Ada Lovelace", "email": "ada@shop.example.com", "emailVerified": true},
		tickets[1]: map[string]any{"id": "u-90aa41", "name": "Grace Hopper", "email": "grace@shop.example.com", "emailVerified": true},
	})
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"PRIVATE_KEY=" + filepath.Join(dir, "private.pem"), "PUBLIC_KEY=" + filepath.Join(dir, "public.pem"),
		"KINDLY_HMAC_SECRET=" + secret, "SESSIONS=" + string(sessions), "PAGE_ORIGINS=" + pageOrigin,
	}
}

// run starts the server and returns the URL that it prints.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var log strings.Builder
	cmd.Stderr = &log
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
			t.Errorf("the server: %v", err)
		}
		if t.Failed() {
			t.Logf("the server wrote:\n%.4000s", log.String())
		}
	})
	return urlFrom(t, stdout)
}

func urlFrom(t *testing.T, stdout io.Reader) string {
	t.Helper()
	var said struct {
		URL string `json:"url"`
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	if err := json.Unmarshal(line, &said); err != nil || said.URL == "" {
		t.Fatalf("the server said %q", line)
	}
	return said.URL
}
