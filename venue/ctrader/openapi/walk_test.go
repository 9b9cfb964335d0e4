package openapi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
)

// walk_test.go owns the law about the files that a request and its answer walk
// through: they have an order, and a function calls others of its own file or of files
// further down.

// walk is that order. The first comment of each file says what it is for.
var walk = []string{"calls_generated.go", "call.go", "callerread.go", "reader.go", "dispatch.go", "answer.go", "pending.go", "classify.go"}

func TestARequestWalksDownOnly(t *testing.T) {
	parsed, home := make([]*ast.File, len(walk)), map[string]int{}
	for i, name := range walk {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range file.Decls {
			if function, ok := declared.(*ast.FuncDecl); ok {
				home[function.Name.Name] = i
			}
		}
		parsed[i] = file
	}
	calls := map[int]int{}
	for i, file := range parsed {
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch called := call.Fun.(type) {
			case *ast.Ident:
				name = called.Name
			case *ast.SelectorExpr: // c.name, and not c.field.name
				if of, ok := called.X.(*ast.Ident); ok && of.Name == "c" {
					name = called.Sel.Name
				}
			}
			to, ours := home[name]
			if ours && to < i {
				t.Errorf("%s calls %s, which is up in %s", walk[i], name, walk[to])
			}
			if ours && to > i {
				calls[to]++
			}
			return true
		})
	}
	for i, name := range walk[1:] {
		if calls[i+1] == 0 {
			t.Errorf("nothing above it calls %s", name)
		}
	}
}
