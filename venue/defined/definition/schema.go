package definition

import _ "embed"

// schema.go owns the JSON Schema of a definition, for editors. A test writes it from the
// fields and their comments.

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema of a definition.
func Schema() []byte { return append([]byte(nil), schema...) }
