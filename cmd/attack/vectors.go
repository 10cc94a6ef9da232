package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/kindlytest/kindlytest/internal/figures"
)

// Whose vectors they are, and what of them is run here. Both are Go modules, and
// are taken from Go's own cache; the sum is that of go.sum.
var sources = []struct {
	what, module, version, sum, folder, pkg, tests string
}{
	{"Wycheproof's RS256 vectors", "github.com/c2sp/wycheproof", "v0.0.0-20260902155932-3fa63dd0344a",
		"h1:pNbL2nztRsWfW/ispAwsvcDFxs9Id38uIsR2/Up5G2c=", "testvectors_v1", "./mockkindly/token", "^TestWycheproof"},
	{"the Web Platform Tests' URLs and host names", "github.com/nlnwa/whatwg-url", "v0.6.2",
		"h1:jU61lU2ig4LANydbEJmA2nPrtCGiKdtgT0rmMd2VZ/Q=", "testdata", "./mockkindly/allowlist", "Browsers"},
}

var agree = regexp.MustCompile(`: (\d+) vectors agree`)

// tryVectors runs other people's vectors through what reads tokens and URLs.
func tryVectors(ctx context.Context, a *attack) error {
	for _, s := range sources {
		said, err := figures.Output(ctx, "go", "mod", "download", "-json", s.module+"@"+s.version)
		if err != nil {
			return fmt.Errorf("fetching %s: %w\n%s", s.what, err, said)
		}
		var module struct{ Dir, Sum string }
		if err := json.Unmarshal([]byte(said), &module); err != nil {
			return err
		}
		if module.Sum != s.sum {
			return fmt.Errorf("%s@%s is not what was looked at: its sum is %s", s.module, s.version, module.Sum)
		}
		said, err = figures.Output(ctx, "go", "test", "-count=1", "-v", "-run", s.tests, s.pkg, "-vectors", filepath.Join(module.Dir, s.folder))
		disagree := strings.Count(said, "_test.go:") - len(agree.FindAllString(said, -1))
		n := 0
		for _, m := range agree.FindAllStringSubmatch(said, -1) {
			var some int
			if _, err := fmt.Sscan(m[1], &some); err != nil {
				return err
			}
			n += some
		}
		if n == 0 {
			return fmt.Errorf("%s were not run: %w\n%s", s.what, err, said)
		}
		a.table.Judge(err == nil, s.what, fmt.Sprintf("%d vectors, %d disagree", n, disagree), "0 disagree")
	}
	return nil
}
