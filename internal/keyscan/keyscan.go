// Package keyscan finds private keys in what a server hands out: scripts, pages
// and files.
//
// It is not a matter of a label. Libraries hold "BEGIN PRIVATE KEY" without a key,
// and a bundler writes a key's line ends as \n, \\n, &#10; or leaves them and the
// label out. So what counts is whether what follows is a key: it must parse.
//
//	if keyscan.Holds(body) { … }
//
// The key itself is handed to nobody.
package keyscan

import (
	"bytes"
	"encoding/base64"
	"regexp"
)

const (
	maxDepth      = 2        // base64 in base64
	maxCandidates = 2000     // places looked at in one text
	maxKey        = 16 << 10 // characters of a key, with everything between
)

// starts are how the base64 of a private key's DER begins: PKCS #8 and PKCS #1 of
// RSA keys, PKCS #8 of elliptic ones, SEC 1, and Ed25519. After them nothing is
// left to chance: the whole must parse.
var starts = [][]byte{[]byte("MII"), []byte("MIG"), []byte("MHcCAQ"), []byte("MHQCAQ"), []byte("MC4CAQ"), []byte("MFMCAQ"), []byte("MEECAQ"), []byte("b3BlbnNzaC1rZXktdjE")}

// labels are "PRIVATE KEY" in base64, at each of three places in a triplet,
// without the characters that its neighbours have a part in.
var labels = [][]byte{[]byte("UFJJVkFURSBLRV"), []byte("BSSVZBVEUgS0VZ"), []byte("QUklWQVRFIEtFW")}

// Holds says whether a text holds a private key, in whatever spelling.
func Holds(text []byte) bool { return holds(text, maxDepth) }

func holds(text []byte, depth int) bool {
	if holdsJWK(text) {
		return true
	}
	tried := 0
	for _, start := range starts {
		for at := next(text, start, 0); at >= 0 && tried < maxCandidates; at = next(text, start, at+1) {
			tried++
			if isKey(text[at:min(len(text), at+maxKey)]) {
				return true
			}
		}
	}
	if depth == 0 {
		return false
	}
	for _, label := range labels {
		for at := next(text, label, 0); at >= 0 && tried < maxCandidates; {
			tried++
			from, to := run(text, at)
			if inner := decode(text[from:to]); inner != nil && holds(inner, depth-1) {
				return true
			}
			at = next(text, label, max(to, at+1))
		}
	}
	return false
}

// next is where sep stands in text from a place on; -1 if nowhere.
func next(text, sep []byte, from int) int {
	if from >= len(text) {
		return -1
	}
	at := bytes.Index(text[from:], sep)
	if at < 0 {
		return -1
	}
	return from + at
}

// maxRun bounds the base64 around a label.
const maxRun = 64 << 10

// run is the base64 around a place.
func run(text []byte, at int) (from, to int) {
	from, to = at, at
	for from > 0 && at-from < maxRun && base64Byte(text[from-1]) {
		from--
	}
	for to < len(text) && to-at < maxRun && (base64Byte(text[to]) || text[to] == '=') {
		to++
	}
	return from, to
}

func base64Byte(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '-' || c == '_'
}

var toStd = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
	}
	t['-'], t['_'] = '+', '/'
	return t
}()

// decode reads base64 of either alphabet, as far as it goes; nil if it is none.
func decode(text []byte) []byte {
	std := make([]byte, 0, len(text))
	for _, c := range text {
		if c == '=' {
			break
		}
		std = append(std, toStd[c])
	}
	std = std[:len(std)-boolInt(len(std)%4 == 1)]
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(std)))
	n, err := base64.RawStdEncoding.Decode(out, std)
	if err != nil && n == 0 {
		return nil
	}
	return out[:n]
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// between is what stands between the lines of a key, in the spellings of
// JavaScript, JSON, JSON in JSON, HTML and URLs.
var between = regexp.MustCompile("[\"'`]\\s*[+.]?\\s*,?\\s*(?:\\\\+[nr]\\s*)*[\"'`]|\\\\+u000[aAdD]|\\\\+x0[aAdD]|\\\\+[nrt]|&#(?:10|13|x0*[aAdD]);|&(?:NewLine|quot|#34|#39);|%0[AaDd]|<br ?/?>|[\\s\"'`,]+")

// escaped are characters of base64 that were written otherwise.
var escaped = [][2][]byte{{[]byte("%2B"), []byte("+")}, {[]byte("%2b"), []byte("+")}, {[]byte("%2F"), []byte("/")}, {[]byte("%2f"), []byte("/")},
	{[]byte(`\u002b`), []byte("+")}, {[]byte(`\u002B`), []byte("+")}, {[]byte(`\u002f`), []byte("/")}, {[]byte(`\u002F`), []byte("/")},
	{[]byte("&#43;"), []byte("+")}, {[]byte("&#x2B;"), []byte("+")}, {[]byte("&#47;"), []byte("/")}, {[]byte("&#x2F;"), []byte("/")}}

// isKey says whether a text begins with the base64 of a private key.
func isKey(text []byte) bool {
	if !plausible(text) {
		return false
	}
	text = between.ReplaceAll(text, nil)
	for _, e := range escaped {
		text = bytes.ReplaceAll(text, e[0], e[1])
	}
	text = bytes.ReplaceAll(text, []byte(`\`), nil)
	end := 0
	for end < len(text) && base64Byte(text[end]) {
		end++
	}
	return isPrivate(decode(text[:end]))
}

// plausible spares the work for most places: what begins a key goes on for a
// line of base64 at least, and after its length with a number or a list.
func plausible(text []byte) bool {
	const line = 40
	if len(text) < line {
		return false
	}
	for _, c := range text[:line] {
		if !base64Byte(c) && c != '\\' && c != '%' && c != '&' && c != '#' && c != ';' {
			return false
		}
	}
	switch head := decode(text[:8]); {
	case len(head) < 6:
		return true // it is spelled in another way
	case head[0] == 0x30 && head[1] == 0x82:
		return head[4] == 0x02 || head[4] == 0x30
	case head[0] == 0x30 && head[1] == 0x81:
		return head[3] == 0x02 || head[3] == 0x30
	}
	return true
}
