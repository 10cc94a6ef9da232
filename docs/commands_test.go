package docs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// program is the command line, built once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := tempDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "kindlytest")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	out, err := exec.Command("go", "build", "-o", path, "../cmd/kindlytest").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return path, nil
})

// kindlytest runs the program in an empty folder and returns its output and
// exit code.
func kindlytest(t *testing.T, args ...string) (string, int) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = t.TempDir()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// harmless commands of the pages are run as they stand: they call nobody and
// are quick. The number is the exit code.
var harmless = map[string]int{
	"kindlytest version":                                                0,
	"kindlytest demo --list-faults":                                     0,
	"kindlytest schema":                                                 0,
	"kindlytest schema --config":                                        0,
	"kindlytest run --private-key private.pem":                          2, // the key is not there
	"kindlytest match '*.example.com' https://hooks.example.com/kindly": 0,
	"kindlytest match '*.example.com' https://example.com/kindly":       1,
	"kindlytest match '*.example.com' https://a.b.example.com/":         0,
	"kindlytest match https://example.com https://example.com/":         1,
}

func TestCommandsWork(t *testing.T) {
	seen, run := map[command]bool{}, map[string]bool{}
	for name, text := range pages(t) {
		for _, c := range commands(text) {
			if seen[c] {
				continue
			}
			seen[c] = true
			args, err := words(c.line)
			if err != nil {
				t.Errorf("%s: %q: %v", name, c.line, err)
				continue
			}
			code, ok := harmless[cut(c.line)]
			if strings.HasPrefix(c.line, "kindlytest explain ") { // all of them are, and must work
				ok = true
			}
			if !ok { // with --help all is parsed, and nothing is done
				args = append(args, "--help")
			}
			run[cut(c.line)] = ok
			out, got := kindlytest(t, args[1:]...)
			if got != code {
				t.Errorf("%s: %q ends with %d, want %d: %s", name, c.line, got, code, out)
			}
			if ok && c.output != "" && strings.TrimSpace(out) != c.output {
				t.Errorf("%s: %q prints\n%s\nand not\n%s", name, c.line, out, c.output)
			}
		}
	}
	for c := range harmless {
		if !run[c] {
			t.Errorf("no page shows %q any more", c)
		}
	}
}

// A command is one line of a page, and the output that the page shows for it.
type command struct{ line, output string }

// commands finds what begins with kindlytest in a page's blocks of commands. In
// a console block, commands stand after a dollar sign and output after them.
func commands(text string) []command {
	var out []command
	for _, b := range blocks(text) {
		switch b.language {
		case "sh":
			for line := range strings.SplitSeq(b.text, "\n") {
				if line = strings.TrimPrefix(line, "bin/"); strings.HasPrefix(line, "kindlytest ") {
					out = append(out, command{line: line})
				}
			}
		case "console":
			for _, part := range strings.Split("\n"+b.text, "\n$ ")[1:] {
				line, output, _ := strings.Cut(part, "\n")
				if strings.HasPrefix(line, "kindlytest ") {
					out = append(out, command{line, strings.TrimSpace(output)})
				}
			}
		case "yaml": // a CI's steps
			for _, m := range ciStep.FindAllStringSubmatch(b.text, -1) {
				out = append(out, command{line: m[1]})
			}
		}
	}
	return out
}

var ciStep = regexp.MustCompile(`(?m)^ *(?:- )?(?:run: )?(kindlytest .+)$`)

// block is what stands between two fences.
type block struct{ language, text string }

var fenced = regexp.MustCompile("(?ms)^[ \t]*```([a-z]*)\n(.*?)^[ \t]*```$")

func blocks(text string) []block {
	var out []block
	for _, m := range fenced.FindAllStringSubmatch(text, -1) {
		out = append(out, block{m[1], m[2]})
	}
	return out
}

// outsideCode is a page without its blocks and code spans.
func outsideCode(text string) string {
	return codeSpan.ReplaceAllString(fenced.ReplaceAllString(text, ""), "")
}

var codeSpan = regexp.MustCompile("`[^`\n]+`")

// cut ends a line where the shell would end the command.
func cut(line string) string {
	quote := rune(0)
	for i, r := range line {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		case strings.ContainsRune("|<>#;&", r):
			return strings.TrimSpace(line[:i])
		}
	}
	return strings.TrimSpace(line)
}

// words splits a command as a shell does; quotes are all that it knows.
func words(line string) ([]string, error) {
	var out []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	for _, r := range cut(line) {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inWord = r, true
		case quote == 0 && r == ' ':
			if inWord {
				out = append(out, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if inWord {
		out = append(out, word.String())
	}
	return out, nil
}

// foreign flags are those of other programs.
var foreign = map[string]bool{
	"--no-install-recommends": true, "--silent": true, "--retry": true, "--retry-connrefused": true, "--retry-delay": true, "--output": true,
	"--rm": true, "--network": true, "--user": true, "--label-filter": true,
}

var longFlag = regexp.MustCompile(`(?:^|[\s` + "`" + `(\[])(--[a-z][a-z-]+)`)

func TestFlagsExist(t *testing.T) {
	var known strings.Builder
	for _, c := range subcommands(t) {
		help, _ := kindlytest(t, c, "--help")
		known.WriteString(help)
	}
	found := 0
	for name, text := range pages(t) {
		for _, m := range longFlag.FindAllStringSubmatch(text, -1) {
			found++
			if !foreign[m[1]] && !regexp.MustCompile(regexp.QuoteMeta(m[1])+`[^a-z-]`).MatchString(known.String()) {
				t.Errorf("%s: no command has the flag %s", name, m[1])
			}
		}
	}
	if found == 0 {
		t.Error("no flag is named anywhere")
	}
}

var subcommand = regexp.MustCompile(`(?m)^  ([a-z]+)  `)

func subcommands(t *testing.T) []string {
	help, _ := kindlytest(t, "--help")
	_, list, _ := strings.Cut(help, "Available Commands:")
	list, _, _ = strings.Cut(list, "Flags:")
	var out []string
	for _, m := range subcommand.FindAllStringSubmatch(list, -1) {
		out = append(out, m[1])
	}
	if len(out) < 5 {
		t.Fatalf("the help lists the commands %q", out)
	}
	return out
}

var named = regexp.MustCompile("`kindlytest ([a-z]+)")

func TestCommandsExist(t *testing.T) {
	known := subcommands(t)
	for name, text := range pages(t) {
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(known, m[1]) {
				t.Errorf("%s: there is no kindlytest %s", name, m[1])
			}
		}
	}
}

// The report page names every member that the schema has.
func TestReportPageNamesEveryMember(t *testing.T) {
	text, _ := kindlytest(t, "schema")
	var schema any
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		t.Fatal(err)
	}
	page := pages(t)["report.md"]
	for _, member := range members(schema) {
		if !strings.Contains(page, "`"+member+"`") {
			t.Errorf("report.md does not name %s", member)
		}
	}
}

// members are the names of all properties in a JSON Schema.
func members(schema any) []string {
	var out []string
	object, _ := schema.(map[string]any)
	for name, value := range object {
		if properties, ok := value.(map[string]any); ok && name == "properties" {
			for member := range properties {
				out = append(out, member)
			}
		}
		out = append(out, members(value)...)
	}
	return out
}
