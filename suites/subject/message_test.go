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
		{"TypeError: Key for the RS256 algorithm must be one of type CryptoKey, KeyObject, or JSON Web Key. Received an instance of Uint8Array", "importSPKI"},
		{"token signature is invalid: key is of invalid type: RSA verify expects *rsa.PublicKey", "ParseRSAPublicKeyFromPEM"},
		{"NoMethodError: undefined method `verify' for an instance of String", "OpenSSL::PKey::RSA.new"},
		{"the specified signing key of type javax.crypto.spec.SecretKeySpec may not be used to validate RS256 signatures", "X509EncodedKeySpec"},
		{`{"message":"$keyOrKeyArray must be an instance of Firebase\\JWT\\Key key or an array"}`, "new Key($pem"},
		{"InvalidKeyError: The specified key is an asymmetric key or x509 certificate and should not be used as an HMAC secret.", `algorithm="RS256"`},
		{"IDX10720: Unable to create KeyedHashAlgorithm for algorithm 'HS256'", "RsaSecurityKey"},
		{`{"msg":"The specified alg value is not allowed"}`, "JWT_PUBLIC_KEY"},
		{`{"error":"InvalidAlgorithm"}`, "Algorithm::RS256"},
		{"AttributeError: module 'jwt' has no attribute 'decode'", "PyJWT"},
		{"AttributeError: 'str' object has no attribute 'decode'", "PyJWT 2"},
		{`{"message":"\"kid\" empty, unable to lookup correct key"}`, "the one key"},
		{"json: cannot unmarshal object into Go struct field Claims.chat of type string", "is an object"},
		{`{"message":"Token has no type"}`, "your own login"},
		{`Unable to find key "username" in the token payload.`, "in sub"},
		{"TokenExpiredError: maxAge exceeded", "milliseconds"},
		{"Error [ERR_CRYPTO_HASH_FINALIZED]: Digest already called", "spent after the first"},
		{"TypeError: key: expected bytes or bytearray, but got 'str'", "secret.encode()"},
		{"TypeError: Missing required parameter 'digestmod'.", "hashlib.sha256"},
		{`The "buf1" argument must be an instance of ArrayBuffer, Buffer, TypedArray, or DataView. Received type string`, "a Buffer of both"},
		{"InvalidAccessError: Unable to use this key to verify", `["verify"]`},
		{"System.ObjectDisposedException: Cannot access a disposed object.\nObject name: 'RSAOpenSsl'.", "one RSA"},
		{"System.ObjectDisposedException: Cannot access a disposed context instance.", ""},
		{"Expected 200 OK from the JSON Web Key Set HTTP response", "the public key itself"},
		{"RawPostDataException: You cannot access body after reading from request's data stream", "request.body first"},
		{"A non-empty request body is required.", "EnableBuffering"},
		{`{"message":"Unauthenticated."}`, "auth:sanctum"},
		{`{"message":"Unauthorized","statusCode":401}`, "@Public()"},
		{`{"error":"Unauthorized"}`, ""},
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

// A token that is missing is told from one that is wrong, or may be.
func TestATokenThatIsMissingIsToldFromAWrongOne(t *testing.T) {
	for says, want := range map[string]bool{
		`{"error":"No token provided"}`: true, "Access denied. No token provided.": true, `{"msg":"Missing Authorization Header"}`: true,
		"JsonWebTokenError: jwt must be provided": true, `{"message":"No authorization token was found"}`: true, "A token is required for authentication": true,
		"Authorization header is missing": true, "Unauthorized: token not provided": true, `{"error":"missing bearer token"}`: true, "Error: No auth token": true,
		"Missing or invalid token": false, "No valid token": false, "CSRF token missing": false, "invalid token": false, "jwt malformed": false, `{"error":"token"}`: false,
		`{"error":"No KID in JWT"}`: false, "Token is missing the claim aud": false, "No JWT key is set": false, `{"error":"missing signature"}`: false, "jwt expired": false, "": false,
	} {
		if got := missesToken([]byte(says)); got != want {
			t.Errorf("%q: %v", says, got)
		}
	}
}
