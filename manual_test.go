package venuekey_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// manual_test.go owns the law that pkg.go.dev is the manual: an example shows every
// verb.

// manual are the rooms whose exported verbs all have an example.
var manual = []string{
	"", "agent/audit", "agent/consumer", "agent/notify", "emulator", "emulator/defined", "emulator/ctrader", "emulator/ctrader/openapi", "emulator/tradovate", "emulator/ttp",
	"agent", "backup", "key", "local", "oauth", "oauth2source", "store/memory", "store/postgres", "store/sqlite", "store/storetest", "stream", "terminal", "venue/ctrader/openapi", "venue/defined", "venue/tradovate/message", "venue/tradovate/socket",
}

// duties are methods that fmt, encoding, errors, log/slog, net/http and ClassOf call.
var duties = regexp.MustCompile(`^(String|Format|Error|Unwrap|ErrorClass|LogValue|RoundTrip|ServeHTTP|Marshal[A-Za-z]+|Unmarshal[A-Za-z]+)$`)

// notShown are the verbs without an example, and why.
var notShown = map[string]string{
	"":                      "Leased",                                              // for a driver's author
	"oauth":                 "OAuthError Text Fields Says Stranger NotJSON IsPage", // for a venue whose answers mean something of their own
	"stream":                "Next",                                                // All shows it
	"emulator":              "Add",                                                 // for the venues, which write the log
	"store/memory":          "Get Put Delete List Claim Watch Close",               // the Keeper and the Vault call them
	"store/postgres":        "Get Put Delete List Claim Watch",
	"venue/ctrader/openapi": "Done", // as a context's
	"store/sqlite":          "Get Put Delete List Claim Watch",

	"venue/tradovate/socket": "Live", // as Demo
}

func TestEveryVerbHasAnExample(t *testing.T) {
	examples := 0
	for _, room := range manual {
		verbs, shown := verbsOf(t, room)
		examples += shown["Example"]
		for _, verb := range verbs {
			if shown[verb] == 0 && !slices.Contains(strings.Fields(notShown[room]), verb) {
				t.Errorf("no example of %q shows %s", room, verb)
			}
		}
	}
	if examples < 25 {
		t.Errorf("%d examples, want 25", examples)
	}
}

// verbsOf are the exported functions and methods of a room, and what its examples name.
func verbsOf(t *testing.T, room string) (verbs []string, shown map[string]int) {
	t.Helper()
	shown = map[string]int{}
	files, err := fs.Glob(os.DirFS(filepath.Join(".", filepath.FromSlash(room))), "*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%q: %v", room, err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(filepath.FromSlash(room), name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		test := strings.HasSuffix(name, "_test.go")
		if strings.HasSuffix(name, "_generated.go") { // one typed call is like the other
			continue
		}
		for _, declared := range file.Decls {
			function, ok := declared.(*ast.FuncDecl)
			switch {
			case !ok:
			case test && strings.HasPrefix(function.Name.Name, "Example"):
				shown["Example"]++
				ast.Inspect(function.Body, func(node ast.Node) bool {
					if selected, ok := node.(*ast.SelectorExpr); ok {
						shown[selected.Sel.Name]++
					}
					return true
				})
			case !test && isVerb(function):
				verbs = append(verbs, function.Name.Name)
			}
		}
	}
	return verbs, shown
}

func isVerb(function *ast.FuncDecl) bool {
	if !function.Name.IsExported() || duties.MatchString(function.Name.Name) {
		return false
	}
	if function.Recv == nil {
		return true
	}
	of := function.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	name, ok := of.(*ast.Ident)
	return ok && name.IsExported()
}
