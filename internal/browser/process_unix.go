//go:build !windows

package browser

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"github.com/chromedp/chromedp"
)

// own makes Chrome the leader of a process group, so that it can be killed with
// its children.
func own(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// connect starts Chrome with a pipe for DevTools: no port that others could
// connect to, and a Chrome that ends by itself should this process be killed.
func (p *process) connect() (chromedp.Transport, error) {
	theirR, ourW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	ourR, theirW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirR.Close(), ourW.Close())
	}
	p.cmd.Args = append(p.cmd.Args, "--remote-debugging-pipe")
	p.cmd.ExtraFiles = append([]*os.File{theirR, theirW}, p.locks...) // Chrome reads 3 and writes 4
	err = p.run()
	theirR.Close()
	theirW.Close()
	if err != nil {
		ourR.Close()
		ourW.Close()
		return nil, err
	}
	return chromedp.NewPipeConn(newBoundedPipe(ourR, maxMessage), ourW), nil
}

func kill(cmd *exec.Cmd) {
	// ESRCH: it is gone already.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}
