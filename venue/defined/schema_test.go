package defined_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/venuekey/venuekey/venue/defined"
	"github.com/venuekey/venuekey/venue/defined/definition"
)

// fits reports whether a value is valid by a JSON Schema, of which it knows what ours uses.
func fits(t *testing.T, schema map[string]any, value any) bool {
	t.Helper()
	if list, ok := schema["anyOf"].([]any); ok {
		return slices.ContainsFunc(list, func(one any) bool { return fits(t, one.(map[string]any), value) })
	}
	if list, ok := schema["enum"].([]any); ok {
		return slices.Contains(list, value)
	}
	switch is := schema["type"].(type) {
	case []any:
		_, text := value.(string)
		_, number := value.(float64)
		_, truth := value.(bool)
		return text && slices.Contains(is, any("string")) || number && slices.Contains(is, any("number")) || truth && slices.Contains(is, any("boolean"))
	case string:
		return fitsType(t, is, schema, value)
	}
	t.Fatalf("%v", schema)
	return false
}

func fitsType(t *testing.T, is string, schema map[string]any, value any) bool {
	t.Helper()
	switch v := value.(type) {
	case string:
		return is == "string"
	case bool:
		return is == "boolean"
	case float64:
		return is == "number" || is == "integer" && v == float64(int(v))
	case []any:
		items, _ := schema["items"].(map[string]any)
		return is == "array" && !slices.ContainsFunc(v, func(one any) bool { return !fits(t, items, one) })
	case map[string]any:
		return is == "object" && fitsObject(t, schema, v)
	}
	return false
}

func fitsObject(t *testing.T, schema, object map[string]any) bool {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	others, anything := schema["additionalProperties"].(map[string]any)
	for name, value := range object {
		of, known := properties[name].(map[string]any)
		if !known && !anything || known && !fits(t, of, value) || !known && !fits(t, others, value) {
			return false
		}
	}
	needed, _ := schema["required"].([]any)
	return !slices.ContainsFunc(needed, func(name any) bool { _, there := object[name.(string)]; return !there })
}

// An editor that knows the schema finds nothing wrong with our own files, and does find what
// is wrong with others.
func TestTheSchemaAcceptsTheDefinitions(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(definition.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	texts := map[string][]byte{}
	for _, name := range defined.Names() {
		_, texts[name], _ = defined.Text(name)
	}
	made, err := filepath.Glob("testdata/*.json")
	if err != nil || len(made) == 0 {
		t.Fatal(err)
	}
	for _, file := range made {
		if texts[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range texts {
		var value any
		if err := json.Unmarshal(text, &value); err != nil || !fits(t, schema, value) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{`[]`, `{"nmae": "x"}`, `{"login": "magic"}`, `{"warn": "1h"}`, `{"ask": [{"name": "x"}]}`, `{"sessions": {"max": 1.5}}`, `{"exchange": {"params": {"a": []}}}`, `{"answer": {"access": 1}}`, `{"renew": {}}`} {
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil || fits(t, schema, value) {
			t.Errorf("%s is taken: %v", text, err)
		}
	}
}
