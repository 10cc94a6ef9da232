// Package config reads kindlytest.yaml: the description of a target.
//
//	c, err := config.Load("kindlytest.yaml", os.LookupEnv)
//	if err != nil { … } // an *Error: each problem with its line and column
//	run := suites.Run(ctx, c.Target, c.Options)
//
// It is strict: an unknown key, a value of the wrong type and a variable that
// is not set are errors, for a setting that is silently ignored makes a run
// look better than it was. ${VAR} and ${VAR:-default} are expanded within
// values after the YAML is read, so that no value can add keys.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/suites"
	"github.com/kindlytest/kindlytest/suites/subject"
	"github.com/kindlytest/kindlytest/target"
)

// DefaultName is the file that is looked for where none is named.
const DefaultName = "kindlytest.yaml"

// A Config is what a file says.
type Config struct {
	Target  target.Target
	Options suites.Options
	// Targets are those of a file that describes several, each complete, with a
	// name that is unique and can be that of a folder. Target and Options then
	// hold what they have in common.
	Targets []suites.Job
	// ObservedFile is what observed: names, as it stands in the file.
	ObservedFile string
	// Dialogues are for kindlytest serve.
	Dialogues []mockkindly.Dialogue
	// Notes are remarks for the user, such as a secret that stands in the file.
	Notes  []string
	source *document // nil without a file
}

// FromFile says whether it was read from a file.
func (c *Config) FromFile() bool { return c.source != nil }

// Sources are what a file may refer to.
type Sources struct {
	Env  func(name string) (string, bool)
	Read func(path string, most int64) ([]byte, error) // at most so many bytes; paths are as in the file
}

// small reads what has no reason to be large, such as a key.
func (s Sources) small(path string) ([]byte, error) { return s.Read(path, maxSize) }

// A Problem is one mistake in a file.
type Problem struct {
	File         string
	Line, Column int // from 1; 0 if it is about the whole file
	Text         string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
}

// An Error holds all that is wrong with a file, in its order.
type Error struct{ Problems []Problem }

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxSize bounds a file, in bytes.
const maxSize = 1 << 20

// Load reads a file. Key files are looked for beside it.
func Load(path string, env func(string) (string, bool)) (*Config, error) {
	text, err := ReadFile(path)
	if err != nil {
		return nil, hint.Errorf("-c FILE names the configuration; kindlytest run PAGE works without one", "%w", fileError(path, err))
	}
	from := Sources{Env: env, Read: func(name string, most int64) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		return readFile(name, most)
	}}
	c, err := Parse(path, text, from)
	if err != nil {
		return nil, err
	}
	return c, c.lookBeside(from.small)
}

// lookBeside takes what was learnt of the real Kindly from beside the file, for
// whatever the file names nothing for.
func (c *Config) lookBeside(read func(string) ([]byte, error)) error {
	lacking := []*subject.Options{&c.Options}
	for i := range c.Targets {
		lacking = append(lacking, &c.Targets[i].Options)
	}
	lacking = slices.DeleteFunc(lacking, func(o *subject.Options) bool { return o.Observed != nil })
	if len(lacking) == 0 {
		return nil
	}
	l, err := ReadObserved(read, observed.DefaultName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, o := range lacking {
		o.Observed = l
	}
	c.Notes = append(c.Notes, ObservedNote(observed.DefaultName, l))
	return nil
}

// Parse reads the text of a file; name is what its errors call it. The error is
// an *Error.
func Parse(name string, text []byte, from Sources) (*Config, error) {
	c := &Config{}
	d := &document{file: name, from: from, config: c, raw: map[ast.Node]string{}, secrets: map[string][]string{}}
	d.read(text)
	if len(d.problems) > 0 {
		return nil, &Error{sorted(d.problems)}
	}
	for _, n := range sorted(d.notes) {
		c.Notes = append(c.Notes, n.String())
	}
	c.source = d
	return c, nil
}
