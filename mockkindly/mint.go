package mockkindly

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// mintFor makes a token in another state from the chat's own, with the
// customer's private key. It does not ask whether the token may go anywhere.
func (k *Kindly) mintFor(e Event, state TokenState) (raw token.Raw, reason string, err error) {
	if k.opts.SigningKey == nil {
		way := "Give the private key of a test environment (--private-key)."
		if state == TokenOtherChat {
			way = "Open the page in another window, so that there is another authenticated chat, or give the private key (--private-key)."
		}
		return "", "", &ResendError{"There is no such token. " + way}
	}
	chat, ok := k.Chat(e.Chat)
	if !ok || chat.Token == "" {
		return "", "", &ResendError{"The chat has no token whose claims could be taken."}
	}
	claims, err := claimsOf(chat.Token)
	if err != nil {
		return "", "", &ResendError{"The chat's token is not readable."}
	}
	switch state {
	case TokenExpired:
		now := k.Now()
		claims["iat"], claims["exp"] = now.Add(-10*time.Minute).Unix(), now.Add(-5*time.Minute).Unix()
		reason = "Sent again with a token that expired five minutes ago."
	case TokenOtherChat:
		other, err := k.ids.uuid()
		if err != nil {
			return "", "", err
		}
		of, _ := claims["chat"].(map[string]any)
		claims["chat"] = map[string]any{"id": other, "webhook_domains": of["webhook_domains"]}
		reason = "Sent again with a token of another chat, " + other + "."
	}
	raw, err = Mint(k.opts.SigningKey, claims)
	return raw, reason, err
}

func claimsOf(raw token.Raw) (map[string]any, error) {
	parts := strings.Split(raw.Secret(), ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("not three parts")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var claims map[string]any
	err = d.Decode(&claims)
	if claims == nil {
		claims = map[string]any{}
	}
	return claims, err
}

// Mint makes a JWT (RS256) with the key of a test environment.
func Mint(key *token.PrivateKey, claims map[string]any) (token.Raw, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("making a token: %w", err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	input := enc([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc(payload)
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key.Private, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return token.Raw(input + "." + enc(signature)), nil
}
