package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// Bounds of a key, in bits: RFC 7518 requires 2048 for RS256, and more than
// 8192 makes every token slow.
const (
	minBits = 2048
	maxBits = 8192
)

func newKeygen(a *app) *cobra.Command {
	var bits int
	var force bool
	cmd := &cobra.Command{
		Use:   "keygen [DIRECTORY]",
		Short: "Make a key pair to sign tokens with",
		Long: `Writes private.pem (readable by you only) and public.pem into DIRECTORY, or here.
It is the same as the commands that Kindly documents:

  openssl genrsa -out private.pem 2048
  openssl rsa -in private.pem -outform PEM -pubout -out public.pem`,
		Example: `  kindlytest keygen
  kindlytest keygen secrets --bits 3072`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return hint.Errorf("usage: "+cmd.UseLine(), "%s wants one directory, and got %q too", cmd.CommandPath(), args[1])
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if bits < minBits || bits > maxBits || bits%8 != 0 {
				return fmt.Errorf("--bits must be from %d to %d and a multiple of 8, not %d", minBits, maxBits, bits)
			}
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return a.keygen(dir, bits, force)
		},
	}
	cmd.Flags().IntVar(&bits, "bits", minBits, "size of the key")
	cmd.Flags().BoolVar(&force, "force", false, "replace files that are there already")
	return cmd
}

func (a *app) keygen(dir string, bits int, force bool) error {
	private, public := filepath.Join(dir, "private.pem"), filepath.Join(dir, "public.pem")
	if !force {
		for _, path := range []string{private, public} {
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				return hint.Errorf("name another directory; --force replaces it, and tokens signed with the old key are refused from then on",
					"%s is there already", path)
			}
		}
	}
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	privateDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode the private key: %w", err)
	}
	publicDER, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return fmt.Errorf("encode the public key: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	if err := writeKey(private, "PRIVATE KEY", privateDER, 0o600); err != nil {
		return err
	}
	if err := writeKey(public, "PUBLIC KEY", publicDER, 0o644); err != nil {
		return err
	}
	fingerprint := token.NewKey("", &key.PublicKey).Fingerprint
	_, err = fmt.Fprintf(a.stdout, `%s  keep it secret: your auth endpoint signs tokens with it. Never commit it.
%s  paste it into Kindly: Settings → Kindly Chat → Authentication.
fingerprint (SHA-256 of the public key): %s
`, private, public, fingerprint)
	return err
}

// writeKey writes a PEM file beside its place and moves it there when whole: a
// private key is never readable by others, not even for a moment.
func writeKey(path, label string, der []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
		}
	}()
	if err := errors.Join(pem.Encode(f, &pem.Block{Type: label, Bytes: der}), f.Chmod(mode), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
