package definition

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
)

// schemaOf returns the JSON Schema of a type; says has the comments.
func schemaOf(t reflect.Type, says map[string]string) map[string]any {
	if list, ok := reflect.New(t).Elem().Interface().(interface{ choices() []string }); ok {
		return map[string]any{"enum": list.choices()}
	}
	text := map[string]any{"type": "string"}
	switch t {
	case templateType:
		return map[string]any{"type": []string{"string", "number", "boolean"}}
	case pathType:
		return text
	case durationType:
		return map[string]any{"type": "string", "pattern": `^([0-9.]+(ns|us|µs|ms|s|m|h))+$`}
	case pathsType:
		return map[string]any{"anyOf": []any{text, map[string]any{"type": "array", "items": text}}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), says)
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), says)}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem(), says)}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Struct:
		return schemaOfStruct(t, says)
	}
	return text
}

func schemaOfStruct(t reflect.Type, says map[string]string) map[string]any {
	properties, needed := map[string]any{}, []string{}
	for _, f := range fieldsOf(t) {
		property := schemaOf(t.Field(f.at).Type, says)
		property["description"] = says[t.Name()+"."+t.Field(f.at).Name]
		properties[f.name] = property
		if f.needed {
			needed = append(needed, f.name)
		}
	}
	schema := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(needed) > 0 && t != reflect.TypeFor[Definition]() { // a definition may extend one that has them
		schema["required"] = needed
	}
	return schema
}

// comments returns what the comment of each field says.
func comments(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "definition.go", nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	says := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		declared, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if fields, ok := declared.Type.(*ast.StructType); ok {
			for _, f := range fields.Fields.List {
				says[declared.Name.Name+"."+f.Names[0].Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
			}
		}
		return true
	})
	return says
}

// What an editor offers is what Parse takes. Run with -update after a change of a field.
func TestTheSchemaIsThatOfTheFields(t *testing.T) {
	says := comments(t)
	for name, text := range says {
		if text == "" {
			t.Errorf("%s has no comment", name)
		}
	}
	schema := schemaOf(reflect.TypeFor[Definition](), says)
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "A venue of venuekey"
	want, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile("schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile("schema.json"); err != nil || string(got) != string(want) {
		t.Errorf("schema.json is not what the fields are; run with -update: %v", err)
	}
	if string(Schema()) != string(want) {
		t.Error("Schema returns another one")
	}
}

// A definition without what is needed is one only if it extends another, which a schema
// does not see. So the table in doc/definitions.md, and not the schema, is the whole truth.
func TestEveryFieldIsInTheTable(t *testing.T) {
	page, err := os.ReadFile("../../../doc/definitions.md")
	if err != nil {
		t.Fatal(err)
	}
	var walk func(reflect.Type, string)
	walk = func(of reflect.Type, path string) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice && of != pathsType {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || of == templateType || of == pathType || of == reflect.TypeFor[Request]() {
			return
		}
		for _, f := range fieldsOf(of) {
			if name := join(path, f.name); !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("doc/definitions.md does not name %s", name)
			} else {
				walk(of.Field(f.at).Type, name)
			}
		}
	}
	walk(reflect.TypeFor[Definition](), "")
	for _, f := range fieldsOf(reflect.TypeFor[Request]()) {
		if !strings.Contains(string(page), "`"+f.name+"`") {
			t.Errorf("doc/definitions.md does not name %s of a request", f.name)
		}
	}
}
