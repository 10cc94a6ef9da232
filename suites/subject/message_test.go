package subject

import (
	"strings"
	"testing"
)

// What libraries say of a mistake tells what to do; what they don't say is not guessed.
func TestAKnownMessageTellsWhatToDo(t *testing.T) {
	for _, row := range []struct{ says, do string }{
		{"Error: secretOrPrivateKey must have a value", "not there"},
		{"JsonWebTokenError: secret or public key must be provided", "not there"},
		{`TypeError: The "key" argument must be of type string or an instance of Buffer. Received undefined`, "not there"},
		{"Error: secretOrPrivateKey must be an asymmetric key when using RS256", `\n as two characters`},
		{"error:0909006C:PEM routines:get_name:no start line", `\n as two characters`},
		{"openssl_sign(): Supplied key param cannot be coerced into a private key", `\n as two characters`},
		{"ValueError: Could not deserialize key data. The data may be in an incorrect format", `\n as two characters`},
		{"System.ArgumentException: No supported key formats were found.", `\n as two characters`},
		{`TypeError: "pkcs8" must be PKCS#8 formatted string`, "-topk8"},
		{"java.security.spec.InvalidKeySpecException: java.io.IOException : algid parse error, not a sequence", "-topk8"},
		{"java.lang.IllegalArgumentException: Illegal base64 character 2d", "BEGIN and END"},
		{"secretOrPrivateKey is not valid key material", "await"},
		{"TypeError: Key for the RS256 algorithm must be one of type CryptoKey, KeyObject, or JSON Web Key. Received an instance of Promise", "await"},
		{"secretOrPrivateKey has a minimum key size of 2048 bits for RS256", "2048"},
		{"TypeError: Password was not given but private key is encrypted", "passphrase"},
		{"NotImplementedError: Algorithm 'RS256' could not be found. Do you have cryptography installed?", "pyjwt[crypto]"},
		{"Error: ENOENT: no such file or directory, open './keys/private.pem'", "deployed"},
		{"<pre>TypeError: Cannot read properties of undefined (reading &#39;chatId&#39;)</pre>", "express.json()"},
		{"InternalServerError: stream is not readable", "read twice"},
		{"RangeError [ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH]: Input buffers must have the same byte length", "lengths first"},
		{`Error: Bad "options.expiresIn" option the payload already has an "exp" property.`, "one place"},
		{"TypeError: Object of type bytes is not JSON serializable", "as text"},
		{"Unable to find a signing key that matches: \"None\"", "kid"},
		{"Internal Server Error", ""},
		{"error: relation \"users\" does not exist", ""},
		{"the kid's menu is missing", ""},
		{`{"error":"signature"}`, ""},
		{"Our team: no skid marks", ""},
	} {
		if got := FixOfAnswer([]byte(row.says)); (row.do == "") != (got == "") || !strings.Contains(got, row.do) {
			t.Errorf("%q: %q, want %q in it", row.says, got, row.do)
		}
	}
}
