package totp_test

import (
	"encoding/base32"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kindlytest/kindlytest/internal/totp"
)

// RFC 6238, Appendix B.
func TestCodesOfTheStandard(t *testing.T) {
	secret := func(n int) string {
		return base32.StdEncoding.EncodeToString([]byte(strings.Repeat("1234567890", 7)[:n]))
	}
	for _, row := range []struct {
		at                   int64
		sha1, sha256, sha512 string
	}{
		{59, "94287082", "46119246", "90693936"},
		{1111111109, "07081804", "68084774", "25091201"},
		{1234567890, "89005924", "91819424", "93441116"},
		{20000000000, "65353130", "77737706", "47863826"},
	} {
		for algorithm, want := range map[string]string{"SHA1": row.sha1, "SHA256": row.sha256, "SHA512": row.sha512} {
			size := map[string]int{"SHA1": 20, "SHA256": 32, "SHA512": 64}[algorithm]
			k, err := totp.Parse("otpauth://totp/Shop:ada?digits=8&algorithm=" + algorithm + "&secret=" + strings.TrimRight(secret(size), "="))
			if err != nil {
				t.Fatal(err)
			}
			if got := k.Code(time.Unix(row.at, 0)); got != want {
				t.Errorf("%s at %d: got %s, want %s", algorithm, row.at, got, want)
			}
		}
	}
}

func TestSecretsAsAppsShowThem(t *testing.T) {
	at := time.Unix(59, 0)
	for _, text := range []string{"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "gezd gnbv gy3t qojq gezd gnbv gy3t qojq", "GEZDGNBV-GY3TQOJQ-GEZDGNBV-GY3TQOJQ"} {
		k, err := totp.Parse(text)
		if err != nil || k.Code(at) != "287082" {
			t.Errorf("%s: got %s, %v", text, k.Code(at), err)
		}
	}
}

func TestWhatIsNoSecretIsNotQuoted(t *testing.T) {
	for _, text := range []string{"", "sesam-open-18", "otpauth://hotp/sesam?secret=GEZDGNBV", "otpauth://totp/x?secret=GEZDGNBV&digits=sesam", "otpauth://totp/x?secret=GEZDGNBV&algorithm=sesam"} {
		k, err := totp.Parse(text)
		if err == nil || strings.Contains(err.Error(), "sesam") || strings.Contains(fmt.Sprintf("%v %+v %#v", k, k, k), "ses") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
