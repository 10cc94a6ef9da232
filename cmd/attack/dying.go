package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// tryDying has the proof of dying customers run again and again. Its own test says
// what must come of it: the same verdicts each time, and the right one blamed.
func tryDying(ctx context.Context, a *attack) error {
	cmd := exec.CommandContext(ctx, "go", "test", "./suites", "-count=1", "-v", "-timeout", "3h",
		"-parallel", "8", // they mostly wait for a customer to come back
		"-run", "^TestDyingAgainAndAgain$", "-dying", strconv.Itoa(*deaths))
	cmd.Env = append(cmd.Environ(), "KINDLYTEST_REQUIRE_BROWSER=1")
	text, err := cmd.CombinedOutput()
	said := string(text)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	found := regexp.MustCompile(`(\d+) of (\d+) runs`).FindAllStringSubmatch(said, -1)
	if len(found) == 0 {
		return fmt.Errorf("nothing was run: %w\n%s", err, said)
	}
	same, all := 0, 0
	for _, f := range found {
		n, errSame := strconv.Atoi(f[1])
		m, errAll := strconv.Atoi(f[2])
		if errSame != nil || errAll != nil {
			return fmt.Errorf("%q is no number of runs", f[0])
		}
		same, all = same+n, all+m
	}
	if err != nil {
		fmt.Println(strings.TrimSpace(said))
	}
	a.table.Judge(err == nil, fmt.Sprintf("%d customers that die, %d runs each", len(found), *deaths),
		fmt.Sprintf("the same verdicts, and the right request blamed, in %d of %d", same, all), "all")
	return nil
}
