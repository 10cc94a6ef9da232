package config

import (
	_ "embed"
	"slices"
)

//go:embed kindlytest.schema.json
var schema []byte

// SchemaURL is where the JSON Schema of the file is published, for the editors
// of those who write one.
const SchemaURL = "https://raw.githubusercontent.com/kindlytest/kindlytest/main/cmd/kindlytest/config/kindlytest.schema.json"

// Schema returns the JSON Schema (draft 2020-12) of kindlytest.yaml. It knows
// every key that Parse knows. The caller owns the bytes.
func Schema() []byte { return slices.Clone(schema) }
