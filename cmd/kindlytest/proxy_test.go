package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindlytest/kindlytest/target"
)

func TestProxiesOfTheEnvironment(t *testing.T) {
	for name, row := range map[string]struct {
		env         map[string]string
		given, want target.Proxy
	}{
		"none":                      {want: target.Proxy{}},
		"both":                      {env: map[string]string{"HTTP_PROXY": "http://a:1", "https_proxy": "http://b:2", "NO_PROXY": "x.example"}, want: target.Proxy{HTTP: "http://a:1", HTTPS: "http://b:2", None: "x.example"}},
		"small letters first":       {env: map[string]string{"HTTPS_PROXY": "http://a:1", "https_proxy": "http://b:2"}, want: target.Proxy{HTTPS: "http://b:2"}},
		"without a scheme":          {env: map[string]string{"HTTPS_PROXY": "a:1"}, want: target.Proxy{HTTPS: "http://a:1"}},
		"what the file names first": {env: map[string]string{"HTTPS_PROXY": "http://a:1", "no_proxy": "x.example"}, given: target.Proxy{HTTP: "http://f:1", HTTPS: "http://f:1"}, want: target.Proxy{HTTP: "http://f:1", HTTPS: "http://f:1", None: "x.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := &app{lookupEnv: func(name string) (string, bool) { v, ok := row.env[name]; return v, ok }}
			got := target.Target{Proxy: row.given}
			if err := a.applyProxy(&got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got.Proxy); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABadProxyIsNamedWithoutItsPassword(t *testing.T) {
	env := map[string]string{"HTTPS_PROXY": "ftp://u:sesam@proxy.example:1"}
	r := runHere(t.Context(), env, "", "run", "https://staging.example/")
	if r.code != 2 || strings.Contains(r.stderr, "sesam") || !strings.Contains(r.stderr, "the environment variable HTTPS_PROXY: it is no URL of a proxy") {
		t.Errorf("code %d: %s", r.code, r.stderr)
	}
}

func TestServeNamesTheLineOfADialogue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kindlytest.yaml")
	text := "version: 1\ndialogues:\n  - fallback: true\n    reply: Hello\n  - phrases: [order]\n    webhook: orders\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runHere(t.Context(), nil, "", "serve", "-c", path, "--listen", "127.0.0.1:0")
	if r.code != 2 || !strings.Contains(r.stderr, path+":6:14: ") {
		t.Errorf("code %d, want line 6: %s", r.code, r.stderr)
	}
}
