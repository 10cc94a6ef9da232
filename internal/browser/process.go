package browser

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/chromedp"
)

// A process is a Chrome that we started and must end.
type process struct {
	cmd    *exec.Cmd
	dirs   []string // everything that it writes is below these folders
	locks  []*os.File
	exited chan struct{}
	output tail

	stopSweep func()
}

// startProcess makes Chrome's folders below base, runs it, and connects to it.
// On an error nothing is left.
func startProcess(path, base string, o Options, more ...string) (*process, chromedp.Transport, error) {
	p := &process{exited: make(chan struct{})}
	tmp, err := p.makeDirs(base)
	p.stopSweep = startSweep(p.parents()...)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("making a folder for Chrome: %w", err), p.removeDirs())
	}
	args := flags(o, p.profile(), more...)
	p.cmd = exec.Command(path, args...)
	p.cmd.Env = append(environment(p.cmd.Environ()), "TMPDIR="+tmp, "TMP="+tmp, "TEMP="+tmp)
	p.cmd.Stderr = &p.output
	// Wait ends when the last process that holds stderr is gone: Chrome's children
	// do. Zombies that no init reaps hold nothing.
	p.cmd.WaitDelay = time.Second
	own(p.cmd)
	transport, err := p.connect()
	if err != nil {
		err = fmt.Errorf("starting the browser %s: %w", path, err)
		return nil, nil, errors.Join(err, p.removeDirs())
	}
	return p, transport, nil
}

// maxSocketDir is how long the path of a folder may be in which Chrome makes a
// socket: the path of a socket is at most 104 bytes (macOS; Linux: 108), and
// Chrome adds "/org.chromium.Chromium.<six letters>/SingletonSocket".
const maxSocketDir = 104 - 46 - 1

// folderPrefix begins the names of Chrome's folders, with digits after it.
const folderPrefix = "kt-"

// makeDirs makes the folder for the profile, and the one for temporary files,
// where Chrome leaves things when it is killed: the same one, unless its path is
// too long for a socket.
func (p *process) makeDirs(base string) (tmp string, err error) {
	for _, parent := range []string{base, "/tmp"} {
		dir, err := os.MkdirTemp(parent, folderPrefix)
		if err != nil {
			return "", err
		}
		p.dirs = append(p.dirs, dir)
		if lock := lockDir(dir); lock != nil {
			p.locks = append(p.locks, lock)
		}
		if len(dir) <= maxSocketDir || runtime.GOOS == "windows" {
			return dir, nil
		}
	}
	return p.dirs[1], nil
}

// parents are the folders that ours are in.
func (p *process) parents() []string {
	var out []string
	for _, dir := range p.dirs {
		out = append(out, filepath.Dir(dir))
	}
	return out
}

func (p *process) profile() string { return filepath.Join(p.dirs[0], "p") }

// removeDirs tries for a second: a dying child may still make a file meanwhile.
func (p *process) removeDirs() error {
	p.stopSweep()
	defer func() {
		for _, lock := range p.locks {
			lock.Close()
		}
	}()
	var errs []error
	for _, dir := range p.dirs {
		err := os.RemoveAll(dir)
		for wait := time.Millisecond; err != nil && wait < time.Second; wait *= 2 {
			time.Sleep(wait)
			err = os.RemoveAll(dir)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("removing the browser's folder: %w", err)
	}
	return nil
}

// run starts the command and waits for its end in the background.
func (p *process) run() error {
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = p.cmd.Wait() // killed, mostly; a failed start shows in the output
		close(p.exited)
	}()
	return nil
}

// end kills Chrome with all its children, waits for them, and removes the folders.
func (p *process) end() error {
	kill(p.cmd)
	<-p.exited
	return p.removeDirs()
}

// died is the error of a Chrome that did not come up.
func (p *process) died() error {
	said := p.output.String()
	if said == "" {
		return errors.New("it ended without a word")
	}
	return fmt.Errorf("it ended, saying:\n%s", said)
}

// A tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const (
	tailSize  = 4 << 10
	tailLines = 12
)

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - tailSize; over > 0 {
		t.buf = append([]byte(nil), t.buf[over:]...)
	}
	return len(p), nil
}

// String returns the last lines.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(t.buf), "?")), "\n")
	if over := len(lines) - tailLines; over > 0 {
		lines = lines[over:]
	}
	return strings.Join(lines, "\n")
}
