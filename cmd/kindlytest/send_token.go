package main

import (
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
func (a *app) tokenToSend(path string) (token.Raw, error) {
	text, err := a.readToken(path)
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

// mint makes a token where a private key is given.
func (f *sendFlags) mint(given token.Raw, chatID, webhookURL string) (token.Raw, error) {
	if f.private == "" {
		return given, nil
	}
	key, err := config.ReadPrivateKey(os.ReadFile, f.private)
	if err != nil {
		return "", fmt.Errorf("--private-key: %w", err)
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
