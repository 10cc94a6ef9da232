package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestFilesWithoutEndAreRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has no /dev/zero")
	}
	const zero = "/dev/zero"
	noEnv := func(string) (string, bool) { return "", false }
	_, file := Load(zero, noEnv)
	_, _, public := ReadPublicKey(ReadFile, zero)
	_, private := ReadPrivateKey(ReadFile, zero)
	_, authorities := ReadAuthorities(ReadFile, zero)
	_, folder := ReadFile(t.TempDir())
	for name, err := range map[string]error{"-c": file, "a public key": public, "a private key": private, "authorities": authorities} {
		if err == nil || !strings.Contains(err.Error(), "larger than 1024 KB") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if folder == nil {
		t.Error("a folder was read")
	}
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nbot: {public_key: /dev/zero}\npage: {url: http://localhost/}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, noEnv); err == nil || !strings.Contains(err.Error(), "larger than 1024 KB") {
		t.Errorf("a key in the file: %v", err)
	}
}

func TestBombsOfYAMLAreRefusedAtOnce(t *testing.T) {
	const many = 100_000
	for name, text := range map[string]string{
		"brackets":       strings.Repeat("[", many),
		"braces":         strings.Repeat("{a: ", many),
		"both, by lines": strings.Repeat("[\n{a: ", many),
		"closed":         "x: " + strings.Repeat("[", many) + strings.Repeat("]", many),
		"lists":          strings.Repeat("- ", many),
		"tagged lists":   strings.Repeat("- !!x ", many),
		"lists, aside":   "version: 1\nname: " + strings.Repeat("- ", many),
		"keys":           strings.Repeat("a: ", many),
		"too large":      strings.Repeat("a: b\n", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			// Before the parser has seen it, whose time grows with the square.
			_, err := Parse("c.yaml", []byte(text), Sources{})
			if err == nil || !strings.Contains(err.Error(), "too deeply") && !strings.Contains(err.Error(), "larger than") {
				t.Errorf("it came to the parser: %v", err)
			}
		})
	}
	flat := "version: 1\npage: {url: http://localhost/}\nwebhooks: [" + strings.Repeat(`{url: "https://h.example/", message: "[[[[ : - - -"},`, 300) + "]\n"
	if _, err := Parse("c.yaml", []byte(flat), Sources{}); err != nil && strings.Contains(err.Error(), "too deeply") {
		t.Errorf("many short ones were refused: %v", err)
	}
}

// Whatever is wrong with a value from the environment, it is not shown.
func TestErrorsShowNoValueOfTheEnvironment(t *testing.T) {
	const secret = `s3cret "value"`
	env := func(string) (string, bool) { return secret, true }
	for _, text := range []string{
		"checks: {timeout: '${SECRET}'}\n",
		"checks: {timeout: '1s${SECRET}'}\n",
		"checks: {rate: '${SECRET}'}\n",
		"checks: {only: ['${SECRET}']}\n",
		"checks: {expected_failures: [{id: '${SECRET}', reason: x}]}\n",
		"webhooks: [{url: '${SECRET}'}]\n",
		"webhooks: [{name: '${SECRET}', url: http://a/}, {name: '${SECRET}', url: http://b/}]\n",
		"bot: {public_key: '${SECRET}'}\n",
		"endpoint: {url: 'http://${SECRET}/'}\n",
	} {
		_, err := Parse("c.yaml", []byte("version: 1\npage: {url: http://localhost/}\n"+text),
			Sources{Env: env, Read: func(path string, _ int64) ([]byte, error) {
				return nil, &os.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
			}})
		if err == nil {
			t.Errorf("%q was taken", text)
			continue
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
