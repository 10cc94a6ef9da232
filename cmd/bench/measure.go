package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/kindlytest/kindlytest/internal/figures"
)

// median is the middle one, or the mean of the two in the middle.
func median(all []float64) float64 {
	s := slices.Sorted(slices.Values(all))
	if len(s) == 0 {
		return 0
	}
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// A contestant is one side of a comparison; measure returns a figure.
type contestant func(context.Context) (float64, error)

// takeTurns measures each contestant `turns` times, one after another, so that
// a busy machine slows all of them. It returns their medians.
func takeTurns(ctx context.Context, turns int, all ...contestant) ([]float64, error) {
	figures := make([][]float64, len(all))
	for turn := range turns {
		for i := range all {
			i = (i + turn) % len(all) // nobody is always first
			f, err := all[i](ctx)
			if err != nil {
				return nil, err
			}
			figures[i] = append(figures[i], f)
		}
	}
	medians := make([]float64, len(all))
	for i := range all {
		medians[i] = median(figures[i])
	}
	return medians, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// A server is a program that listens on an address.
type server struct {
	cmd     *exec.Cmd
	address string
	said    strings.Builder
}

// serve starts a program; "ADDRESS" in its arguments stands for a free one.
func serve(ctx context.Context, env []string, name string, args ...string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	args = slices.Clone(args)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "ADDRESS", address)
	}
	s := &server{cmd: exec.CommandContext(ctx, name, args...), address: address}
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stderr = &s.said
	return s, s.cmd.Start()
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// answered waits for the first answer.
func (s *server) answered(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+path, nil)
	if err != nil {
		return err
	}
	for {
		res, err := http.DefaultClient.Do(r)
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			return cmp.Or(err, res.Body.Close())
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s does not answer: %w %s", s.cmd.Path, err, s.said.String())
		}
		time.Sleep(200 * time.Microsecond)
	}
}

// stop ends the program in good order.
func (s *server) stop() error {
	http.DefaultClient.CloseIdleConnections()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	_ = s.cmd.Wait() // a signal's exit code
	return nil
}

// memory is what the program occupies now, in MB.
func (s *server) memory() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	return figures.Status(string(text), "VmRSS:"), err
}
