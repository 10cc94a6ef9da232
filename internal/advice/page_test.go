package advice_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kindlytest/kindlytest/internal/advice"
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

// chrome is shared by all runs; TestMain closes it.
var chrome = sync.OnceValues(func() (*browser.Browser, error) {
	return browser.Launch(context.Background(), browser.Options{UserAgentSuffix: "kindlytest/test"})
})

var launched atomic.Bool

func TestMain(m *testing.M) {
	code := m.Run()
	if launched.Load() {
		if b, err := chrome(); err == nil {
			b.Close()
		}
	}
	os.Exit(code)
}

// A pageServer serves the sample of a page, with the policy that the samples
// give. Its endpoint is elsewhere, so that the browser asks for permission.
type pageServer struct {
	*httptest.Server
	endpoint atomic.Pointer[string]
}

func newPageServer(t *testing.T) *pageServer {
	t.Helper()
	source, err := os.ReadFile("samples/page/page.html")
	if err != nil {
		t.Fatal(err)
	}
	policy, ok := advice.SampleFor(requirement("PAGE-CSP"), "")
	if !ok {
		t.Fatal("there is no sample of a policy")
	}
	_, header, _ := strings.Cut(policy.Code, "Content-Security-Policy: ")
	p := &pageServer{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		endpoint := *p.endpoint.Load()
		elsewhere := strings.NewReplacer("<script>", `<script nonce="RANDOM">`,
			`fetch("/kindly/token", {`, `fetch("`+endpoint+`", { credentials: "include",`)
		origin, _, _ := strings.Cut(endpoint, "/kindly/")
		w.Header().Set("Content-Security-Policy", strings.Replace(strings.TrimSpace(header), "connect-src", "connect-src "+origin, 1))
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(elsewhere.Replace(string(source))))
	}))
	t.Cleanup(p.Close)
	return p
}

// withPage makes a stack's target one with a page, where there is a browser:
// its endpoint is then found by watching the page.
func withPage(t *testing.T, r runner) (target.Target, suites.Options) {
	t.Helper()
	o := suites.Options{Timeout: patience}
	p := newPageServer(t)
	target := serve(t, r, p.URL)
	p.endpoint.Store(&target.Endpoint.URL)
	if _, err := browser.Find(); err != nil {
		if os.Getenv("KINDLYTEST_REQUIRE_BROWSER") == "1" {
			t.Fatal(err)
		}
		t.Log("NOT CHECKED: the page, for there is no Chrome")
		return target, o
	}
	launched.Store(true)
	b, err := chrome()
	if err != nil {
		t.Fatal(err)
	}
	o.Browser = b
	target.PageURL, target.Endpoint = p.URL+"/", nil
	return target, o
}

func TestKeysAreAsKindlyWantsThem(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("SKIPPED, NOT CHECKED: ", err)
	}
	sample, ok := advice.SampleFor(requirement("TOK-KEY-SIZE"), "node-jose")
	if !ok {
		t.Fatal("there is no sample")
	}
	cmd := exec.Command("sh", "-ec", sample.Code)
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, parse := range map[string]func([]byte) error{
		"public.pem":  func(b []byte) error { _, err := token.ParsePublicKey("public.pem", b); return err },
		"private.pem": func(b []byte) error { _, err := token.ParsePrivateKey("private.pem", b); return err },
	} {
		raw, err := os.ReadFile(filepath.Join(cmd.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := parse(raw); err != nil {
			t.Error(err)
		}
	}
}
