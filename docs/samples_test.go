package docs_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"go/format"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/target"
)

var temporary struct {
	once sync.Once
	dir  string
	err  error
}

// tempDir outlives single tests; TestMain removes it.
func tempDir() (string, error) {
	temporary.once.Do(func() { temporary.dir, temporary.err = os.MkdirTemp("", "kindlytest-docs-") })
	return temporary.dir, temporary.err
}

func TestMain(m *testing.M) {
	code := m.Run()
	if temporary.dir != "" {
		os.RemoveAll(temporary.dir)
	}
	os.Exit(code)
}

// keyFiles stands for public.pem, private.pem and staging-ca.pem.
var keyFiles = sync.OnceValues(func() (map[string][]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	authority, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		"client.pem":           pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority}),
		"client.key":           pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
		"ada.json":             []byte(`{"cookies":[{"name":"sid","value":"1","domain":"staging.example.com","path":"/"}]}`),
		"grace.json":           []byte(`{"origins":[{"origin":"https://staging.example.com","localStorage":[{"name":"sid","value":"2"}]}]}`),
		"kindly-observed.json": []byte(`{"version": 1}`),
		"staging-ca.pem":       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority}),

		"public.pem":  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
		"private.pem": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
	}, nil
})

// configSchema is the schema of kindlytest.yaml as the program prints it.
func configSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, _ := kindlytest(t, "schema", "--config")
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(config.SchemaURL, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(config.SchemaURL)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestConfigurationSamplesAreValid(t *testing.T) {
	files, err := keyFiles()
	if err != nil {
		t.Fatal(err)
	}
	from := config.Sources{
		Env: func(name string) (string, bool) {
			switch {
			case name == "PRIVATE_KEY_FILE": // has a default
				return "", false
			case strings.HasSuffix(name, "_TOTP"):
				return "GEZDGNBVGY3TQOJQ", true
			}
			return "from-" + name, true
		},
		Read: func(path string, _ int64) ([]byte, error) {
			text, ok := files[path]
			if !ok {
				return nil, os.ErrNotExist
			}
			return text, nil
		},
	}
	schema := configSchema(t)
	found := 0
	for name, text := range pages(t) {
		for _, b := range blocks(text) {
			if b.language != "yaml" || !strings.HasPrefix(b.text, "version: 1") {
				continue
			}
			found++
			c, err := config.Parse(name, []byte(b.text), from)
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, b.text)
			} else if len(c.Notes) > 0 {
				t.Errorf("%s: %v", name, c.Notes)
			}
			var doc any
			if err := yaml.Unmarshal([]byte(b.text), &doc); err != nil {
				t.Errorf("%s: %v", name, err)
			} else if err := schema.Validate(doc); err != nil {
				t.Errorf("%s: the schema refuses a sample: %v\n%s", name, err, b.text)
			}
		}
	}
	if found < 3 {
		t.Errorf("%d samples were found", found)
	}
}

func TestConfigurationPageNamesEveryKey(t *testing.T) {
	page := pages(t)["configuration.md"]
	sample := fmt.Sprint(blocks(page))
	var schema any
	if err := json.Unmarshal(config.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	collectKeys(schema, keys)
	for key := range keys {
		inTable := regexp.MustCompile("`(?:checks\\.)?" + key + "`").MatchString(page)
		if !inTable && !strings.Contains(sample, key+":") {
			t.Errorf("configuration.md does not name the key %s", key)
		}
	}
	if len(keys) < 70 {
		t.Errorf("only %d keys were found in the schema", len(keys))
	}
}

// collectKeys finds the keys that a JSON Schema describes.
func collectKeys(schema any, into map[string]bool) {
	switch v := schema.(type) {
	case map[string]any:
		for name, below := range v {
			if properties, ok := below.(map[string]any); ok && name == "properties" {
				for key := range properties {
					into[key] = true
				}
			}
			collectKeys(below, into)
		}
	case []any:
		for _, item := range v {
			collectKeys(item, into)
		}
	}
}

func TestGoSamplesAreFormatted(t *testing.T) {
	for name, text := range pages(t) {
		for _, b := range blocks(text) {
			if b.language != "go" {
				continue
			}
			source := unindented(b.text)
			formatted, err := format.Source([]byte(source))
			if err != nil {
				t.Errorf("%s: %v\n%s", name, err, source)
			} else if string(formatted) != source {
				t.Errorf("%s: gofmt writes\n%s", name, formatted)
			}
		}
	}
}

// unindented undoes the indentation of a block within a list.
func unindented(s string) string {
	indent := s[:len(s)-len(strings.TrimLeft(s, " "))]
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], indent)
	}
	return strings.Join(lines, "\n")
}

// readme is the README's sample, so that a compiler sees it.
func readme(publicPEM []byte, jwt string) error {
	k, err := mockkindly.New(mockkindly.Options{Bots: []mockkindly.Bot{mockkindly.MustBot("my-bot", publicPEM)}})
	if err != nil {
		return err
	}
	chat, err := k.CreateChat("my-bot", mockkindly.Web{})
	if err != nil {
		return err
	}
	result, err := k.Authenticate(chat.ID, token.Raw(jwt), mockkindly.InitialConnect) // result.Violations: all that is wrong
	_ = result.Violations

	var _ = suites.Describe(target.Target{PageURL: "http://localhost:3001/"}, suites.Options{})
	return err
}

var _ = readme

// What the pages show as Go is Go that compiles: it stands above, in go_api_test.go, or in the catalogue.
func TestGoSamplesAreCompiled(t *testing.T) {
	sources, err := filepath.Glob("../suites/catalogue/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, path := range append(sources, "samples_test.go", "go_api_test.go") {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(source)
	}
	for name, text := range pages(t) {
		for _, b := range blocks(text) {
			for line := range strings.SplitSeq(b.text, "\n") {
				if b.language == "go" && !strings.Contains(all.String(), strings.TrimSpace(line)) {
					t.Errorf("%s: no source has the line %q", name, line)
				}
			}
		}
	}
}

// Direct dependencies, as go.mod has them, are explained.
func TestEveryDependencyIsExplained(t *testing.T) {
	raw, err := exec.Command("go", "list", "-f", "{{join .Imports \"\\n\"}}\n{{join .TestImports \"\\n\"}}\n{{join .XTestImports \"\\n\"}}", "../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	mods, err := exec.Command("go", "mod", "edit", "-json", "../go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Require []struct{ Path string } }
	if err := json.Unmarshal(mods, &file); err != nil {
		t.Fatal(err)
	}
	page := pages(t)["dependencies.md"]
	for _, m := range file.Require {
		imported := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(m.Path) + `(/|$)`).Match(raw)
		name := regexp.MustCompile(`/v\d+$`).ReplaceAllString(m.Path, "")
		name = name[strings.LastIndex(name, "/")+1:]
		if imported && !regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).MatchString(page) {
			t.Errorf("dependencies.md does not explain %s", m.Path)
		}
	}
}
