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

// formats in the order in which they are offered.
var formats = []struct {
	format Format
	file   string
	write  func(io.Writer, Run) error
}{
	{JSON, "report.json", WriteJSON},
	{JUnit, "junit.xml", WriteJUnit},
	{HTML, "report.html", WriteHTML},
	{SARIF, "report.sarif", WriteSARIF},
	{Markdown, "report.md", WriteMarkdown},
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

// Write writes a finished run in a format.
func Write(w io.Writer, run Run, format Format) error {
	for _, known := range formats {
		if known.format == format {
			return known.write(w, run)
		}
	}
	return fmt.Errorf("unknown report format %q; there are %s", string(format), formatNames())
}

// WriteFiles writes a finished run into dir, one file a format, and creates dir
// if need be. A file is written beside its place and moved there when whole, so
// that no reader ever sees half a report. Only its owner may read it, and look into
// a directory that was created. It goes on after an error: the paths
// are those that were written, the error joins all that went wrong.
func WriteFiles(dir string, run Run, formats ...Format) ([]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the report directory: %w", err)
	}
	var paths []string
	var errs []error
	for _, format := range formats {
		path, err := writeFile(dir, run, format)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		paths = append(paths, path)
	}
	return paths, errors.Join(errs...)
}

// RenewFiles is WriteFiles, and writes anew as well what dir holds of the other
// formats, which would tell of an earlier run as if it were this one.
func RenewFiles(dir string, run Run, formats ...Format) ([]string, error) {
	return WriteFiles(dir, run, withHeld(dir, formats)...)
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

func writeFile(dir string, run Run, format Format) (path string, err error) {
	name := format.File()
	if name == "" {
		return "", Write(io.Discard, run, format) // says that there is no such format
	}
	return writeWhole(dir, name, func(w io.Writer) error { return Write(w, run, format) })
}

// writeWhole writes a file beside its place, and moves it there when it is whole.
func writeWhole(dir, name string, write func(io.Writer) error) (path string, err error) {
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
	err = errors.Join(write(f), f.Close())
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, name)
	if err := os.Rename(f.Name(), path); err != nil {
		return "", err
	}
	return path, nil
}
