package config

import (
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ReadFile reads a file that a user has named, of at most 1 MB: a wrong name can
// be that of something endless. A pipe is fine, as a shell's <(command) is one.
func ReadFile(path string) ([]byte, error) { return readFile(path, maxSize) }

func readFile(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > most {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("it is larger than %d KB", most>>10)}
	}
	return text, nil
}
