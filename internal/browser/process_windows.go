package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"
)

func own(*exec.Cmd) {}

// connect starts Chrome with a port of Chrome's choice: Go cannot pass pipes to
// children on Windows. Chrome writes the port into its profile.
func (p *process) connect() (chromedp.Transport, error) {
	p.cmd.Args = append(p.cmd.Args, "--remote-debugging-port=0")
	if err := p.run(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(startTimeout); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		select {
		case <-p.exited:
			return nil, p.died()
		default:
		}
		b, err := os.ReadFile(filepath.Join(p.profile(), "DevToolsActivePort"))
		port, path, ok := strings.Cut(strings.TrimSpace(string(b)), "\n")
		if err == nil && ok {
			return remote.DialContext(context.Background(), "ws://127.0.0.1:"+strings.TrimSpace(port)+strings.TrimSpace(path))
		}
	}
	kill(p.cmd)
	return nil, fmt.Errorf("it opened no DevTools port within %v", startTimeout)
}

func kill(cmd *exec.Cmd) {
	_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run() // gone already, if it fails
	_ = cmd.Process.Kill()
}
