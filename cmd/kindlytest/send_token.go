package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/config"
	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/mockkindly"
	"github.com/kindlytest/kindlytest/mockkindly/allowlist"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// tokenToSend reads a token from a file. What is wrapped around it is taken
// off, and said; what is no token is refused by its name.
func (a *app) tokenToSend(ctx context.Context, path string) (token.Raw, error) {
	text, err := a.readToken(ctx, path)
	if err != nil {
		return "", err
	}
	raw, _ := tokenIn(text)
	if raw == "" {
		return "", fmt.Errorf("%s holds no token", path)
	}
	within, mistake := token.Unwrap(raw)
	if _, err := token.Decode(within); err != nil && mistake.ID != "" {
		return "", hint.Errorf(mistake.Fix, "%s holds no token: %s", path, lowerFirst(mistake.Title))
	}
	if within != raw {
		fmt.Fprintf(a.stderr, "note: %s: %s; it is sent without that, and Kindly refuses it with it\n", path, lowerFirst(mistake.Title))
	}
	return within, nil
}

func lowerFirst(s string) string {
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' || len(s) > 1 && s[1] == ' ' {
		return string(s[0]|0x20) + s[1:]
	}
	return s
}

// lifeOfMinted is how long a token lives that is made for one request.
const lifeOfMinted = 5 * time.Minute

// keyToMint is the private key to make a token with; nil if none was given. That others
// refuse what its file holds is said.
func (a *app) keyToMint(f *sendFlags) (*token.PrivateKey, error) {
	key, err := a.givenKey(f)
	if key != nil {
		if caution := key.Caution(); caution != "" {
			fmt.Fprintln(a.stderr, "note: "+printable(caution))
		}
	}
	return key, err
}

func (a *app) givenKey(f *sendFlags) (*token.PrivateKey, error) {
	given := 0
	for _, flag := range []string{f.tokenFile, f.private, f.config} {
		if flag != "" {
			given++
		}
	}
	if given > 1 {
		return nil, hint.Errorf("give one of them", "--token-file holds a token, and --private-key and --config make one")
	}
	if f.private != "" {
		key, err := config.ReadPrivateKey(os.ReadFile, f.private)
		if err != nil {
			return nil, fmt.Errorf("--private-key: %w", err)
		}
		return key, nil
	}
	if f.config == "" {
		return nil, nil
	}
	c, err := config.Load(f.config, a.lookupEnv)
	switch {
	case err != nil:
		return nil, fmt.Errorf("--config: %w", err)
	case c.Target.PrivateKey == nil:
		return nil, hint.Errorf("name the key by --private-key, or as private_key in the file", "--config: %s has no private_key", f.config)
	}
	return c.Target.PrivateKey, nil
}

// mint makes a token with the key, if there is one.
func mint(key *token.PrivateKey, given token.Raw, chatID, webhookURL string) (token.Raw, error) {
	if key == nil {
		return given, nil
	}
	domains := []string{}
	if pattern, err := allowlist.Cover(webhookURL); err == nil {
		domains = append(domains, pattern)
	} // otherwise the token goes nowhere, and the delivery says why
	now := time.Now()
	return mockkindly.Mint(key, map[string]any{
		"iat": now.Unix(), "exp": now.Add(lifeOfMinted).Unix(), "iss": "kindlytest", "sub": "kindlytest-send", "name": "Kindlytest Send",
		"chat": map[string]any{"id": chatID, "webhook_domains": domains},
	})
}

// chatOf is the chat that a payload of the user's own tells of, if any.
func chatOf(body []byte) string {
	var p struct {
		ChatID string `json:"chat_id"`
	}
	if json.Unmarshal(body, &p) != nil {
		return ""
	}
	return p.ChatID
}
