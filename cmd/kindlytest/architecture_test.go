package main

import (
	"go/build"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/kindlytest/kindlytest/"

// mayImport says which rooms the code of a room may import. What is not listed
// is forbidden: the directions are the design.
var mayImport = map[string][]string{
	"cmd/kindlytest": {"cmd/kindlytest/*", "suites", "suites/catalogue", "suites/causes", "suites/subject", "target", "internal/*", "mockkindly", "mockkindly/*", "reports", "fixtures", "fixtures/stack"},
	"cmd/kindlytest/config": {"cmd/kindlytest/hint", "suites", "suites/subject", "target", "internal/browser", "internal/observed", "internal/oracle", "internal/plainjson", "internal/redact", "internal/suggest", "internal/totp", "internal/wire",
		"mockkindly", "mockkindly/rule", "mockkindly/token", "mockkindly/webhook"},
	"cmd/kindlytest/starter": {"cmd/kindlytest/config", "internal/shell", "internal/wire", "internal/plainjson"},
	"cmd/kindlytest/checks":  {"mockkindly/server", "suites", "suites/catalogue", "suites/subject", "target", "reports"},
	"cmd/kindlytest/hint":    {},

	"suites":             {"suites/*", "target", "internal/*", "mockkindly/*", "reports"},
	"suites/ginkgosuite": {"suites/runner", "suites/catalogue", "suites/subject", "target", "reports"},
	"suites/runner":      {"suites/catalogue", "suites/causes", "suites/subject", "suites/service", "target", "internal/*", "mockkindly/rule", "reports"},
	"suites/catalogue":   {"suites/subject", "suites/service", "target", "internal/*", "mockkindly", "mockkindly/*", "reports"},
	"suites/causes":      {"mockkindly/rule", "mockkindly/token", "reports"},
	"suites/subject":     {"suites/service", "target", "internal/*", "mockkindly", "mockkindly/*", "reports"},
	"suites/service":     {"internal/wire", "mockkindly/rule"},
	"target":             {"internal/browser", "internal/oracle", "internal/redact", "internal/wire", "mockkindly/token", "internal/plainjson"},

	"internal/advice":    {"mockkindly/rule"},
	"internal/browser":   {"internal/clip", "internal/jws", "internal/keyscan", "internal/wire"},
	"internal/changes":   {},
	"internal/clip":      {},
	"internal/demo":      {"fixtures", "fixtures/stack", "target", "internal/browser", "mockkindly/token"},
	"internal/figures":   {},
	"internal/forge":     {"internal/wire", "mockkindly/webhook", "internal/plainjson"}, // whose names of headers it spoils
	"internal/jws":       {},
	"internal/keyscan":   {},
	"internal/oracle":    {"internal/jws", "internal/wire"},
	"internal/param":     {"internal/wire", "internal/plainjson"},
	"internal/plainjson": {},
	"internal/porttest":  {},
	"internal/redact":    {"internal/jws", "internal/plainjson"},
	"internal/mocktest":  {"mockkindly/token"},
	"internal/shell":     {},
	"internal/suggest":   {},
	"internal/totp":      {},
	"internal/wire":      {},

	"internal/listen":      {"internal/forge", "internal/recording", "internal/wire", "mockkindly", "mockkindly/token", "mockkindly/webhook"},
	"internal/clientwatch": {"internal/browser", "internal/observed", "internal/wire"},
	"internal/observed":    {"internal/recording", "mockkindly/rule", "mockkindly/webhook", "mockkindly/widget", "internal/plainjson"},
	"internal/recording":   {"internal/redact", "internal/plainjson"},

	"mockkindly":           {"mockkindly/allowlist", "mockkindly/rule", "mockkindly/token", "mockkindly/webhook", "internal/clip", "internal/redact", "internal/shell", "internal/wire"},
	"mockkindly/server":    {"internal/clip", "mockkindly", "mockkindly/rule", "mockkindly/token", "mockkindly/webhook", "mockkindly/widget", "internal/redact", "reports"},
	"mockkindly/token":     {"internal/clip", "mockkindly/rule", "internal/plainjson"},
	"mockkindly/allowlist": {"internal/clip", "mockkindly/rule"},
	"mockkindly/webhook":   {"mockkindly/rule", "mockkindly/token", "internal/wire", "internal/plainjson"},
	"mockkindly/widget":    {},
	"mockkindly/console":   {},
	"mockkindly/sqlite":    {"mockkindly"},
	"mockkindly/rule":      {},

	"fixtures":                 {},
	"fixtures/process":         {},
	"fixtures/realkindly":      {}, // nothing of the mock: they must not be wrong alike
	"fixtures/stack":           {"fixtures", "fixtures/process"},
	"fixtures/stack/stacktest": {"fixtures/stack"},
	"reports":                  {"internal/clip", "internal/jws", "internal/plainjson"}, // leaves: how text is read and cut
	"fixtures/hostile":         {},
	"cmd/bench":                {"fixtures", "internal/browser", "internal/figures"},
	"cmd/attack":               {"fixtures/hostile", "internal/clip", "internal/figures"},
	"cmd/pictures":             {"fixtures", "internal/browser", "reports"},

	"internal/advice/samples/go-golang-jwt": {}, // a program of its own
}

// onlyImporter names the one room that may import an outside module.
var onlyImporter = map[string]string{
	"github.com/chromedp/": "internal/browser",
	"github.com/onsi/":     "suites/ginkgosuite",
	"github.com/fsnotify/": "internal/changes",
	"github.com/spf13/":    "cmd/kindlytest",
	"modernc.org/":         "mockkindly/sqlite",
}

func TestImportsPointOneWay(t *testing.T) {
	rooms := packages(t)
	for room, p := range rooms {
		allowed, ok := mayImport[room]
		if !ok {
			t.Errorf("%s is no room of the design; add it to mayImport with what it may import", room)
		}
		for _, path := range p.Imports {
			if inner, ours := strings.CutPrefix(path, module); ours && !matchesRoom(allowed, inner) {
				t.Errorf("%s must not import %s", room, inner)
			}
			for outside, only := range onlyImporter {
				if strings.HasPrefix(path, outside) && room != only {
					t.Errorf("%s must not import %s: only %s may", room, path, only)
				}
			}
		}
	}
	for room := range mayImport {
		if _, ok := rooms[room]; !ok {
			t.Errorf("mayImport names %s, which is not there", room)
		}
	}
}

// packages reads the imports of the module's packages, tests left out.
func packages(t *testing.T) map[string]*build.Package {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*build.Package{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			return nil
		}
		if name := d.Name(); name == "testdata" || name == "node_modules" || path != root && strings.HasPrefix(name, ".") {
			return filepath.SkipDir
		}
		p, err := build.ImportDir(path, 0)
		if err == nil && len(p.GoFiles) > 0 {
			room, relErr := filepath.Rel(root, path)
			if relErr != nil {
				return relErr
			}
			found[filepath.ToSlash(room)] = p
		}
		return nil // a folder without Go files is no room
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < len(onlyImporter) {
		t.Fatalf("only %d packages found below %s", len(found), root)
	}
	return found
}

func matchesRoom(allowed []string, room string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		prefix, isGlob := strings.CutSuffix(a, "*")
		return a == room || isGlob && strings.HasPrefix(room, prefix)
	})
}
