package token

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// Labels of PEM blocks (RFC 7468, and PKCS#1 before it).
const (
	labelSPKI         = "PUBLIC KEY"
	labelPKCS1Public  = "RSA PUBLIC KEY"
	labelPKCS8        = "PRIVATE KEY"
	labelPKCS1Private = "RSA PRIVATE KEY"
)

const (
	maxPEM    = 64 << 10 // bytes of text
	maxBlocks = 16
	beginMark = "-----BEGIN "
	endMark   = "-----END "
	dashes    = "-----"
)

// block is one PEM block. encoding/pem is not used: it skips silently what it
// cannot read, and a user must be told what that was.
type block struct {
	label     string
	der       []byte
	encrypted bool
}

func (b block) isPrivate() bool { return strings.HasSuffix(b.label, "PRIVATE KEY") }

// readPEM returns at least one block, or an error. The notes say what it
// forgave.
func readPEM(data []byte, hint string) ([]block, []string, *KeyError) {
	if len(data) > maxPEM {
		return nil, nil, problem(fmt.Sprintf("it has %d bytes, too many for a key", len(data)), hint)
	}
	var n notes
	text := n.plainText(data)
	if !strings.Contains(text, beginMark) {
		return nil, nil, explainNoPEM(data, text, hint)
	}
	var blocks []block
	for len(blocks) < maxBlocks {
		_, rest, ok := strings.Cut(text, beginMark)
		if !ok {
			break
		}
		b, after, err := n.readBlock(rest, hint)
		if err != nil {
			return nil, nil, err
		}
		blocks, text = append(blocks, b), after
	}
	return blocks, n.list, nil
}

// What openssl and the libraries of servers take as well.
const (
	noteCRLF    = "CRLF line ends"
	noteOneLine = "base64 on one long line"
	noteBOM     = "a byte order mark"
)

var harmlessNotes = map[string]bool{noteCRLF: true, noteOneLine: true, noteBOM: true}

// notes are what was forgiven, each once.
type notes struct{ list []string }

func (n *notes) add(note string) {
	if slices.Contains(n.list, note) {
		return
	}
	n.list = append(n.list, note)
}

// plainText undoes what editors, shells and environment variables do to a
// file.
func (n *notes) plainText(data []byte) string {
	text := string(data)
	switch {
	case strings.HasPrefix(text, "\xff\xfe"):
		text = n.fromUTF16(data[2:], binary.LittleEndian)
	case strings.HasPrefix(text, "\xfe\xff"):
		text = n.fromUTF16(data[2:], binary.BigEndian)
	case len(data) > 1 && data[0] == '-' && data[1] == 0:
		text = n.fromUTF16(data, binary.LittleEndian)
	case len(data) > 1 && data[0] == 0 && data[1] == '-':
		text = n.fromUTF16(data, binary.BigEndian)
	}
	if rest, ok := strings.CutPrefix(text, "\ufeff"); ok {
		n.add(noteBOM)
		text = rest
	}
	text = n.replace(text, "\r\n", noteCRLF)
	text = n.replace(text, "\r", "CR line ends")
	text = n.fromBase64(text)
	text = n.replace(text, `\\n`, `line ends written as \\n`)
	text = n.replace(text, `\r\n`, `line ends written as \r\n`)
	text = n.replace(text, `\n`, `line ends written as \n`)
	text = strings.TrimSpace(text)
	if bare := strings.TrimSpace(strings.Trim(text, "\"'`")); bare != text {
		n.add("quotes around it")
		text = bare
	}
	return text
}

// fromBase64 reads a PEM text that was encoded as a whole, as for a variable of
// the environment.
func (n *notes) fromBase64(text string) string {
	if strings.Contains(text, beginMark) {
		return text
	}
	bare := strings.NewReplacer("-", "+", "_", "/").Replace(strings.Trim(strings.TrimSpace(text), "\"'`="))
	decoded, err := base64.RawStdEncoding.DecodeString(strings.Join(strings.Fields(bare), ""))
	if err != nil || !strings.Contains(string(decoded), beginMark) {
		return text
	}
	n.add("base64 around the whole file")
	return n.replace(string(decoded), "\r\n", noteCRLF)
}

func (n *notes) replace(text, lineEnd, note string) string {
	if strings.Contains(text, lineEnd) {
		n.add(note)
		text = strings.ReplaceAll(text, lineEnd, "\n")
	}
	return text
}

func (n *notes) fromUTF16(data []byte, order binary.ByteOrder) string {
	n.add("UTF-16 text")
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units))
}

// readBlock reads what follows "-----BEGIN ", and returns the text after the
// block.
func (n *notes) readBlock(text, hint string) (b block, after string, err *KeyError) {
	label, rest, ok := strings.Cut(text, dashes)
	if !ok || len(label) > 64 || strings.Contains(label, "\n") {
		return b, "", problem("its BEGIN line is damaged", hint)
	}
	b.label = strings.TrimSpace(label)
	body, after, ok := strings.Cut(rest, endMark+label+dashes)
	if !ok {
		return b, "", problem("its END line is missing or another's: the text is cut off, or two files are mixed", hint)
	}
	if strings.Contains(body, ":") { // headers, such as an old encrypted key has
		b.encrypted = strings.Contains(body, "ENCRYPTED")
		_, body, _ = strings.Cut(body, "\n\n")
		body = "\n" + body
	}
	n.noteLines(body)
	b.der, ok = decodeBody(body)
	if !ok {
		return b, "", problem("the base64 between its BEGIN and END lines is damaged", hint)
	}
	return b, after, nil
}

func (n *notes) noteLines(body string) {
	lines := strings.Split(strings.Trim(body, " \n"), "\n")
	if !strings.HasPrefix(body, "\n") || !strings.HasSuffix(body, "\n") {
		n.add("BEGIN and END that share a line with the body")
	}
	for _, line := range lines {
		if len(line) > 80 {
			n.add(noteOneLine)
		}
		if strings.TrimSpace(line) != line || line == "" {
			n.add("indented or blank lines")
		}
	}
}

func decodeBody(body string) ([]byte, bool) {
	text := strings.Join(strings.Fields(body), "")
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		der, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	}
	return der, err == nil && len(der) > 0
}
