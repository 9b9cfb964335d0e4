package venuekey_test

import (
	"encoding/json"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// walk_test.go owns the law about the files that a renewal walks through: they have an
// order, and a function calls others of its own file or of files further down. So
// whoever reads a renewal never has to go back up.

// walk is that order. What a file is for its first line says.
var walk = []string{
	"source.go", "flight.go", "renew.go", "gates.go", "unsaved.go", "probe.go", "claim.go", "remember.go", "doubt.go", "password.go", "examine.go", "pace.go", "lane.go", "rotation.go",
	"spill.go", "reserve.go", "learn.go", "publish.go", "entry.go", "outcomes.go", "way.go", "chance.go", "rollback.go", "marks.go", "schedule.go", "vault.go", "seal.go",
}

// declared reads the root package with what each of its names means.
func declared(t *testing.T) (*token.FileSet, []*ast.File, *types.Info) {
	t.Helper()
	output, err := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	exports, names := map[string]string{}, []string(nil)
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var p struct {
			ImportPath, Dir, Export string
			GoFiles                 []string
		}
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if exports[p.ImportPath] = p.Export; p.ImportPath == module {
			names = p.GoFiles
		}
	}
	fset, info := token.NewFileSet(), &types.Info{Uses: map[*ast.Ident]types.Object{}}
	var files []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
	if _, err := config.Check(module, fset, files, info); err != nil {
		t.Fatal(err)
	}
	return fset, files, info
}

func TestARenewalWalksDownOnly(t *testing.T) {
	fset, files, info := declared(t)
	calls := 0
	for _, file := range files {
		from := slices.Index(walk, fset.Position(file.Pos()).Filename)
		if from < 0 {
			continue
		}
		ast.Inspect(file, func(node ast.Node) bool {
			name, ok := node.(*ast.Ident)
			if !ok {
				return true
			}
			called, ok := info.Uses[name].(*types.Func)
			if !ok || called.Pkg() == nil || called.Pkg().Path() != module {
				return true
			}
			to := slices.Index(walk, fset.Position(called.Pos()).Filename)
			if calls++; to >= 0 && to < from {
				t.Errorf("%s: %s is further up, in %s", fset.Position(name.Pos()), called.Name(), walk[to])
			}
			return true
		})
	}
	if calls == 0 {
		t.Error("nothing is called")
	}
}

// The walk that doc/design.md describes is the one that the code takes.
func TestTheWalkOfTheDesignPageIsThere(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("doc", "design.md"))
	if err != nil {
		t.Fatal(err)
	}
	fset, files, _ := declared(t)
	there := map[string]bool{}
	for _, file := range files {
		for _, decl := range file.Decls {
			if function, ok := decl.(*ast.FuncDecl); ok {
				there[fset.Position(file.Pos()).Filename+" "+function.Name.Name] = true
			}
		}
	}
	stays := regexp.MustCompile("(?m)^\\| \\d+ \\| `(\\w+)` \\| `(\\w+\\.go)` \\|").FindAllStringSubmatch(string(page), -1)
	for _, stay := range stays {
		if !there[stay[2]+" "+stay[1]] {
			t.Errorf("%s has no %s", stay[2], stay[1])
		}
		if !slices.Contains(walk, stay[2]) {
			t.Errorf("%s is not among the files of the walk", stay[2])
		}
	}
	if len(stays) == 0 {
		t.Error("doc/design.md describes no walk")
	}
}

// The table of outcomes and the steps of a record are one list.
func TestTheTableOfOutcomesIsTheFileOfOutcomes(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("doc", "design.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| outcome | class | the record |")
	table, _, _ = strings.Cut(table, "\n\n")
	named := map[string]bool{}
	for row := range strings.Lines(table) {
		if columns := strings.Split(row, "|"); len(columns) > 4 {
			for _, name := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(columns[3], -1) {
				named[name[1]] = true
			}
		}
	}
	fset, files, _ := declared(t)
	for _, file := range files {
		if fset.Position(file.Pos()).Filename != "outcomes.go" {
			continue
		}
		for _, decl := range file.Decls {
			// free is a part of the others, and afterFailure chooses among them.
			if function, ok := decl.(*ast.FuncDecl); ok && function.Name.Name != "free" && function.Name.Name != "afterFailure" {
				if !named[function.Name.Name] {
					t.Errorf("the table of outcomes has no %s", function.Name.Name)
				}
				delete(named, function.Name.Name)
			}
		}
	}
	for name := range named {
		t.Errorf("outcomes.go has no %s", name)
	}
}
