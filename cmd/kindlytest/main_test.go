package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kindlytest/kindlytest/fixtures"
	"github.com/kindlytest/kindlytest/internal/browser"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kindlytest": main})
}

// chatID is that of the tokens that scripts find in their folder.
const chatID = "6f1c8f3e-2b7a-4c59-9d1e-0a4b5c6d7e8f"

// keys are made once: that takes most of a second.
var keys = sync.OnceValues(fixtures.GenerateKeys)

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Condition: func(name string) (bool, error) {
			if name == "browser" {
				return haveBrowser(t), nil
			}
			return false, os.ErrInvalid
		},
	})
}

// haveBrowser says whether there is a Chrome; where one is required, its
// absence fails the test.
func haveBrowser(t *testing.T) bool {
	t.Helper()
	_, err := browser.Find()
	if err != nil && os.Getenv("KINDLYTEST_REQUIRE_BROWSER") == "1" {
		t.Fatal(err)
	}
	return err == nil
}

func requireBrowser(t *testing.T) {
	t.Helper()
	if !haveBrowser(t) {
		t.Skip("SKIPPED, NOT CHECKED: there is no Chrome")
	}
}

// setup gives each script a key pair and tokens, made now: a committed key
// would be a published one, and a committed token expired.
func setup(env *testscript.Env) error {
	privatePEM, publicPEM, err := keyPair()
	if err != nil {
		return err
	}
	private, err := token.ParsePrivateKey("private.pem", privatePEM)
	if err != nil {
		return err
	}
	now := time.Now()
	claims := func(expires time.Duration) jwt.MapClaims {
		return jwt.MapClaims{
			"sub": "u-4711", "name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true,
			"iat": now.Unix(), "exp": now.Add(expires).Unix(),
			"chat": map[string]any{"id": chatID, "webhook_domains": []string{"*.example.com"}},
		}
	}
	sign := func(c jwt.MapClaims) string {
		signed, signErr := jwt.NewWithClaims(jwt.SigningMethodRS256, c).SignedString(private.Private)
		if signErr != nil {
			err = signErr
		}
		return signed
	}
	good, long := sign(claims(5*time.Minute)), sign(claims(24*time.Hour))
	if err != nil {
		return err
	}
	for name, content := range map[string]string{
		"keys/private.pem": string(privatePEM), "keys/public.pem": string(publicPEM),
		"good.txt": "\n  " + good + "\n", "bearer.txt": "Bearer " + good, "long.txt": long,
		"answer.json": `{"token": "` + good + `"}`,
	} {
		path := filepath.Join(env.WorkDir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	env.Setenv("CHAT_ID", chatID)
	env.Setenv("PRIVATE_KEY", string(privatePEM))
	// Chrome finds its own settings there.
	env.Setenv("HOME", env.WorkDir)
	return nil
}

func keyPair() (private, public []byte, err error) {
	pair, err := keys()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	shop, err := fixtures.Start(ctx, fixtures.Options{Keys: pair})
	if err != nil {
		return nil, nil, err
	}
	return shop.PrivatePEM, shop.PublicPEM, shop.Close()
}

// A result is what a command line did.
type result struct {
	code           int
	stdout, stderr string
}

// runHere runs a command line in this process.
func runHere(ctx context.Context, env map[string]string, stdin string, args ...string) result {
	var stdout, stderr bytes.Buffer
	a := &app{
		stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr,
		lookupEnv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	}
	code := a.run(ctx, args)
	return result{code, stdout.String(), stderr.String()}
}
