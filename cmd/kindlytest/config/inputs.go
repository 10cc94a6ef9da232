package config

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/kindlytest/kindlytest/cmd/kindlytest/hint"
	"github.com/kindlytest/kindlytest/internal/observed"
	"github.com/kindlytest/kindlytest/internal/redact"
	"github.com/kindlytest/kindlytest/internal/wire"
	"github.com/kindlytest/kindlytest/mockkindly/token"
)

// CheckURL refuses what is not a plain http or https URL.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		// The parser's own error quotes the URL, and who knows what is in it.
		return hint.Errorf("an example: https://staging.example.com/", "it is no URL")
	case u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "":
		return schemeError(raw)
	case u.Hostname() == "":
		return hint.Errorf("an example: https://staging.example.com/", "%q names no host", redact.URL(raw))
	case u.User != nil:
		return hint.Errorf("give it as a header, from the environment: page.login.headers, or endpoint.headers, in kindlytest.yaml",
			"the URL of %s holds a password or user name, which would end up in logs", u.Hostname())
	}
	return nil
}

// CheckProxy refuses what is no URL of a proxy. It quotes nothing: a proxy's
// password stands in its URL.
func CheckProxy(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
		return hint.Errorf("an example: http://proxy.example.com:3128", "it is no URL of a proxy")
	}
	return nil
}

func schemeError(raw string) error {
	raw = redact.URL(raw)
	const text = "%q does not start with http:// or https://"
	if strings.Contains(raw, "://") {
		return hint.Errorf("give the address that a browser would open", text, raw)
	}
	scheme := "https://"
	if wire.IsLoopback("http://" + raw) {
		scheme = "http://"
	}
	return hint.Errorf("did you mean "+scheme+raw+"?", text, raw)
}

// ReadPublicKey reads the public key in a PEM file, and the file itself.
func ReadPublicKey(read func(string) ([]byte, error), path string) (*token.Key, []byte, error) {
	text, err := read(path)
	if err != nil {
		return nil, nil, fileError(path, err)
	}
	key, err := token.ParsePublicKey(path, text)
	if err != nil {
		return nil, nil, keyError(err)
	}
	return key, text, nil
}

// ReadPrivateKey reads the private key in a PEM file.
func ReadPrivateKey(read func(string) ([]byte, error), path string) (*token.PrivateKey, error) {
	text, err := read(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	key, err := token.ParsePrivateKey(path, text)
	if err != nil {
		return nil, keyError(err)
	}
	return key, nil
}

// ReadAuthorities reads the certificates of private authorities in a PEM file.
// That of a server is taken too: then nobody but this server is trusted.
func ReadAuthorities(read func(string) ([]byte, error), path string) ([]*x509.Certificate, error) {
	text, err := read(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	const way = "it should hold the certificate of your authority as PEM: -----BEGIN CERTIFICATE-----"
	var out []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, hint.Errorf(way, "%s: it holds a %s", path, strings.ToLower(block.Type))
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, hint.Errorf(way, "%s: certificate %d can't be read", path, len(out)+1)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, hint.Errorf(way, "%s: it holds no certificate", path)
	}
	return out, nil
}

// ReadObserved reads what kindlytest learn has written.
func ReadObserved(read func(string) ([]byte, error), path string) (*observed.Learnt, error) {
	text, err := read(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	l, err := observed.Parse(text)
	if err != nil {
		return nil, hint.Errorf("kindlytest learn writes such a file", "%s: %w", path, err)
	}
	return l, nil
}

// ObservedNote says that such a file is used.
func ObservedNote(path string, l *observed.Learnt) string {
	note := "using " + path + ": Kindly as " + l.By()
	if n := len(l.Contradictions()); n == 1 {
		note += "; in 1 row it is not as documented or assumed"
	} else if n > 1 {
		note += fmt.Sprintf("; in %d rows it is not as documented or assumed", n)
	}
	return note
}

func keyError(err error) error {
	var k *token.KeyError
	if !errors.As(err, &k) {
		return err
	}
	return hint.Errorf(k.Hint, "%s: %s", k.Name, k.Problem)
}

// fileError names the file once.
func fileError(path string, err error) error {
	var p *fs.PathError
	switch {
	case strings.Contains(path, "-----BEGIN"):
		return hint.Errorf("write the key to a file, and name that", "a key stands where the name of a file belongs")
	case errors.As(err, &p):
		return fmt.Errorf("%s: %w", path, p.Err)
	}
	return err
}
