package suites_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/kindlytest/kindlytest/mockkindly/token"
	"github.com/kindlytest/kindlytest/reports"
	"github.com/kindlytest/kindlytest/suites"
)

// TestKeysThatKindlyMayRefuseAreSaid: a key that lost its line ends is read, and
// the run warns of it.
func TestKeysThatKindlyMayRefuseAreSaid(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	for name, row := range map[string]struct {
		text  string
		level reports.Outcome
		says  string
	}{
		"as openssl writes it": {text, "", ""},
		"CRLF":                 {strings.ReplaceAll(text, "\n", "\r\n"), reports.Informed, "CRLF"},
		`literal \n`:           {strings.ReplaceAll(text, "\n", `\n`), reports.Warned, "Kindly may"},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := token.ParsePublicKey("public.pem", []byte(row.text))
			if err != nil {
				t.Fatal(err)
			}
			shop := hookAt(nobodyHome)
			shop.PublicKeys = []*token.Key{key}
			run := suites.Run(t.Context(), shop, suites.Options{Only: []string{"FWD-HTTPS"}})
			said := reports.Note{}
			for _, n := range run.Notes {
				if strings.Contains(n.Text, "public.pem") {
					said = n
				}
			}
			if said.Level != row.level || !strings.Contains(said.Text, row.says) {
				t.Errorf("said is %+v, want %q", said, row.says)
			}
		})
	}
}
