package config

import (
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// maxNesting is how deeply values may lie within each other on few lines. The
// parser's time grows with the square of it.
const maxNesting = 100

// tooDeep looks for a text that nobody wrote by hand: brackets within brackets, or
// lists within lists on one line. Deeper lines must be longer ones, which the size
// of the file bounds.
func tooDeep(text []byte) bool {
	brackets, entries, line := 0, 0, 0
	for _, t := range lexer.Tokenize(string(text)) {
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			brackets++
		case token.MappingEndType, token.SequenceEndType:
			brackets--
		case token.SequenceEntryType, token.MappingValueType:
			if brackets > 0 || t.Position == nil {
				continue // within brackets these go on, and not down
			}
			if t.Position.Line != line {
				line, entries = t.Position.Line, 0
			}
			entries++
		}
		if brackets > maxNesting || entries > maxNesting {
			return true
		}
	}
	return false
}
