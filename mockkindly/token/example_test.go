package token_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/kindlytest/kindlytest/mockkindly/token"
)

func ExampleCheck() {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		fmt.Println(err)
		return
	}
	raw := sign(private, `{"alg":"RS256"}`,
		`{"iss":"shop","sub":"u-1","iat":1893553445,"exp":1893555245,"avatar":"https://shop.example/1.png","chat":{"id":"c-1"}}`)

	result := token.Check(raw, token.Expect{
		Keys:   []*token.Key{token.NewKey("public.pem", &private.PublicKey)},
		ChatID: "c-1",
		Now:    time.Unix(1893553446, 0),
	})
	fmt.Println(result)
	// Output:
	// refused
	// MUST TOK-EXP-MAX: exp is 1800 s after iat, expected at most 900 s
	// SHOULD TOK-CLAIM-NAMES: Kindly ignores "avatar" (meant is picture), expected the names that Kindly reads
}

func ExampleDecode() {
	raw := token.Raw("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1LTEiLCJjaGF0Ijp7ImlkIjoiYy0xIn19.c2VjcmV0")
	tok, err := token.Decode(raw)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tok.Subject(), tok.ChatID(), tok.Claims.Get("chat"))
	fmt.Println(raw)
	// Output:
	// u-1 c-1 {"id":"c-1"}
	// eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1LTEiLCJjaGF0Ijp7ImlkIjoiYy0xIn19.<signature removed>
}

func ExampleParsePublicKey() {
	_, err := token.ParsePublicKey("public.pem", []byte("ssh-rsa AAAAB3NzaC1yc2E ada@laptop"))
	fmt.Println(err)
	// Output:
	// public.pem: it is an SSH public key; convert an RSA one with: ssh-keygen -e -m PKCS8 -f key.pub > public.pem
}

func sign(private *rsa.PrivateKey, header, payload string) token.Raw {
	enc := base64.RawURLEncoding.EncodeToString
	text := enc([]byte(header)) + "." + enc([]byte(payload))
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return token.Raw(text + "." + enc(signature))
}
