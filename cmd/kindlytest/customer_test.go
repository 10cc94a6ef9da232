package main

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/fixtures/stack"
	"github.com/kindlytest/kindlytest/fixtures/stack/stacktest"
	"github.com/kindlytest/kindlytest/internal/demo"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMobileEndpointIsCheckedWithItsHeadersAlone is what a mobile team does: it
// has a URL and a session, and no page.
func TestMobileEndpointIsCheckedWithItsHeadersAlone(t *testing.T) {
	c := stacktest.Start(t, "mobile", stack.Options{})
	session := c.Header.Get("X-Device-Session")
	headers := writeFile(t, "session.txt", "X-Device-Session: "+session+"\n")
	public := writeFile(t, "public.pem", string(c.PublicPEM))
	out := runHere(t.Context(), nil, "", "run", "--endpoint", c.EndpointURL, "--endpoint-header-file", headers,
		"--public-key", public, "--strict", "--format", "none")
	if out.code != exitOK || !strings.Contains(out.stdout, "PASSED") || !strings.Contains(out.stdout, "AUTH") {
		t.Errorf("exit code %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	if strings.Contains(out.stdout+out.stderr, session) {
		t.Error("the session is shown")
	}
	wrong := writeFile(t, "session.txt", "X-Device-Session: nobody\n")
	out = runHere(t.Context(), nil, "", "run", "--endpoint", c.EndpointURL, "--endpoint-header-file", wrong, "--format", "none", "--only", "AUTH-POST-TOKEN")
	if out.code != exitBroken {
		t.Errorf("with no device's session: exit code %d\n%s%s", out.code, out.stdout, out.stderr)
	}
}

// TestCustomersFilesDescribeThem: the files beside the sources say what the
// tests use.
func TestCustomersFilesDescribeThem(t *testing.T) {
	for name, file := range map[string]string{
		"django":     "../../fixtures/django/kindlytest.yaml",
		"node-micro": "../../fixtures/node-micro/kindlytest.yaml",
		"mobile":     "../../fixtures/node/mobile.yaml",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := stacktest.Start(t, name, stack.Options{})
			got, err := config.Load(file, environment(t, c))
			if err != nil {
				t.Fatal(err)
			}
			want, err := demo.StackTarget(c)
			if err != nil {
				t.Fatal(err)
			}
			want.Secrets = credentials(c)
			slices.Sort(want.Secrets)
			slices.Sort(got.Target.Secrets)
			all := cmp.Exporter(func(reflect.Type) bool { return true })
			keys := cmpopts.IgnoreTypes(&token.Key{}, &token.PrivateKey{}, []*token.Key{})
			if diff := cmp.Diff(want, got.Target, all, keys, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s (-the target, +the file):\n%s", file, diff)
			}
			if diff := cmp.Diff(c.Stack.Expected, got.Options.ExpectedFailures, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: known failures (-the target, +the file):\n%s", file, diff)
			}
		})
	}
}

// credentials are what such a file takes from the environment that no report
// may show.
func credentials(c *stack.Customer) []string {
	var out []string
	if session := c.Header.Get("X-Device-Session"); session != "" {
		return []string{session}
	}
	for _, u := range c.Users {
		out = append(out, u.Password)
	}
	for _, w := range c.Webhooks {
		out = append(out, w.Secret)
	}
	return out
}

// environment is what such a file takes from it.
func environment(t *testing.T, c *stack.Customer) func(string) (string, bool) {
	t.Helper()
	dir := filepath.Dir(writeFile(t, "private.pem", string(c.PrivatePEM)))
	if err := os.WriteFile(filepath.Join(dir, "public.pem"), c.PublicPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"KEYS": dir, "SHOP": strings.TrimSuffix(c.EndpointURL, "/kindly/token"),
		"ADA_PASSWORD": c.Users[0].Password, "GRACE_PASSWORD": c.Users[1].Password,
		"DEVICE_SESSION": c.Header.Get("X-Device-Session"),
	}
	if len(c.Webhooks) > 0 {
		env["KINDLY_HMAC_SECRET"] = c.Webhooks[0].Secret
	}
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func TestCustomersOnTheCommandLine(t *testing.T) {
	for _, row := range []struct {
		args string
		says string
	}{
		{"--customer djanog", `there is no customer "djanog"` + "\nhint: did you mean django?"},
		{"--customer rails", "hint: there are django, node-micro, node, mobile"},
		{"--as-documented", "--as-documented says nothing without a customer"},
		{"--customer mobile --as-documented", "no sample like the customer mobile"},
		{"--customer django --fault alg-none-accepted", "--fault and --manner are of the built-in shop"},
		{"--customer django --only NONSENSE", "NONSENSE"},
	} {
		out := runHere(context.Background(), nil, "", append([]string{"demo"}, strings.Fields(row.args)...)...)
		if out.code != exitUsage || !strings.Contains(out.stderr, row.says) || out.stdout != "" {
			t.Errorf("%s: exit code %d, %s%s, want %s", row.args, out.code, out.stdout, out.stderr, row.says)
		}
	}
}

func TestACustomerThatCantBeHadSaysWhatToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	out := runHere(t.Context(), nil, "", "demo", "--customer", "mobile")
	if out.code != exitUsage || !strings.Contains(out.stderr, "needs Node.js") || !strings.Contains(out.stderr, "hint: install Node.js 18 or later") {
		t.Errorf("exit code %d: %s", out.code, out.stderr)
	}
}

func TestAnInterruptWhileACustomerStartsIsNamed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out := runHere(ctx, nil, "", "demo", "--customer", "mobile")
	if out.code != exitUsage || !strings.Contains(out.stderr, "interrupted while the customer mobile was started") {
		t.Errorf("exit code %d: %s", out.code, out.stderr)
	}
}
