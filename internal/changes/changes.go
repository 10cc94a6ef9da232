// Package changes tells when files of a project change, leaving out what git
// ignores.
//
//	w, err := changes.Watch(ctx, []string{"."}, "kindlytest-reports")
//	if err != nil { … }
//	defer w.Close()
//	for paths := range w.Changed { … }
package changes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quiet is how long nothing more may change until what changed is told: an editor
// writes a file in several steps.
const quiet = 30 * time.Millisecond

// everything is told where so much has changed that nobody knows what.
const everything = "."

// A Watcher watches folders and files.
type Watcher struct {
	// Changed gets the paths that have changed, sorted, when they have come to rest.
	// It is closed when the watcher is.
	Changed <-chan []string

	notify *fsnotify.Watcher
	ignore *ignored
	// files are watched by themselves, and folders with all that is in them. (An
	// editor replaces a file: only its folder tells of that.)
	files, folders map[string]bool
}

// ErrTooMany is the error of a system that watches no more folders.
var ErrTooMany = errors.New("the system watches no more folders (on Linux: fs.inotify.max_user_watches)")

// Watch watches paths, folders with all below them, until ctx is done or Close is
// called. What git ignores is left out, and what lies in one of the folders
// besides; where there is no git, folders that begin with a dot and node_modules.
func Watch(ctx context.Context, paths []string, besides ...string) (*Watcher, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	changed := make(chan []string)
	w := &Watcher{Changed: changed, notify: notify, ignore: newIgnored(ctx, paths, besides), files: map[string]bool{}, folders: map[string]bool{}}
	for _, path := range paths {
		if err := w.add(path); err != nil {
			return nil, errors.Join(err, notify.Close())
		}
	}
	go w.gather(ctx, changed)
	return w, nil
}

// Close ends the watching.
func (w *Watcher) Close() error { return w.notify.Close() }

// add watches a folder with all below it, or a file.
func (w *Watcher) add(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	return filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && p == path:
			return err
		case err != nil: // it has gone meanwhile, or is not ours to read
			return nil
		case p == path && !d.IsDir():
			w.files[p] = true
			return w.watch(filepath.Dir(p))
		case !d.IsDir():
			return nil
		case p != path && w.ignore.folder(p):
			return filepath.SkipDir
		}
		w.folders[p] = true
		return w.watch(p)
	})
}

func (w *Watcher) watch(folder string) error {
	err := w.notify.Add(folder)
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EMFILE):
		return ErrTooMany
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("watch %s: %w", folder, err)
	}
	return nil
}

// gather tells of changes when they have come to rest.
func (w *Watcher) gather(ctx context.Context, changed chan<- []string) {
	defer close(changed)
	var paths []string
	rest := time.NewTimer(time.Hour)
	rest.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-w.notify.Errors: // an overflow: something has changed, nobody knows what
			if !ok {
				return
			}
			paths = append(paths, everything)
			rest.Reset(quiet)
		case e, ok := <-w.notify.Events:
			if !ok {
				return
			}
			if e.Op == fsnotify.Chmod {
				continue
			}
			if e.Has(fsnotify.Create) && w.folders[filepath.Dir(e.Name)] {
				w.addNew(ctx, e.Name)
			}
			paths = append(paths, e.Name)
			rest.Reset(quiet)
		case <-rest.C:
			told := w.told(ctx, paths)
			paths = nil
			if len(told) == 0 {
				continue
			}
			select {
			case changed <- told:
			case <-ctx.Done():
				return
			}
		}
	}
}

// addNew watches a folder that was made. Where that fails, the rest is watched
// all the same.
func (w *Watcher) addNew(ctx context.Context, path string) {
	if info, err := os.Lstat(path); err == nil && info.IsDir() && len(w.ignore.leave(ctx, []string{path})) > 0 {
		_ = w.add(path)
	}
}

// told are the paths that count, each once.
func (w *Watcher) told(ctx context.Context, paths []string) []string {
	slices.Sort(paths)
	paths = slices.DeleteFunc(slices.Compact(paths), func(p string) bool {
		return temporary(filepath.Base(p)) || p != everything && !w.files[p] && !w.folders[filepath.Dir(p)]
	})
	return w.ignore.leave(ctx, paths)
}

// temporary says whether a name is one that editors give to files for a moment.
func temporary(name string) bool {
	return strings.HasSuffix(name, "~") || strings.HasSuffix(name, ".swp") || strings.HasSuffix(name, ".swx") ||
		strings.HasPrefix(name, ".#") || name == "4913"
}
