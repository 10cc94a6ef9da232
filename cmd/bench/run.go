package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/browser"
)

// measureRun compares all checks, with browser, with the script of 20 checks
// that a team would write instead, against the same shop.
func measureRun(ctx context.Context, b *bench) error {
	shop, err := fixtures.Start(ctx, fixtures.Options{})
	if err != nil {
		return err
	}
	defer shop.Close()
	config, err := b.writeConfig("run.yaml", shop)
	if err != nil {
		return err
	}
	script, err := b.installScript(ctx)
	if err != nil {
		return err
	}
	took, err := takeTurns(ctx, 5,
		func(ctx context.Context) (float64, error) { return runScript(ctx, script, shop) },
		func(ctx context.Context) (float64, error) { return b.checkAll(ctx, config) })
	if err != nil {
		return err
	}
	b.table.AtMost(1.3, "×", "all checks, of a Playwright script of 20", took[1]/took[0], "%.0f and %.0f ms", took[1], took[0])
	return nil
}

// checkAll runs every check and returns how long that took, in ms.
func (b *bench) checkAll(ctx context.Context, config string, args ...string) (float64, error) {
	return timed(exec.CommandContext(ctx, b.path("kindlytest"),
		append([]string{"run", "-c", config, "-q", "--report-dir", b.path("reports")}, args...)...))
}

func timed(cmd *exec.Cmd) (float64, error) {
	start := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, out)
	}
	return milliseconds(time.Since(start)), nil
}

// installScript copies the script and installs Playwright, without a browser.
func (b *bench) installScript(ctx context.Context) (string, error) {
	dir := b.path("script")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("cmd", "bench", "testdata", "script"))); err != nil {
		return "", err
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("installing Playwright: %w\n%s", err, out)
	}
	return dir, nil
}

func runScript(ctx context.Context, dir string, shop *fixtures.Customer) (float64, error) {
	chrome, err := browser.Find()
	if err != nil {
		return 0, err
	}
	hook := shop.Webhooks[0]
	told, err := json.Marshal(map[string]any{
		"page": shop.PageURL, "login": shop.LoginURL, "mark": shop.AccountMark, "endpoint": shop.EndpointURL,
		"email": shop.Users[0].Email, "password": shop.Users[0].Password,
		"publicKey": string(shop.PublicPEM), "privateKey": string(shop.PrivatePEM),
		"webhooks": []map[string]string{{"url": hook.LocalURL, "public": hook.PublicURL, "secret": hook.Secret, "message": hook.Message}},
		"chrome":   chrome, "root": os.Geteuid() == 0,
	})
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, "node", "--test")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SHOP="+string(told))
	return timed(cmd)
}

// writeConfig writes the kindlytest.yaml of a shop, in YAML's JSON form.
func (b *bench) writeConfig(name string, shop *fixtures.Customer) (string, error) {
	config, err := b.describe(shop)
	if err != nil {
		return "", err
	}
	config["version"] = 1
	return b.writeJSON(name, config)
}

func (b *bench) writeJSON(name string, v any) (string, error) {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return "", err
	}
	return b.path(name), os.WriteFile(b.path(name), text, 0o600)
}

// describe is what the shop's developers would write into kindlytest.yaml.
func (b *bench) describe(shop *fixtures.Customer) (map[string]any, error) {
	err := errors.Join(
		os.WriteFile(b.path("shop-public.pem"), shop.PublicPEM, 0o600),
		os.WriteFile(b.path("shop-private.pem"), shop.PrivatePEM, 0o600))
	var hooks []map[string]any
	for _, h := range shop.Webhooks {
		hooks = append(hooks, map[string]any{
			"name": h.Name, "url": h.PublicURL, "connect_to": h.LocalURL, "hmac_secret": h.Secret, "message": h.Message,
		})
	}
	return map[string]any{
		"bot":         map[string]any{"key": shop.BotKey, "public_key": "shop-public.pem"},
		"private_key": "shop-private.pem",
		"page":        map[string]any{"url": shop.PageURL, "login": login(shop, 0), "second_login": login(shop, 1)},
		"webhooks":    hooks,
	}, err
}

func login(shop *fixtures.Customer, user int) []map[string]any {
	u := shop.Users[user]
	return []map[string]any{
		{"goto": shop.LoginURL},
		{"fill": map[string]string{"#email": u.Email, "#password": u.Password}},
		{"click": "button[type=submit]"},
		{"wait_for": shop.AccountMark},
	}
}
