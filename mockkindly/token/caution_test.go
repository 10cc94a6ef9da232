package token

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCautionOfAPrivateKeyIsAboutWhoSigns(t *testing.T) {
	text := pemText(labelPKCS1Private, x509.MarshalPKCS1PrivateKey(keys().private), nil)
	key, err := ParsePrivateKey("private.pem", []byte(strings.ReplaceAll(text, "\n", `\n`)))
	if err != nil {
		t.Fatal(err)
	}
	if said := key.Caution(); !strings.Contains(said, "program that signs") || !strings.Contains(said, `written as \n`) || strings.Contains(said, "Kindly") {
		t.Errorf("said is %q", said)
	}
}

// TestWhatOpensslRefusesIsSaid: a key that is read here, and refused by openssl,
// is said to be one that Kindly may refuse; one that openssl takes, and writes
// so, is not.
func TestWhatOpensslRefusesIsSaid(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl here")
	}
	spki := pemText(labelSPKI, spkiDER(keys().key.Public), nil)
	for name, text := range map[string]string{
		"as openssl writes it":  spki,
		"CRLF":                  strings.ReplaceAll(spki, "\n", "\r\n"),
		"one long line":         oneLine(spki),
		"a byte order mark":     "\ufeff" + spki,
		"CR":                    strings.ReplaceAll(spki, "\n", "\r"),
		`literal \n`:            strings.ReplaceAll(spki, "\n", `\n`),
		`literal \\n`:           strings.ReplaceAll(spki, "\n", `\\n`),
		"spaces for line ends":  strings.ReplaceAll(strings.TrimSpace(spki), "\n", " "),
		"no line ends":          strings.ReplaceAll(spki, "\n", ""),
		"indented":              "  " + strings.ReplaceAll(spki, "\n", "\n  "),
		"quotes":                `"` + spki + `"`,
		"UTF-16":                utf16Text(spki, binary.LittleEndian),
		"UTF-16, the other way": utf16Text(spki, binary.BigEndian),
		"base64 around it":      base64.StdEncoding.EncodeToString([]byte(spki)),
		"a JSON string":         mustJSON(spki),
		"an empty line between": strings.ReplaceAll(spki, "\n", "\n\n"),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "public.pem")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			refused := exec.Command(openssl, "pkey", "-pubin", "-in", path, "-noout").Run() != nil
			key, err := ParsePublicKey("public.pem", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if said := key.Caution(); refused != (said != "") || refused && !strings.Contains(said, "Kindly may") {
				t.Errorf("openssl refuses it: %v; said is %q, of %q", refused, said, key.Notes)
			}
		})
	}
}
