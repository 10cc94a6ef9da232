package advice

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/kindlytest/kindlytest/mockkindly/rule"
)

// A Stack is a language and the library that its samples use.
type Stack struct {
	Name  string // "node-jose"
	Title string // "Node with jose"
	// Tested samples are run by this project's tests against all checks.
	Tested bool
	files  []string // below samples; a region of an earlier one is taken
}

// Stacks are all stacks, in the order in which they are offered.
func Stacks() []Stack {
	return []Stack{
		{"node-jsonwebtoken", "Node with jsonwebtoken and Express", true, []string{"node-jsonwebtoken/token.mjs", "node/claims.mjs", "node/server.mjs"}},
		{"node-jose", "Node with jose and Express", true, []string{"node-jose/token.mjs", "node/claims.mjs", "node/server.mjs"}},
		{"python-pyjwt", "Python with PyJWT and Flask", true, []string{"python-pyjwt/tokens.py", "python-pyjwt/server.py"}},
		{"go-golang-jwt", "Go with golang-jwt", true, []string{"go-golang-jwt/main.go"}},
		{"php-firebase-jwt", "PHP with firebase/php-jwt", false, []string{"php-firebase-jwt/kindly.php"}},
		{"java-nimbus", "Java with Nimbus JOSE + JWT and Spring", false, []string{"java-nimbus/Kindly.java"}},
		{"csharp-microsoft", "C# with Microsoft.IdentityModel and ASP.NET Core", false, []string{"csharp-microsoft/Program.cs"}},
	}
}

// Samples that are the same whatever the server is written in.
var anyStack = []Stack{
	{"html", "the page", true, []string{"page/page.html", "page/headers.txt"}},
	{"react", "React", false, []string{"page/react.jsx"}},
	{"shell", "a shell with openssl", true, []string{"page/keys.sh"}},
}

// StackNames are the names of Stacks.
func StackNames() []string { return namesOf(Stacks()) }

// SampleNames are all names that a Sample's stack can have, and that SampleFor
// takes: those of Stacks, and of what is the same whatever the server is written
// in, such as "html".
func SampleNames() []string { return namesOf(slices.Concat(Stacks(), anyStack)) }

func namesOf(stacks []Stack) []string {
	var names []string
	for _, s := range stacks {
		names = append(names, s.Name)
	}
	return names
}

// A Sample is code that closes a finding.
type Sample struct {
	Stack  Stack
	Region string
	Title  string // what it does
	Code   string // without the indentation that all lines share; ends with a line end
}

// alongWith are regions that are of no use without others: they are shown
// together.
var alongWith = map[string][]string{"verify": {"claims"}}

// instead names the region to take where a stack needs no such region of its own.
var instead = map[string]string{"errors": "answer", "answer": "endpoint"}

// Samples returns the code that closes what breaks a rule, one sample a stack, in the
// order of Stacks. There is none where no code closes it, such as for HTTPS.
func Samples(r rule.Rule) []Sample {
	var out []Sample
	for _, s := range slices.Concat(anyStack, Stacks()) {
		if sample, ok := sampleOf(s, r.Code); ok {
			out = append(out, sample)
		}
	}
	return out
}

// SampleFor returns the code for one stack. What is the same for all stacks,
// such as the page's script, is returned for each of them, and for "".
func SampleFor(r rule.Rule, stack string) (Sample, bool) {
	all := Samples(r)
	i := slices.IndexFunc(all, func(s Sample) bool { return s.Stack.Name == stack })
	if i < 0 {
		i = slices.IndexFunc(all, func(s Sample) bool { return slices.Contains(namesOf(anyStack), s.Stack.Name) })
	}
	if i < 0 {
		return Sample{}, false
	}
	return all[i], true
}

// sampleOf puts a sample together from a stack's regions.
func sampleOf(s Stack, region string) (Sample, bool) {
	for region != "" && !has(s.files, region) {
		region = instead[region]
	}
	sample := Sample{Stack: s, Region: region}
	for _, name := range append([]string{region}, alongWith[region]...) {
		r, ok := find(s.files, name)
		if !ok {
			return Sample{}, false
		}
		if name == region {
			sample.Title, sample.Code = r.title, r.code
			continue
		}
		sample.Code += "\n" + r.code
	}
	return sample, true
}

func has(files []string, name string) bool {
	_, ok := find(files, name)
	return ok
}

func find(files []string, name string) (region, bool) {
	all := regions()
	for _, f := range files {
		if r, ok := all[f][name]; ok {
			return r, true
		}
	}
	return region{}, false
}

//go:embed samples/*/*.mjs samples/*/*.py samples/*/*.go samples/*/*.php samples/*/*.java samples/*/*.cs samples/page/*
var files embed.FS

// A region is a part of a file, between the lines "region NAME: TITLE" and
// "endregion".
type region struct{ title, code string }

// regions are those of all files, by file and name.
var regions = sync.OnceValue(func() map[string]map[string]region {
	out := map[string]map[string]region{}
	for _, s := range slices.Concat(anyStack, Stacks()) {
		for _, f := range s.files {
			source, err := files.ReadFile(path.Join("samples", f))
			if err != nil {
				panic(err) // it is embedded
			}
			if out[f], err = parse(string(source)); err != nil {
				panic(fmt.Errorf("%s: %w", f, err)) // a test would have seen it
			}
		}
	}
	return out
})

// parse finds the regions of a file.
func parse(source string) (map[string]region, error) {
	out := map[string]region{}
	var name string
	var r region
	for line := range strings.Lines(source) {
		word, rest, _ := strings.Cut(strings.TrimLeft(line, " \t/#<!-"), " ")
		switch {
		case word == "region" && name == "":
			name, r.title, _ = strings.Cut(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "-->")), ": ")
		case strings.TrimSpace(word) == "endregion" && name != "":
			r.code = unindent(strings.Trim(r.code, "\n") + "\n")
			out[name] = r
			name, r = "", region{}
		case word == "region" || strings.TrimSpace(word) == "endregion":
			return nil, fmt.Errorf("regions are not nested: %q", line)
		case name != "":
			r.code += line
		}
	}
	if name != "" {
		return nil, fmt.Errorf("the region %s does not end", name)
	}
	return out, nil
}

// unindent takes away the white space that all lines begin with.
func unindent(code string) string {
	common := ""
	for i, line := range strings.Split(strings.TrimRight(code, "\n"), "\n") {
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		switch {
		case line == "":
		case i == 0:
			common = indent
		default:
			for !strings.HasPrefix(indent, common) {
				common = common[:len(common)-1]
			}
		}
	}
	var b strings.Builder
	for line := range strings.Lines(code) {
		b.WriteString(strings.TrimPrefix(line, common))
	}
	return b.String()
}
