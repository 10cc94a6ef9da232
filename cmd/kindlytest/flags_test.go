package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

func TestParseWebhook(t *testing.T) {
	for _, row := range []struct{ name, flag, wantName, public, local string }{
		{"a URL", "https://hooks.example.com/kindly", "", "https://hooks.example.com/kindly", ""},
		{"a name", "orders=https://hooks.example.com/", "orders", "https://hooks.example.com/", ""},
		{"a local address", "https://hooks.example.com/=http://localhost:3000/x", "", "https://hooks.example.com/", "http://localhost:3000/x"},
		{"all three", "my orders=https://hooks.example.com/=https://127.0.0.1:3000/", "my orders", "https://hooks.example.com/", "https://127.0.0.1:3000/"},
		{"a query", "https://hooks.example.com/?tenant=a&b=c", "", "https://hooks.example.com/?tenant=a&b=c", ""},
		{"a query and a local address", "x=https://hooks.example.com/?a=b=http://localhost:3000/?c=d", "x", "https://hooks.example.com/?a=b", "http://localhost:3000/?c=d"},
		{"a URL encoded in the query", "https://hooks.example.com/?next=http%3A%2F%2Fa.example", "", "https://hooks.example.com/?next=http%3A%2F%2Fa.example", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w, err := parseWebhook(row.flag)
			if err != nil {
				t.Fatal(err)
			}
			if w.Name != row.wantName || w.URL != row.public || w.ConnectTo != row.local {
				t.Errorf("got %q, %q, %q", w.Name, w.URL, w.ConnectTo)
			}
		})
	}
	for _, row := range []struct{ name, flag, want string }{
		{"no scheme", "hooks.example.com/kindly", "does not start with http"},
		{"a name alone", "orders", "does not start with http"},
		{"a name without URL", "orders=", "does not start with http"},
		{"no name", "=https://hooks.example.com/", "the name is missing"},
		{"a URL in the query", "https://hooks.example.com/?next=http://a.example/", "not clear"},
		{"two local addresses", "https://a.example/=http://b.example/=http://c.example/", "not clear"},
		{"a password", "https://u:sesam@a.example/", "password"},
		{"a local address without host", "https://a.example/=http:///x", "the local address"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := parseWebhook(row.flag)
			if err == nil || !strings.Contains(err.Error(), row.want) || hint.Of(err) == "" {
				t.Errorf("got %v (hint %q), want %q and a hint", err, hint.Of(err), row.want)
			}
			if err != nil && strings.Contains(err.Error(), "sesam") {
				t.Error("the error shows the password")
			}
		})
	}
}

func FuzzParseWebhook(f *testing.F) {
	f.Add("orders=https://hooks.example.com/?a=b=http://localhost:3000/")
	f.Add("=:/=http://=https://")
	f.Fuzz(func(t *testing.T, flag string) {
		w, err := parseWebhook(flag)
		if err == nil && (config.CheckURL(w.URL) != nil || strings.ContainsAny(w.Name, ":/=")) {
			t.Errorf("%q became %+v", flag, w)
		}
	})
}

func TestReadHeaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "headers.txt")
	for _, row := range []struct {
		name, text string
		want       http.Header
	}{
		{"a session", "Cookie: a=b; c=d\r\n", http.Header{"Cookie": {"a=b; c=d"}}},
		{"comments and empty lines", "\uFEFF# later\n\nauthorization:  Bearer x:y \n", http.Header{"Authorization": {"Bearer x:y"}}},
		{"a name twice", "X-A: 1\nX-A: 2", http.Header{"X-A": {"1", "2"}}},
		{"no colon", "sesam", nil},
		{"a space in the name", "X A: sesam", nil},
		{"nothing", "\n# none\n", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(row.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := readHeaders(path)
			if diff := cmp.Diff(row.want, got); diff != "" || (err == nil) != (row.want != nil) {
				t.Errorf("%v\n%s", err, diff)
			}
			if err != nil && strings.Contains(err.Error(), "sesam") {
				t.Error("the error shows the value")
			}
		})
	}
}

func TestRepeatableLeavesOutWhatSelectsAndShows(t *testing.T) {
	var f checkFlags
	var o outputFlags
	fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
	f.register(fs)
	o.register(fs)
	hooks := fs.StringArray("webhook", nil, "")
	args := []string{"--only", "TOK", "--skip=PAGE", "--json", "-q", "--report-dir", "x", "--format", "html", "--no-color",
		"--strict", "--safe=false", "--timeout", "2s", "--webhook", "a=https://a.example/", "--webhook", "https://b.example/?x=true"}
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	got := repeatable([]string{"run", "https://page.example/"}, fs)
	want := []string{"run", "https://page.example/", "--safe=false", "--strict", "--timeout", "2s",
		"--webhook", (*hooks)[0], "--webhook", "https://b.example/?x=true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFlagsOverrideTheFile(t *testing.T) {
	var f checkFlags
	fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
	f.register(fs)
	if err := fs.Parse([]string{"--only", "TOK,AUTH", "--only", "SIG", "--strict=false"}); err != nil {
		t.Fatal(err)
	}
	o := suites.Options{Only: []string{"PAGE"}, Skip: []string{"LIVE"}, Strict: true, Safe: true, Concurrency: 3}
	if err := f.apply(fs.Changed, &o); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(o.Only, []string{"TOK", "AUTH", "SIG"}) || o.Strict {
		t.Errorf("the flags did not win: %+v", o)
	}
	if !slices.Equal(o.Skip, []string{"LIVE"}) || !o.Safe || o.Concurrency != 3 {
		t.Errorf("what no flag is about was changed: %+v", o)
	}
}

func TestEndpointFlagDoesNotSendTheSessionOfAnother(t *testing.T) {
	f := &runFlags{endpoint: "https://other.example/token"}
	fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
	fs.String("endpoint", "", "")
	if err := fs.Parse([]string{"--endpoint", f.endpoint}); err != nil {
		t.Fatal(err)
	}
	target := target.Target{Endpoint: &target.EndpointConfig{URL: "https://a.example/", Header: http.Header{"Cookie": {"s=1"}}}}
	if err := applyEndpoint(&target, fs, f); err != nil {
		t.Fatal(err)
	}
	if target.Endpoint.URL != f.endpoint || len(target.Endpoint.Header) != 0 {
		t.Errorf("got %+v", target.Endpoint)
	}
}

func TestSeedMakesRandomnessReproducible(t *testing.T) {
	read := func(seed string) string {
		b := make([]byte, 64)
		if _, err := io.ReadFull(seeded(seed), b); err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first, again, other := read("1"), read("1"), read("2")
	if first != again || first == other {
		t.Error("a seed must give one stream, and another seed another one")
	}
}

func TestTokenInWhatPeoplePaste(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"alone", "\n a.b.c \r\n", "a.b.c"},
		{"after Bearer", "bearer  a.b.c", "a.b.c"},
		{"in an answer", `{"ok": true, "token": "a.b.c"}`, "a.b.c"},
		{"an answer with another name", `{"jwt": "a.b.c"}`, `{"jwt": "a.b.c"}`},
		{"an answer with a number", `{"token": 1}`, `{"token": 1}`},
		{"in quotes, which a widget would choke on", `"a.b.c"`, `"a.b.c"`},
		{"nothing", " \n", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got, _ := tokenIn(row.text); got.Secret() != row.want {
				t.Errorf("got %q, want %q", got.Secret(), row.want)
			}
		})
	}
}

func TestVersionOf(t *testing.T) {
	info := func(v, revision string) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: v}, Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: revision}}}
	}
	for _, row := range []struct {
		name string
		info *debug.BuildInfo
		ok   bool
		want string
	}{
		{"of go install", info("v1.2.3", ""), true, "v1.2.3"},
		{"of a checkout", info("(devel)", "0123456789abcdef"), true, "dev-0123456789ab"},
		{"of nothing", nil, false, "dev"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := versionOf(row.info, row.ok); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestPrintableSpellsNothingThatMovesACursor(t *testing.T) {
	if got := printable("a\x1b[2Jb\u202ec\td\ne"); got != "a\ufffd[2Jb\ufffdc d\ne" {
		t.Errorf("got %q", got)
	}
}
