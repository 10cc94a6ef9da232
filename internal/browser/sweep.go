//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package browser

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"runtime"
	"sync"
	"syscall"
)

// A process that is killed cannot remove Chrome's folder; a later one does, as
// a courtesy: what fails here is not told.
//
// Each folder holds a file that its owner, and Chrome, keep locked (flock) as
// long as they live. The kernel knows about that among all users and containers,
// where a process id would be a guess. Who gets the lock may remove the folder.
// The file comes into the folder locked, and goes last, so a folder is never
// without its owner's lock while it could be taken for a left one; one whose
// owner is killed before that stays, empty.

// madeHere are the names that os.MkdirTemp makes of folderPrefix.
var madeHere = regexp.MustCompile(`^` + folderPrefix + `[0-9]+$`)

// lockName names the running kernel: a lock is seen by the processes of one
// kernel, and not always by those of a virtual machine that shares the folder.
var lockName = sync.OnceValue(func() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id") // Linux
	if err != nil {
		host, _ := os.Hostname() // "" is a name, too
		id = []byte(host)
	}
	sum := sha256.Sum256(id)
	return "kindlytest-" + hex.EncodeToString(sum[:8]) + ".lock"
})

// lockDir marks a new folder as ours until the file is closed. It returns nil
// where that is not possible: then nobody sweeps the folder.
func lockDir(dir string) *os.File {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil
	}
	defer root.Close()
	const unlocked = "lock" // no sweeper looks for this
	f, err := root.OpenFile(unlocked, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil
	}
	if flock(f) != nil || root.Rename(unlocked, lockName()) != nil {
		f.Close()
		return nil
	}
	return f
}

func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EINTR {
			runtime.KeepAlive(f)
			return err
		}
	}
}

// startSweep sweeps the folders in the background, until stop is called, which
// waits.
func startSweep(bases ...string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, base := range bases {
			sweep(ctx, base)
		}
	}()
	return func() { cancel(); <-done }
}

// sweep removes from base the folders whose owners are dead.
func sweep(ctx context.Context, base string) {
	root, err := os.OpenRoot(base)
	if err != nil {
		return
	}
	defer root.Close()
	for _, name := range candidatesIn(ctx, root) {
		if ctx.Err() != nil {
			return
		}
		removeIfDead(root, name)
	}
}

// candidatesIn lists the names that may be ours. A folder for temporary files
// may be very full: nothing but names is asked for.
func candidatesIn(ctx context.Context, root *os.Root) []string {
	all, err := root.Open(".")
	if err != nil {
		return nil
	}
	defer all.Close()
	var ours []string
	for err == nil && ctx.Err() == nil {
		var names []string
		names, err = all.Readdirnames(1000)
		for _, name := range names {
			if madeHere.MatchString(name) {
				ours = append(ours, name)
			}
		}
	}
	return ours
}

func removeIfDead(root *os.Root, name string) {
	dir := openOurs(root, name)
	if dir == nil {
		return
	}
	defer dir.Close()
	lock, err := dir.OpenFile(lockName(), os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer lock.Close()
	if flock(lock) != nil || !isStill(dir, lockName(), lock) {
		return // its owner lives, or another sweeper was quicker
	}
	empty(dir, lockName())
	_ = root.Remove(name) // fails if it is not empty
}

// openOurs opens a folder if it is a real one, made by this user for nobody
// else: what is in it is then this user's doing. Otherwise it returns nil.
func openOurs(root *os.Root, name string) *os.Root {
	named, err := root.Lstat(name)
	if err != nil || !named.IsDir() || named.Mode().Perm()&0o077 != 0 {
		return nil
	}
	if stat, ok := named.Sys().(*syscall.Stat_t); !ok || int(stat.Uid) != os.Geteuid() {
		return nil
	}
	dir, err := root.OpenRoot(name)
	if err != nil {
		return nil
	}
	if opened, err := dir.Stat("."); err != nil || !os.SameFile(opened, named) { // exchanged meanwhile
		dir.Close()
		return nil
	}
	return dir
}

func isStill(dir *os.Root, name string, f *os.File) bool {
	opened, err := f.Stat()
	if err != nil || !opened.Mode().IsRegular() {
		return false
	}
	named, err := dir.Lstat(name)
	return err == nil && os.SameFile(opened, named)
}

// empty removes all from a folder, and the last file only when nothing else is
// left: who is killed meanwhile leaves what can be swept.
func empty(dir *os.Root, last string) {
	all, err := dir.Open(".")
	if err != nil {
		return
	}
	entries, err := all.ReadDir(-1)
	all.Close()
	for _, e := range entries {
		if e.Name() != last && err == nil {
			err = dir.RemoveAll(e.Name())
		}
	}
	if err == nil {
		_ = dir.Remove(last)
	}
}
