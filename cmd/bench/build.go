package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/internal/figures"
)

// measureBuild is about the binary, the time to build it from nothing, and what
// each dependency adds to both.
func measureBuild(ctx context.Context, b *bench) error {
	info, err := os.Stat(b.path("kindlytest"))
	if err != nil {
		return err
	}
	cold := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w",
		"-debug-actiongraph", b.path("actions.json"), "-o", b.path("cold"), "./cmd/kindlytest")
	cold.Env = append(os.Environ(), "GOCACHE="+b.path("cache"))
	start := time.Now()
	if out, err := cold.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	b.table.Stated("size of the binary", "%.1f MB", float64(info.Size())/1e6)
	b.table.Stated("go build with an empty cache", "%.0f s", time.Since(start).Seconds())

	modules, err := modulesOf(ctx)
	if err != nil {
		return err
	}
	seconds, err := b.compileTimes(modules)
	if err != nil {
		return err
	}
	bytes, err := b.symbolSizes(ctx, modules)
	if err != nil {
		return err
	}
	groups := slices.SortedFunc(maps.Keys(bytes), func(x, y string) int { return cmp.Compare(bytes[y], bytes[x]) })
	for _, g := range groups {
		b.table.Stated("of these, "+g, "%.1f MB of code and data, %.1f s of compiling", bytes[g]/1e6, seconds[g])
	}
	return nil
}

// groups are dependencies that come together, by prefixes of module paths; see
// docs/dependencies.md.
var groups = []struct {
	name     string
	prefixes []string
}{
	{"kindlytest itself", []string{"github.com/kindlytest/"}},
	{"chromedp and cdproto", []string{"github.com/chromedp/", "github.com/go-json-experiment/"}},
	{"SQLite", []string{"modernc.org/", "github.com/google/uuid", "github.com/dustin/", "github.com/ncruces/", "github.com/remyoudompheng/"}},
	{"ginkgo and gomega", []string{"github.com/onsi/", "github.com/Masterminds/", "github.com/go-logr/", "go.yaml.in/", "golang.org/x/mod",
		"golang.org/x/tools", "github.com/google/", "github.com/go-task/"}},
	{"cobra and pflag", []string{"github.com/spf13/", "github.com/inconshreveable/"}},
	{"goccy/go-yaml", []string{"github.com/goccy/"}},
	{"golang-jwt", []string{"github.com/golang-jwt/"}},
	{"fatih/color", []string{"github.com/fatih/", "github.com/mattn/"}},
	{"golang.org/x", []string{"golang.org/x/"}},
	{"Go's standard library", []string{""}},
}

func groupOf(module string) string {
	i := slices.IndexFunc(groups, func(g struct {
		name     string
		prefixes []string
	}) bool {
		return slices.ContainsFunc(g.prefixes, func(p string) bool { return strings.HasPrefix(module, p) })
	})
	return groups[i].name // the last one takes all
}

// modulesOf maps the program's packages to their modules; the standard
// library's have none.
func modulesOf(ctx context.Context) (map[string]string, error) {
	text, err := figures.Output(ctx, "go", "list", "-deps", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}", "./cmd/kindlytest")
	if err != nil {
		return nil, err
	}
	modules := map[string]string{}
	for line := range strings.Lines(text) {
		pkg, module, _ := strings.Cut(strings.TrimSpace(line), " ")
		modules[pkg] = module
	}
	return modules, nil
}

// compileTimes sums up how long the compiler worked on each group.
func (b *bench) compileTimes(modules map[string]string) (map[string]float64, error) {
	text, err := os.ReadFile(b.path("actions.json"))
	if err != nil {
		return nil, err
	}
	var actions []struct {
		Mode, Package        string
		CmdUser, CmdSys      time.Duration
		TimeStart, TimeReady time.Time
	}
	if err := json.Unmarshal(text, &actions); err != nil {
		return nil, err
	}
	seconds := map[string]float64{}
	for _, a := range actions {
		if a.Mode == "build" {
			seconds[groupOf(modules[a.Package])] += (a.CmdUser + a.CmdSys).Seconds()
		}
	}
	return seconds, nil
}

// symbolSizes sums up the symbols of a build that has kept them.
func (b *bench) symbolSizes(ctx context.Context, modules map[string]string) (map[string]float64, error) {
	if _, err := figures.Output(ctx, "go", "build", "-trimpath", "-o", b.path("symbols"), "./cmd/kindlytest"); err != nil {
		return nil, err
	}
	text, err := figures.Output(ctx, "go", "tool", "nm", "-size", b.path("symbols"))
	if err != nil {
		return nil, err
	}
	bytes := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		// Zeroes take no room in the file; drbg.memory is 32 MB of them, marked as data.
		if len(fields) < 4 || strings.ContainsAny(fields[2], "bB") || fields[3] == "crypto/internal/fips140/drbg.memory" {
			continue
		}
		size, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			continue // an undefined symbol has no size
		}
		bytes[groupOf(modules[packageOf(fields[3])])] += size
	}
	return bytes, nil
}

// packageOf is the package of a symbol such as type:.eq.example.com/a/b.T.
func packageOf(symbol string) string {
	for _, prefix := range []string{"go:itab.*", "go:itab.", "type:.eq.", "type:.hash.", "type:.namedata.", "type:*", "type:"} {
		symbol = strings.TrimPrefix(symbol, prefix)
	}
	slash := strings.LastIndexByte(symbol, '/') + 1
	name, _, _ := strings.Cut(symbol[slash:], ".")
	return symbol[:slash] + name
}
