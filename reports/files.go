package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Format is a form of the report.
type Format string

// The formats that can be written to files.
const (
	JSON     Format = "json"     // canonical: every other can be made from it
	JUnit    Format = "junit"    // for the test view of a CI
	HTML     Format = "html"     // for people
	SARIF    Format = "sarif"    // for code scanning
	Markdown Format = "markdown" // for a step summary or a comment
)

// A Report is a finished [Run], or the [Set] of several.
type Report interface {
	write(io.Writer, Format) error
	has(Format) bool // whether there is room for all of it
	show(t *Terminal, paths []string) error
	// parts are what has files of its own below those of the whole.
	parts() ([]Run, error)
}

type formatted struct {
	format Format
	file   string
	write  func(io.Writer, Run) error
}

// formats in the order in which they are offered.
var formats = []formatted{
	{JSON, "report.json", writeRunJSON},
	{JUnit, "junit.xml", writeJUnit},
	{HTML, "report.html", writeHTML},
	{SARIF, "report.sarif", writeSARIF},
	{Markdown, "report.md", writeMarkdown},
}

// Formats returns all formats, JSON first.
func Formats() []Format {
	var out []Format
	for _, f := range formats {
		out = append(out, f.format)
	}
	return out
}

// ParseFormat finds a format by its name: json, junit, html, sarif or markdown.
func ParseFormat(name string) (Format, error) {
	if f := Format(strings.ToLower(name)); slices.Contains(Formats(), f) {
		return f, nil
	}
	return "", fmt.Errorf("unknown report format %q; there are %s", name, formatNames())
}

func formatNames() string {
	var names []string
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// File is the name of the format's file, such as "report.json", or "" for a
// format that there is not.
func (f Format) File() string {
	for _, known := range formats {
		if known.format == f {
			return known.file
		}
	}
	return ""
}

// Write writes a report in a format. SARIF shows one target at a time.
func Write(w io.Writer, r Report, format Format) error {
	if format.File() == "" {
		return fmt.Errorf("unknown report format %q; there are %s", string(format), formatNames())
	}
	if !r.has(format) {
		return fmt.Errorf("a %s report shows one target at a time; NAME/report.json holds each one's run", format)
	}
	return r.write(w, format)
}

func (r Run) write(w io.Writer, format Format) error {
	i := slices.IndexFunc(formats, func(f formatted) bool { return f.format == format })
	return formats[i].write(w, r)
}

func (r Run) has(Format) bool { return true }

func (r Run) parts() ([]Run, error) { return nil, nil }

// WriteFiles writes a report into dir, one file a format, and creates dir if need be. The
// reports of each run of a set go into a folder of its own below dir, named after the
// target; those of all into dir itself, where the format has room for several.
//
// A file is written beside its place and moved there when whole, so that no reader ever
// sees half a report. Only its owner may read it, and look into a directory that was
// created. It goes on after an error: the paths are those that were written, in dir first,
// the error joins all that went wrong. It writes nothing if the names of targets are not
// unique, or can't be those of folders in dir: a report may be foreign.
func WriteFiles(dir string, r Report, formats ...Format) ([]string, error) {
	return writeFiles(dir, r, func(string) []Format { return formats })
}

// RenewFiles is WriteFiles, and writes anew as well what folders hold of the other
// formats, which would tell of an earlier run as if it were this one. What has no room for
// several is removed.
func RenewFiles(dir string, r Report, formats ...Format) ([]string, error) {
	paths, err := writeFiles(dir, r, func(dir string) []Format { return withHeld(dir, formats) })
	for _, f := range held(dir) {
		if !r.has(f) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, f.File())))
		}
	}
	return paths, err
}

func writeFiles(dir string, r Report, formats func(dir string) []Format) ([]string, error) {
	parts, err := r.parts()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the report directory: %w", err)
	}
	var paths []string
	var errs []error
	for _, format := range formats(dir) {
		if !r.has(format) {
			continue
		}
		path, err := WriteFile(dir, r, format)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		paths = append(paths, path)
	}
	for _, run := range parts {
		written, err := writeFiles(filepath.Join(dir, run.Target.Name), run, formats)
		paths, errs = append(paths, written...), append(errs, err)
	}
	return paths, errors.Join(errs...)
}

func withHeld(dir string, asked []Format) []Format {
	out := slices.Clone(asked)
	for _, f := range held(dir) {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// TryFiles says whether reports can be written into dir, which it creates if need
// be: whoever asks before a run does not learn it after.
func TryFiles(dir string, formats ...Format) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create the report directory: %w", err)
	}
	for _, format := range formats {
		path := filepath.Join(dir, format.File())
		if info, err := os.Lstat(path); err == nil && info.IsDir() {
			return fmt.Errorf("%s is a folder, where a report is to be written", path)
		}
	}
	f, err := os.CreateTemp(dir, ".try-*")
	if err != nil {
		return fmt.Errorf("write into the report directory: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// held are the formats of which dir holds a report.
func held(dir string) []Format {
	var out []Format
	for _, f := range formats {
		if isReport(filepath.Join(dir, f.file)) {
			out = append(out, f.format)
		}
	}
	return out
}

// isReport says whether a file is one of kindlytest's: each format names it at its
// beginning. A folder may hold a report.md of somebody else.
func isReport(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() // it was only read
	head := make([]byte, 2048)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	return bytes.Contains(head[:n], []byte("kindlytest"))
}

// WriteFile writes one file of those that WriteFiles writes.
func WriteFile(dir string, r Report, format Format) (path string, err error) {
	name := format.File()
	if name == "" {
		return "", Write(io.Discard, r, format) // says that there is no such format
	}
	f, err := os.CreateTemp(dir, "."+name+"-*")
	if err != nil {
		return "", fmt.Errorf("create %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", name, errors.Join(err, os.Remove(f.Name())))
		}
	}()
	// It is its owner's alone, as CreateTemp makes it: a report can hold personal data.
	err = errors.Join(Write(f, r, format), f.Close())
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, name)
	if err := os.Rename(f.Name(), path); err != nil {
		return "", err
	}
	return path, nil
}
