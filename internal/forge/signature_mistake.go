package forge

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/kindlytest/kindlytest/internal/plainjson"
)

// Known mistakes of sound people: a webhook that makes one refuses what Kindly
// sends. Sent the request that it would accept, it shows which one it is.

// A SignatureMistake is one wrong way to compute Kindly-HMAC.
type SignatureMistake struct {
	ID   string // of the cause: "hmac-hex"
	Name string // what the webhook expects: "the signature in hex"
	Fix  string
	// Sign returns what the webhook would compare with; "" where that is the
	// right signature, or can't be made.
	Sign func(secret, url string, body []byte) string
}

func b64std(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func sum(h func() hash.Hash, key, data []byte) []byte {
	m := hmac.New(h, key)
	m.Write(data)
	return m.Sum(nil)
}

func hs256(secret string, body []byte) []byte { return sum(sha256.New, []byte(secret), body) }

const (
	fixEncoding = `Write the digest in standard base64, with padding: createHmac("sha256", secret).update(rawBody).digest("base64").`
	fixHash     = "Use HMAC-SHA-256, as Kindly-HMAC-algorithm says."
	fixPrefix   = "Compare the whole header with the base64 of the digest: Kindly puts nothing before it."
	fixRaw      = "Compute the HMAC over the bytes of the body as they came, before any parser: writing the parsed JSON again gives others."
	fixUnparsed = "Compute the HMAC over the bytes that came (php://input, express.raw, request.get_data), and not over what a parser made of them: here it has found nothing, for it reads forms (express.urlencoded, $_POST, request.form), or runs later."
	fixSecret   = "Use the secret exactly as it stands in Kindly's settings: trim what a file or a variable adds, and don't decode it."
	fixDecoded  = "Take the header's value as it is: what decodes it as if it stood in a URL makes a space of each +."
	fixBytes    = "Hash bytes of UTF-8, and take the secret as UTF-8 too: in C# Encoding.UTF8, not Encoding.Unicode."
	fixNoSecret = `Give the webhook the secret, and let it stop at its start where there is none. Decode nothing: Buffer.from(secret, "hex") is empty where the secret is no hex.`
	fixPrinted  = "Write the digest in standard base64, as text: base64.b64encode(digest).decode() in Python, where str() of bytes writes the b and the quotes along; base64.StdEncoding.EncodeToString(sum) in Go; btoa(String.fromCharCode(...new Uint8Array(signature))) with Web Crypto."
	fixConstant = "Encode the digest's bytes, and not the object that holds them: btoa(String.fromCharCode(...new Uint8Array(signature))) or Buffer.from(signature).toString(\"base64\") with Web Crypto, Convert.ToBase64String(hash) in C#, and await what is a promise."
	fixDashes   = "Write the digest in standard base64: Convert.ToBase64String(hash). BitConverter.ToString writes hex, with dashes."
	fixEncoded  = "Give the webhook the secret itself, as it stands in Kindly's settings. In Kubernetes, data: holds its base64 and stringData: the value itself: what is encoded before it gets there is encoded twice. Make it with printf %s, not with echo, which adds a line end."
	fixUnseen   = "Write the webhook's secret anew, by hand or from the clipboard through a plain editor, and compare its length with that of the one in Kindly's settings: a file saved as \"UTF-8 with BOM\" begins with an invisible character, and what is copied from a page or a chat may end in one, or in a space."
	fixJSON     = "Take the member out of what the store of secrets gives: JSON.parse(SecretString).NAME. AWS Secrets Manager keeps keys and values as one JSON text, and so do others."
	fixBodyOnly = "Sign the raw body alone: Kindly signs neither the URL nor a time stamp."
)

// overBody makes a mistake that signs other bytes than those that came.
func overBody(id, name, fix string, rewrite func([]byte) []byte) SignatureMistake {
	return SignatureMistake{ID: id, Name: name, Fix: fix, Sign: func(secret, _ string, body []byte) string {
		if b := rewrite(body); b != nil && !bytes.Equal(b, body) {
			return b64std(hs256(secret, b))
		}
		return ""
	}}
}

// withSecret makes a mistake that signs with another form of the secret.
func withSecret(id, name string, change func(string) string) SignatureMistake {
	return SignatureMistake{ID: id, Name: name, Fix: fixSecret, Sign: func(secret, _ string, body []byte) string {
		if s := change(secret); s != "" && s != secret {
			return b64std(hs256(s, body))
		}
		return ""
	}}
}

// variables are what a shell, Compose and some readers of .env files put a value for.
var variables = regexp.MustCompile(`\$(?:\{\w*\}|\w+)`)

// cutSecret makes a mistake that signs with what a file or a shell has left of the
// secret.
func cutSecret(name string, change func(string) string) SignatureMistake {
	m := withSecret("hmac-secret-cut", name, change)
	m.Fix = "Write the secret in single quotes where the webhook's environment is set, and compare its length there with that in Kindly's settings: .env files take # for a comment, shells and Compose $ for a variable (there, write $$), and what cuts at = or decodes URLs loses a part too."
	return m
}

// otherSecret is withSecret, with a way out of its own.
func otherSecret(id, name, fix string, change func(string) string) SignatureMistake {
	m := withSecret(id, name, change)
	m.Fix = fix
	return m
}

// secretInJSON are the names under which a store of secrets may keep the webhook's.
var secretInJSON = []string{"secret", "hmac_secret", "hmacSecret", "HMAC_SECRET", "KINDLY_HMAC_SECRET", "KINDLY_SECRET", "KINDLY_WEBHOOK_SECRET", "WEBHOOK_SECRET", "kindly", "key", "value", "password"}

// constant makes a mistake that computes no signature at all, but the name of what
// holds it.
func constant(text string) SignatureMistake {
	return SignatureMistake{ID: "hmac-constant", Name: "the same text for every body, " + quote(text), Fix: fixConstant, Sign: func(_, _ string, _ []byte) string { return text }}
}

// unparsed makes a mistake that signs what a language writes of a body that nobody
// has parsed.
func unparsed(text string) SignatureMistake {
	return overBody("hmac-body-empty", "a signature over "+text+", which is what is written of a body that nobody has parsed", fixUnparsed, func([]byte) []byte { return []byte(text) })
}

// missing makes a mistake that has no secret, but what a language makes of none.
func missing(name, secret string) SignatureMistake {
	return SignatureMistake{ID: "hmac-secret-missing", Name: name, Fix: fixNoSecret, Sign: func(_, _ string, body []byte) string {
		return b64std(hs256(secret, body))
	}}
}

// written makes a mistake that writes the digest in another way.
func written(id, name, fix string, write func([]byte) string) SignatureMistake {
	return SignatureMistake{ID: id, Name: name, Fix: fix, Sign: func(secret, _ string, body []byte) string {
		return write(hs256(secret, body))
	}}
}

// hashed makes a mistake that uses another hash.
func hashed(id, name string, h func() hash.Hash) SignatureMistake {
	return SignatureMistake{ID: id, Name: name, Fix: fixHash, Sign: func(secret, _ string, body []byte) string {
		return b64std(sum(h, []byte(secret), body))
	}}
}

// SignatureMistakes are those that a webhook may make, the likeliest first.
func SignatureMistakes() []SignatureMistake {
	all := []SignatureMistake{
		written("hmac-hex", "the signature in hex", fixEncoding, hex.EncodeToString),
		written("hmac-base64url", "the signature in base64url, with - and _", fixEncoding, base64.URLEncoding.EncodeToString),
		written("hmac-unpadded", "the signature without the = at its end", fixEncoding, base64.RawStdEncoding.EncodeToString),
		written("hmac-base64url-unpadded", "the signature in base64url, without padding", fixEncoding, base64.RawURLEncoding.EncodeToString),
		written("hmac-url-decoded", "the signature with %2B for +", fixDecoded, func(b []byte) string { return strings.ReplaceAll(b64std(b), "+", "%2B") }),
		written("hmac-hex-upper", "the signature in hex, in capitals", fixEncoding, func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }),
		written("hmac-prefix", `the signature in hex, behind "sha256="`, fixPrefix, func(b []byte) string { return "sha256=" + hex.EncodeToString(b) }),
		written("hmac-prefix", `the signature behind "sha256="`, fixPrefix, func(b []byte) string { return "sha256=" + b64std(b) }),
		written("hmac-twice-encoded", "the hex digest, written in base64 once more", fixEncoding, func(b []byte) string { return b64std([]byte(hex.EncodeToString(b))) }),
		written("hmac-hex", "the signature in hex, with dashes, as C#'s BitConverter writes it", fixDashes, func(b []byte) string { return strings.ToUpper(dashed(b)) }),
		written("hmac-hex", "the signature in hex, with dashes", fixDashes, dashed),
		written("hmac-printed", "the signature as Python prints bytes, b'…'", fixPrinted, func(b []byte) string { return "b'" + b64std(b) + "'" }),
		written("hmac-printed", "the signature in hex, as Python prints bytes, b'…'", fixPrinted, func(b []byte) string { return "b'" + hex.EncodeToString(b) + "'" }),
		written("hmac-printed", "the signature as Go prints its bytes, [1 2 …]", fixPrinted, func(b []byte) string { return fmt.Sprint(b) }),
		written("hmac-printed", "the signature as a list of numbers, 1,2,…", fixPrinted, func(b []byte) string { return numbers(b, ",") }),
		written("hmac-printed", "the signature as a list of numbers, [1, 2, …]", fixPrinted, func(b []byte) string { return "[" + numbers(b, ", ") + "]" }),
		hashed("hmac-sha1", "an HMAC with SHA-1", sha1.New),
		hashed("hmac-sha512", "an HMAC with SHA-512", sha512.New),
		hashed("hmac-sha384", "an HMAC with SHA-384", sha512.New384),
		hashed("hmac-md5", "an HMAC with MD5", md5.New),
		{ID: "hmac-plain-hash", Name: "a plain hash of secret and body, which is no HMAC", Fix: fixHash, Sign: func(secret, _ string, body []byte) string {
			h := sha256.Sum256(append([]byte(secret), body...))
			return b64std(h[:])
		}},
		{ID: "hmac-plain-hash", Name: "a plain hash of body and secret, which is no HMAC", Fix: fixHash, Sign: func(secret, _ string, body []byte) string {
			h := sha256.Sum256(append(bytes.Clone(body), secret...))
			return b64std(h[:])
		}},
		{ID: "hmac-swapped", Name: "an HMAC in which body and secret have changed places", Fix: fixHash, Sign: func(secret, _ string, body []byte) string {
			return b64std(hs256(string(body), []byte(secret)))
		}},
		withSecret("hmac-secret-line-end", "a secret that ends in a line end", func(s string) string { return strings.TrimRight(s, "\r\n") + "\n" }),
		withSecret("hmac-secret-line-end", "a secret that ends in CR LF", func(s string) string { return strings.TrimRight(s, "\r\n") + "\r\n" }),
		withSecret("hmac-secret-trimmed", "a secret without the white space around it", strings.TrimSpace),
		withSecret("hmac-secret-decoded", "a secret that was decoded from base64", decodedBase64),
		withSecret("hmac-secret-decoded", "a secret that was decoded from base64, as far as it is any", leniently),
		withSecret("hmac-secret-decoded", "a secret that was decoded from hex", func(s string) string { b, _ := hex.DecodeString(s); return string(b) }),
		missing("an empty secret", ""), missing(`the secret "undefined"`, "undefined"), missing(`the secret "null"`, "null"), missing(`the secret "None"`, "None"), missing(`the secret "nil"`, "nil"),
		{ID: "hmac-utf16", Name: "a secret in UTF-16", Fix: fixBytes, Sign: func(secret, _ string, body []byte) string {
			return b64std(hs256(string(utf16Of([]byte(secret))), body))
		}},
		overBody("hmac-utf16", "a signature over the body in UTF-16", fixBytes, utf16Of),
		{ID: "hmac-utf16", Name: "a signature over the body in UTF-16, with a secret in UTF-16", Fix: fixBytes, Sign: func(secret, _ string, body []byte) string {
			return b64std(hs256(string(utf16Of([]byte(secret))), utf16Of(body)))
		}},
		withSecret("hmac-secret-quoted", "a secret in quotation marks", func(s string) string { return `"` + s + `"` }),
		withSecret("hmac-secret-quoted", "a secret in single quotation marks", func(s string) string { return "'" + s + "'" }),
		otherSecret("hmac-secret-encoded", "the base64 of the secret for the secret", fixEncoded, func(s string) string { return b64std([]byte(s)) }),
		otherSecret("hmac-secret-encoded", "the base64 of the secret and a line end for the secret", fixEncoded, func(s string) string { return b64std([]byte(s + "\n")) }),
		otherSecret("hmac-secret-encoded", "the secret's hex for the secret", fixEncoded, func(s string) string { return hex.EncodeToString([]byte(s)) }),
		otherSecret("hmac-secret-unseen", "a secret that begins with a byte order mark", fixUnseen, func(s string) string { return "\ufeff" + s }),
		otherSecret("hmac-secret-unseen", "a secret that ends in a space", fixUnseen, func(s string) string { return s + " " }),
		otherSecret("hmac-secret-unseen", "a secret that begins with a space", fixUnseen, func(s string) string { return " " + s }),
		otherSecret("hmac-secret-unseen", "a secret that ends in a no-break space", fixUnseen, func(s string) string { return s + "\u00a0" }),
		otherSecret("hmac-secret-unseen", "a secret that ends in a space of no width", fixUnseen, func(s string) string { return s + "\u200b" }),
		otherSecret("hmac-secret-unseen", "a secret that begins with a space of no width", fixUnseen, func(s string) string { return "\u200b" + s }),
		cutSecret("a secret that ends before its #", func(s string) string { before, _, _ := strings.Cut(s, "#"); return strings.TrimSpace(before) }),
		cutSecret("a secret without what stands behind a $ in it", func(s string) string { return variables.ReplaceAllString(s, "") }),
		cutSecret("a secret with $ for its $$", func(s string) string { return strings.ReplaceAll(s, "$$", "$") }),
		cutSecret("a secret without the = at its end", func(s string) string { return strings.TrimRight(s, "=") }),
		cutSecret("a secret without its backslashes", func(s string) string { return strings.ReplaceAll(s, `\`, "") }),
		cutSecret("a secret that was decoded as if it stood in a URL", func(s string) string { text, _ := url.QueryUnescape(s); return text }),
		overBody("hmac-body-base64", "a signature over the base64 of the body, as a gateway hands it over", "Decode the body before you compute the HMAC: with isBase64Encoded the gateway hands it over in base64.",
			func(b []byte) []byte { return []byte(b64std(b)) }),
		overBody("hmac-body-rewritten", "a signature over the body as Python writes it again", fixRaw, func(b []byte) []byte {
			return inStrings(inStrings(compacted(b), spaced, asIs), same, escapeWide)
		}),
		overBody("hmac-body-rewritten", "a signature over the body with spaces after commas and colons", fixRaw, func(b []byte) []byte { return inStrings(compacted(b), spaced, asIs) }),
		overBody("hmac-body-rewritten", `a signature over the body as PHP writes it again, with \/`, fixRaw, func(b []byte) []byte {
			return inStrings(inStrings(compacted(b), same, escapeSlash), same, escapeWide)
		}),
		overBody("hmac-body-rewritten", "a signature over the body with its members sorted", fixRaw, sorted),
		overBody("hmac-body-rewritten", "a signature over the body as Gson writes it again, with \\u003d for =", fixRaw, func(b []byte) []byte { return escapedLetters(b, "<>&='") }),
		overBody("hmac-body-rewritten", "a signature over the body as Go writes it again, with \\u0026 for &", fixRaw, func(b []byte) []byte { return escapedLetters(b, "<>&") }),
		overBody("hmac-body-rewritten", "a signature over the body's lines, joined without their line ends", "Read the body's bytes to their end (readAllBytes), not line by line: readLine and lines() drop the line ends.", func(b []byte) []byte {
			if !bytes.Contains(bytes.TrimSpace(b), []byte("\n")) {
				return nil // what parses and writes it again leaves line ends around it out too
			}
			return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r"), nil), []byte("\n"), nil)
		}),
		overBody("hmac-body-rewritten", "a signature over the body, indented", fixRaw, func(b []byte) []byte {
			var out bytes.Buffer
			if json.Indent(&out, b, "", "  ") != nil {
				return nil
			}
			return out.Bytes()
		}),
		overBody("hmac-body-rewritten", "a signature over the body, written as JSON in JSON", fixRaw, func(b []byte) []byte { return []byte(quote(string(b))) }),
		overBody("hmac-body-empty", "a signature over an empty body", "A parser has read the body before you: compute the HMAC over the bytes that came, in a hook of the parser or before it.", func([]byte) []byte { return []byte{} }),
		unparsed("{}"), unparsed("[]"), unparsed("null"),
		overBody("hmac-body-object", `a signature over the text "[object Object]"`, fixRaw, func([]byte) []byte { return []byte("[object Object]") }),
		{ID: "hmac-url", Name: "a signature over URL and body", Fix: fixBodyOnly, Sign: func(secret, url string, body []byte) string {
			return b64std(hs256(secret, append([]byte(url), body...)))
		}},
		{ID: "hmac-url", Name: "a signature over the method, the path and the body", Fix: fixBodyOnly, Sign: func(secret, url string, body []byte) string {
			_, rest, _ := strings.Cut(url, "://")
			_, path, _ := strings.Cut(rest, "/")
			return b64std(hs256(secret, append([]byte("POST/"+path), body...)))
		}},
	}
	for _, name := range secretInJSON {
		all = append(all, otherSecret("hmac-secret-json", "a JSON text with the secret under "+quote(name)+" for the secret", fixJSON, func(s string) string { return "{" + quote(name) + ":" + quote(s) + "}" }))
	}
	for _, object := range []string{"[object ArrayBuffer]", "[object Promise]", "[object Object]", "System.Byte[]"} {
		all = append(all, constant(object), constant(b64std([]byte(object))))
	}
	return all
}

// dashed is a digest in hex, with a dash between its bytes.
func dashed(b []byte) string { return strings.ReplaceAll(fmt.Sprintf("% x", b), " ", "-") }

// numbers are a digest's bytes in decimal.
func numbers(b []byte, separator string) string {
	out := make([]string, len(b))
	for i, c := range b {
		out[i] = strconv.Itoa(int(c))
	}
	return strings.Join(out, separator)
}

// escapedLetters is a body without white space, with \u escapes for some letters; nil
// where it has none of those: anybody may have written it then.
func escapedLetters(body []byte, letters string) []byte {
	if !bytes.ContainsAny(body, letters) {
		return nil
	}
	return inStrings(compacted(body), same, func(s string) string {
		for _, c := range letters {
			s = strings.ReplaceAll(s, string(c), fmt.Sprintf(`\u%04x`, c))
		}
		return s
	})
}

// TextMistakes are those that only show in bodies with letters beyond ASCII.
func TextMistakes() []SignatureMistake {
	const fix = "Hash the bytes of the body, not a text: a text has to be encoded first, and ASCII or Latin-1 has not all letters."
	each := func(f func(r rune) []byte) func([]byte) []byte {
		return func(b []byte) []byte {
			var out []byte
			for _, r := range string(b) {
				out = append(out, f(r)...)
			}
			return out
		}
	}
	return []SignatureMistake{
		overBody("hmac-latin1", "a signature over the body as Latin-1", fix, each(func(r rune) []byte { return []byte{byte(r)} })),
		overBody("hmac-ascii", "a signature over the body as ASCII, with ? for what is none", fix, each(func(r rune) []byte {
			if r > 0x7f {
				return []byte{'?'}
			}
			return []byte{byte(r)}
		})),
		overBody("hmac-ascii", "a signature over the body as ASCII, with the rest left out", fix, each(func(r rune) []byte {
			if r > 0x7f {
				return nil
			}
			return []byte{byte(r)}
		})),
		overBody("hmac-ascii", "a signature over the body's bytes with their high bit cut off", fix, func(b []byte) []byte {
			out := bytes.Clone(b)
			for i := range out {
				out[i] &= 0x7f
			}
			return out
		}),
		overBody("hmac-mojibake", "a signature over the body that was read as Latin-1 and written as UTF-8", fix, func(b []byte) []byte {
			var out []byte
			for _, c := range b {
				out = append(out, string(rune(c))...)
			}
			return out
		}),
		overBody("hmac-body-rewritten", `a signature over the body with \u escapes`, fixRaw, func(b []byte) []byte { return inStrings(b, same, escapeWide) }),
	}
}

func decodedBase64(s string) string {
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := e.DecodeString(s); err == nil {
			return string(b)
		}
	}
	return ""
}

// leniently decodes base64 as Node does: what is none of it is skipped, and an end
// that is too short too.
func leniently(secret string) string {
	text := strings.Map(func(r rune) rune {
		switch {
		case r == '-':
			return '+'
		case r == '_':
			return '/'
		case r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r == '+' || r == '/':
			return r
		}
		return -1
	}, strings.TrimRight(secret, "="))
	if len(text)%4 == 1 {
		text = text[:len(text)-1]
	}
	b, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	return string(b)
}

// utf16Of is a text in UTF-16, the lower byte first, as C# and Windows write it.
func utf16Of(text []byte) []byte {
	var out []byte
	for _, c := range utf16.Encode([]rune(string(text))) {
		out = binary.LittleEndian.AppendUint16(out, c)
	}
	return out
}

func compacted(b []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return b
	}
	return out.Bytes()
}

// sorted is the body with the members of all its objects in the order of their
// names, as Go and Python's sort_keys write it.
func sorted(b []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return plainjson.Must(v)
}

// DigestForms are the spellings in which an answer may hold a signature.
func DigestForms(signature string) []string {
	digest, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return []string{signature}
	}
	h := hex.EncodeToString(digest)
	return []string{signature, base64.RawStdEncoding.EncodeToString(digest), base64.URLEncoding.EncodeToString(digest), h, strings.ToUpper(h)}
}
