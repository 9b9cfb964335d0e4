package venuekey_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// secrets_house_test.go owns the law about where secrets lie. fmt reads unexported
// fields without asking the methods of what is in them, so a Secret or a Key there,
// however deep within maps, slices and other structs, would be printed in full.

// compiled is a package as go list tells of it.
type compiled struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// checkedTypes reads every package of this repository with its types.
func checkedTypes(t *testing.T) []*types.Package {
	t.Helper()
	output, err := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var ours []compiled
	exports := map[string]string{}
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var p compiled
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/") {
			ours = append(ours, p)
		}
	}
	files := token.NewFileSet()
	config := types.Config{Importer: importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
	var checked []*types.Package
	for _, p := range ours {
		var parsed []*ast.File
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, file)
		}
		one, err := config.Check(p.ImportPath, files, parsed, nil)
		if err != nil {
			t.Fatal(err)
		}
		checked = append(checked, one)
	}
	return checked
}

// prying follows types to the secrets in them.
type prying struct {
	pointers bool // also through pointers, where fmt stops within a value
	seen     map[string]bool
}

// path is how a secret is reached within a type without a method that hides it;
// "" where none is. Hidden says that an unexported field was passed.
func (p *prying) path(kind types.Type, hidden bool) string {
	kind = types.Unalias(kind)
	name := types.TypeString(kind, nil)
	key := fmt.Sprint(name, hidden)
	if p.seen[key] {
		return ""
	}
	p.seen[key] = true
	if name == module+".Secret" || name == module+".Key" {
		if hidden {
			return "!"
		}
		return ""
	}
	if named, ok := kind.(*types.Named); ok {
		if !hidden && has(named, "Format") {
			return ""
		}
		if strings.HasPrefix(name, "sync/atomic.Pointer[") {
			return p.path(types.NewPointer(named.TypeArgs().At(0)), true)
		}
	}
	switch under := kind.Underlying().(type) {
	case *types.Pointer:
		if p.pointers && (hidden || !has(kind, "Format")) {
			return p.path(under.Elem(), hidden)
		}
	case *types.Slice:
		return p.path(under.Elem(), hidden)
	case *types.Array:
		return p.path(under.Elem(), hidden)
	case *types.Map:
		if _, pointer := under.Key().Underlying().(*types.Pointer); !pointer && holds(under.Key(), map[types.Type]bool{}) {
			return "!" // encoding/json writes a string as the key that it is
		}
		return p.path(under.Elem(), hidden)
	case *types.Struct:
		for field := range under.Fields() {
			if found := p.path(field.Type(), hidden || !field.Exported()); found != "" {
				return "." + field.Name() + found
			}
		}
	}
	return ""
}

// has reports whether values of a type have a method.
func has(kind types.Type, method string) bool {
	return types.NewMethodSet(kind).Lookup(nil, method) != nil
}

// ofUsers reports whether programs of others can have a package's types.
func ofUsers(path string) bool {
	return !strings.Contains(path+"/", "/internal/") && !strings.HasPrefix(path, module+"/cmd/") && !strings.HasPrefix(path, module+"/examples/")
}

// holds reports whether a secret lies anywhere in a type.
func holds(kind types.Type, seen map[types.Type]bool) bool {
	kind = types.Unalias(kind)
	if name := types.TypeString(kind, nil); name == module+".Secret" || name == module+".Key" {
		return true
	}
	if seen[kind] {
		return false
	}
	seen[kind] = true
	switch under := kind.Underlying().(type) {
	case *types.Pointer:
		return holds(under.Elem(), seen)
	case *types.Slice:
		return holds(under.Elem(), seen)
	case *types.Array:
		return holds(under.Elem(), seen)
	case *types.Map:
		return holds(under.Key(), seen) || holds(under.Elem(), seen)
	case *types.Struct:
		for field := range under.Fields() {
			if holds(field.Type(), seen) {
				return true
			}
		}
	}
	return false
}

func TestSecretsLieInExportedFieldsOnly(t *testing.T) {
	for _, one := range checkedTypes(t) {
		for _, name := range one.Scope().Names() {
			object, ok := one.Scope().Lookup(name).(*types.TypeName)
			if !ok || object.IsAlias() {
				continue
			}
			kind := object.Type()
			where := strings.TrimPrefix(one.Path(), module) + "." + name
			if found := (&prying{seen: map[string]bool{}}).path(kind, false); found != "" {
				t.Errorf("%s%s is printed", where, found)
			}
			if !object.Exported() || !ofUsers(one.Path()) {
				continue
			}
			if holds(kind, map[types.Type]bool{}) && confidential[where] == nil {
				t.Errorf("%s holds a secret: let TestAttackATypeThatPrintsItsSecrets print it", where)
			}
			if has(types.NewPointer(kind), "Format") {
				continue
			}
			if found := (&prying{pointers: true, seen: map[string]bool{}}).path(kind, false); found != "" {
				t.Errorf("%s%s is printed by who follows pointers, and %s has no Format", where, found, name)
			}
		}
	}
}
