package main

import (
	"fmt"
	"strings"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/target"
)

// applyProxy puts in what the environment says of proxies, as other programs read
// it. What kindlytest.yaml names comes before HTTP_PROXY and HTTPS_PROXY; hosts
// of NO_PROXY are called directly in any case.
func (a *app) applyProxy(t *target.Target) error {
	t.Proxy.None = a.eitherCase("NO_PROXY")
	if !t.Proxy.IsZero() {
		return nil
	}
	for name, into := range map[string]*string{"HTTP_PROXY": &t.Proxy.HTTP, "HTTPS_PROXY": &t.Proxy.HTTPS} {
		raw := a.eitherCase(name)
		if raw == "" {
			continue
		}
		if !strings.Contains(raw, "://") { // as curl takes it
			raw = "http://" + raw
		}
		if err := config.CheckProxy(raw); err != nil {
			return fmt.Errorf("the environment variable %s: %w", name, err)
		}
		*into = raw
	}
	return nil
}

// eitherCase reads a variable in capitals or small letters, of which the latter
// come first, as they do for curl.
func (a *app) eitherCase(name string) string {
	if v := a.env(strings.ToLower(name)); v != "" {
		return v
	}
	return a.env(name)
}

// applyNetwork puts in what is about reaching any target.
func (a *app) applyNetwork(t *target.Target, f *runFlags) error {
	if err := applyAuthorities(t, f.caFile); err != nil {
		return err
	}
	if err := a.applyProxy(t); err != nil {
		return err
	}
	return applyResolve(t, f.resolve)
}

func applyAuthorities(t *target.Target, path string) error {
	if path == "" {
		return nil
	}
	authorities, err := config.ReadAuthorities(config.ReadFile, path)
	if err != nil {
		return fmt.Errorf("--ca-file: %w", err)
	}
	t.Authorities = authorities
	return nil
}
