package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
)

// A mock is a kindlytest serve that runs.
type mock struct {
	base *url.URL
	cmd  *exec.Cmd
}

var address = regexp.MustCompile(`^Kindly is at (http://\S+)`)

// startMock starts it in a folder; secret is that of its webhook.
func startMock(ctx context.Context, dir, secret, program string, args ...string) (*mock, error) {
	m := &mock{cmd: exec.CommandContext(ctx, program, args...)}
	m.cmd.Dir, m.cmd.Env = dir, append(m.cmd.Environ(), "KINDLYTEST_HMAC_SECRET="+secret)
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			go io.Copy(io.Discard, out)
			m.base, err = url.Parse(found[1])
			return m, err
		}
	}
	m.stop()
	return nil, fmt.Errorf("kindlytest %s did not start", args[0])
}

func (m *mock) stop() {
	_ = m.cmd.Process.Kill() // it keeps nothing
	_ = m.cmd.Wait()
}

// An event is what the pictures need to know of one.
type event struct {
	Seq  uint64 `json:"seq"`
	Chat string `json:"chat"`
}

// wait waits for the first event of a kind.
func (m *mock) wait(ctx context.Context, kind string) (event, error) {
	var answer struct {
		Event event `json:"event"`
	}
	err := m.call(ctx, http.MethodGet, "/mock/v1/wait?timeout_ms=30000&kind="+kind, nil, &answer)
	return answer.Event, err
}

func (m *mock) call(ctx context.Context, method, path string, body io.Reader, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, m.base.String()+path, body)
	if err != nil {
		return err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close() // read to its end, or of no interest
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, res.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(into)
}
