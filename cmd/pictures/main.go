// Command pictures takes the README's pictures, of a real run against the built-in
// shop with a fault, and of a real chat:
//
//	go run ./cmd/pictures bin/kindlytest docs/pictures
//
// It writes terminal.svg, report.png and console.png. Nothing of the machine is in
// them but ports.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/reports"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) != 2 {
		return errors.New("usage: pictures PROGRAM DIRECTORY")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "kindlytest-pictures-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.MkdirAll(args[1], 0o755); err != nil {
		return err
	}
	program, err := filepath.Abs(args[0])
	if err != nil {
		return err
	}
	chrome, err := browser.Launch(ctx, browser.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, chrome.Close()) }()
	a := &album{dir: args[1], chrome: chrome}
	if err := a.takeRun(ctx, program, dir); err != nil {
		return err
	}
	return a.takeConsole(ctx, program, dir)
}

// An album is where the pictures go, and what takes them.
type album struct {
	dir    string
	chrome *browser.Browser
}

// fault is the mistake that the shop makes: its report fits on a screen.
const fault = "alg-none-accepted"

// takeRun pictures what a run prints and reports.
func (a *album) takeRun(ctx context.Context, program, dir string) error {
	cmd := exec.CommandContext(ctx, program, "demo", "--fault", fault, "--report-dir", dir, "--format", "json,html", "--quiet")
	cmd.Dir = dir
	var failed *exec.ExitError
	if out, err := cmd.CombinedOutput(); !errors.As(err, &failed) || failed.ExitCode() != 1 {
		return fmt.Errorf("the run did not fail as it should: %w\n%s", err, out)
	}
	f, err := os.Open(filepath.Join(dir, reports.JSON.File()))
	if err != nil {
		return err
	}
	defer f.Close() // it was only read
	run, err := reports.ReadJSON(f)
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := (&reports.Terminal{W: &text, Color: true, Width: columns, NoFiles: true}).Finish(run); err != nil {
		return err
	}
	svg := terminal("kindlytest demo --fault "+fault, text.String())
	if err := os.WriteFile(filepath.Join(a.dir, "terminal.svg"), []byte(svg), 0o644); err != nil {
		return err
	}
	page := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer page.Close()
	return a.take(ctx, "report.png", page.URL+"/report.html")
}

// takeConsole pictures the console of kindlytest serve after a chat with a sound shop.
func (a *album) takeConsole(ctx context.Context, program, dir string) error {
	shop, err := fixtures.Start(ctx, fixtures.Options{})
	if err != nil {
		return err
	}
	defer shop.Close()
	if err := os.WriteFile(filepath.Join(dir, "public.pem"), shop.PublicPEM, 0o600); err != nil {
		return err
	}
	hook := shop.Webhooks[0]
	m, err := startMock(ctx, dir, hook.Secret, program, "serve", "--listen", "127.0.0.1:0", "--public-key", "public.pem",
		"--webhook", hook.Name+"="+hook.PublicURL+"="+hook.LocalURL, "--quiet")
	if err != nil {
		return err
	}
	defer m.stop()
	ada := shop.Users[0]
	user, err := a.chrome.NewUser(ctx, browser.Login{Steps: []browser.Step{
		{Goto: shop.LoginURL},
		{Fill: []browser.Field{{Selector: "#email", Value: ada.Email}, {Selector: "#password", Value: ada.Password}}},
		{Click: "button[type=submit]"},
		{WaitFor: shop.AccountMark},
	}})
	if err != nil {
		return err
	}
	defer user.Close()
	page, err := user.Visit(ctx, shop.PageURL, httputil.NewSingleHostReverseProxy(m.base)) // as if it were Kindly
	if err != nil {
		return err
	}
	defer page.Close()
	accepted, err := m.wait(ctx, "token.accepted")
	if err != nil {
		return err
	}
	message, err := json.Marshal(map[string]string{"text": hook.Message})
	if err != nil {
		return err
	}
	if err := m.call(ctx, http.MethodPost, "/mock/v1/chats/"+accepted.Chat+"/messages", bytes.NewReader(message), nil); err != nil {
		return err
	}
	delivered, err := m.wait(ctx, "webhook.delivered")
	if err != nil {
		return err
	}
	return a.take(ctx, "console.png", fmt.Sprintf("%s/#/event/%d", m.base, delivered.Seq))
}

// take pictures a page as it is when it has come to rest.
func (a *album) take(ctx context.Context, name, url string) error {
	user, err := a.chrome.NewUser(ctx, browser.Login{})
	if err != nil {
		return err
	}
	defer user.Close()
	page, err := user.Visit(ctx, url, nil)
	if err != nil {
		return err
	}
	defer page.Close()
	if err := page.Show(ctx, browser.Screen{Width: 1200, Height: 760}); err != nil {
		return err
	}
	page.Settle(ctx)
	picture, err := page.Picture(ctx)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(a.dir, name), picture, 0o644)
}
