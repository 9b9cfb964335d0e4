package venuekey_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/venuekey/venuekey"

// house is the import law: every package of this repository, and which others
// of ours its code may import. A change to the table belongs in the commit that
// needs it, and its reason in doc/design.md.
var house = map[string][]string{
	"":                          {"internal/draft", "internal/foreign", "internal/loopback", "internal/own", "internal/words"},
	"oauth":                     {"", "internal/foreign", "internal/loopback", "internal/words"},
	"agent":                     {"", "internal/filelock", "internal/loopback", "internal/own"}, // for whoever serves or asks; the vault comes from its caller
	"oauth2source":              {""},
	"terminal":                  {"", "internal/foreign"},
	"venue/ctrader":             {"", "oauth"},
	"venue/tradovate":           {"", "internal/foreign", "internal/loopback", "oauth"},
	"venue/ttp":                 {"", "internal/foreign", "oauth"},
	"venue/defined":             {"", "internal/foreign", "internal/loopback", "oauth", "venue/defined/definition"},
	"venue/defined/definition":  {"", "internal/foreign", "internal/loopback", "internal/typo", "internal/words"}, // data, for the client and for the emulated venue; "" for Secret and Class
	"venue/venuetest":           {"", "emulator", "store/memory"},                                                 // for a venue's author
	"store/memory":              {""},
	"store/sqlite":              {"", "internal/draft", "internal/foreign", "internal/own"},
	"store/postgres":            {"", "internal/foreign"},
	"store/storetest":           {""},
	"key":                       {"", "internal/draft", "internal/own"},
	"backup":                    {"", "internal/draft"},
	"local":                     {"", "internal/address", "internal/byname", "internal/environ", "internal/own", "key", "oauth", "store/memory", "store/postgres", "store/sqlite", "venue/ctrader", "venue/ctrader/openapi", "venue/defined", "venue/defined/definition", "venue/tradovate", "venue/tradovate/socket", "venue/ttp"}, // where the user's vault meets its parts
	"emulator":                  {"emulator/internal/journal", "internal/loopback"},                                                                                                                                                                                                                                                 // a test's author
	"emulator/defined":          {"emulator", "emulator/internal/core", "internal/loopback", "venue/defined/definition"},                                                                                                                                                                                                            // the venue that a definition describes; the definition is data
	"emulator/internal/apptest": {"emulator"},                                                                                                                                                                                                                                                                                       // for the venues' tests
	"emulator/internal/core":    {"emulator", "emulator/internal/faultqueue", "internal/loopback"},
	"emulator/internal/journal": {},
	"emulator/ctrader":          {"emulator", "emulator/internal/core"},
	"emulator/tradovate":        {"emulator", "emulator/internal/core", "emulator/internal/faultqueue"},
	"emulator/ttp":              {"emulator", "emulator/internal/core"},
	"agent/audit":               {"", "internal/filelock", "internal/foreign", "internal/own"},                                                           // what was done for whom, which the agent writes and the command reads
	"agent/consumer":            {"", "internal/foreign"},                                                                                                // rights, which the agent and the command share
	"agent/notify":              {"", "internal/byname", "internal/draft", "internal/filelock", "internal/foreign", "internal/loopback", "internal/own"}, // warnings for a person, by the agent, the command and programs of others
	"agent/proxy":               {"", "agent", "internal/foreign", "internal/loopback"},                                                                  // calls for programs that see no token
	"cmd/venuekey":              {"*"},
	"emulator/ctrader/openapi":  {"emulator", "emulator/ctrader", "emulator/internal/core", "emulator/internal/journal", "emulator/internal/faultqueue", "venue/ctrader/openapi/message"},
	"internal/address":          {},                                                                           // for the text of a vault's address, in local and the command
	"internal/environ":          {"", "internal/byname", "internal/loopback", "internal/own", "key", "oauth"}, // for the environment's names and values, in local and the command
	"internal/byname":           {"internal/own"},                                                             // for files that a person names
	"internal/attack":           {},                                                                           // plays doc/security.md
	"internal/filelock":         {},                                                                           // for whatever one process has at a time
	"internal/foreign":          {},                                                                           // for text that is not ours, wherever it enters
	"internal/draft":            {"internal/own"},                                                             // for files that are written whole, wherever they lie
	"internal/typo":             {},                                                                           // for words that are near others
	"internal/own":              {},                                                                           // for whatever lies on a disk
	"internal/loopback":         {},                                                                           // for whatever is only sent to this machine
	"internal/words":            {"internal/foreign"},                                                         // for what a file may say
	"internal/otlp":             {},                                                                           // traces, for services
	"internal/systemd":          {},                                                                           // for services
	"internal/needs":            {},                                                                           // for tests of more than one room
	"internal/npmtest":          {"internal/needs"},                                                           // clients that are not ours
	"internal/pgtest":           {"internal/needs"},
	"internal/pipetest":         {}, // a network for tests
	"internal/ptytest":          {}, // the same

	"internal/keepertest": {"", "emulator", "store/memory"}, // for tests of the Keeper

	"tests/clients": {},
	"tests/attacks": {}, // tests alone, like the rest here
	"tests/crash":   {},
	"tests/load":    {},
	"tests/model":   {},
	"tests/venues":  {},

	"examples":                  {},
	"examples/internal/stand":   {"*"},
	"examples/bot":              {"*"},
	"examples/ctrader-complete": {"*"},
	"examples/ctrader-code":     {"*"},
	"examples/ctrader-token":    {"*"},

	"stream":              {},             // for connections of all venues, and for programs that read both
	"venue/internal/link": {"", "stream"}, // for connections of all venues; "" for Secret and NeedsSignIn, stream for what the end is called

	"venue/tradovate/socket":  {"", "internal/foreign", "internal/loopback", "stream", "venue/internal/link", "venue/tradovate", "venue/tradovate/message"}, // "" for Secret and Class; the venue for its hosts and windows
	"venue/tradovate/message": {},                                                                                                                           // what it reads is nobody else's

	"venue/ctrader/openapi":                           {"", "internal/foreign", "stream", "venue/ctrader/openapi/message", "venue/ctrader/openapi/wire", "venue/internal/link"}, // "" for Secret and Class
	"venue/ctrader/openapi/wire":                      {"internal/foreign", "venue/ctrader/openapi/message"},
	"venue/ctrader/openapi/message":                   {"", "internal/typo"}, // the same
	"venue/tradovate/message/internal/generate":       {},                    // the same
	"venue/ctrader/openapi/message/internal/generate": {},                    // writes the room around it

	"emulator/internal/faultqueue": {},
}

// onlyHere are imports that one package alone may have, or the few named: each is
// a dependency with a reason to be kept behind one door.
var onlyHere = map[string]string{
	"golang.org/x/oauth2":           "oauth2source",
	"github.com/ncruces/go-sqlite3": "store/sqlite",
	"github.com/jackc/pgx/v5":       "store/postgres",
	"github.com/coder/websocket":    "venue/ctrader/openapi/wire emulator/ctrader/openapi venue/tradovate/socket emulator/tradovate agent/proxy", // both sides of two wires, and who passes one on
	"github.com/zalando/go-keyring": "key",
	"github.com/spf13/cobra":        "cmd/venuekey",
	"golang.org/x/crypto/argon2":    "key",
	"golang.org/x/term":             "terminal",
	"filippo.io/age":                "backup",
}

type listed struct {
	ImportPath, Doc string
	Imports         []string
}

func TestTheHouseIsInOrder(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		room := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		seen[room] = true
		allowed, known := house[room]
		if !known {
			t.Errorf("package %q is not in the table", room)
		}
		if p.Doc == "" {
			t.Errorf("package %q has no package comment", room)
		}
		for _, path := range p.Imports {
			if other, ours := strings.CutPrefix(path, module); ours {
				other = strings.TrimPrefix(other, "/")
				if !slices.Contains(allowed, other) && !slices.Contains(allowed, "*") {
					t.Errorf("%q imports %q", room, other)
				}
			}
			if home, bound := doorOf(path); bound && !slices.Contains(strings.Fields(home), room) {
				t.Errorf("%q imports %s, which only %q may", room, path, home)
			}
			bare := room == "" || slices.Contains(house[""], room)
			if bare && strings.Contains(strings.Split(path, "/")[0], ".") && !strings.HasPrefix(path, module+"/") {
				t.Errorf("package %q imports %s; the root package needs nothing but the standard library", room, path)
			}
		}
	}
	for room := range house {
		if !seen[room] {
			t.Errorf("the table has %q, the house does not", room)
		}
		if name, ok := strings.CutPrefix(room, "venue/"); ok && !strings.Contains(name, "/") && name != "venuetest" && !seen["emulator/"+name] {
			t.Errorf("venue %q has no emulator", name)
		}
	}
}

func doorOf(path string) (home string, bound bool) {
	for prefix, home := range onlyHere {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			return home, true
		}
	}
	return "", false
}

func packages(t *testing.T) []listed {
	t.Helper()
	output, err := exec.Command("go", "list", "-json=ImportPath,Doc,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []listed
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var p listed
		if err := decoder.Decode(&p); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// RFC 8252 §4 and §8.12: who signs in does it in a browser of his own, where the
// program sees neither password nor cookies. No part of one is built in; the browser
// of the tests is for the tests.
func TestNoBrowserIsBuiltIn(t *testing.T) {
	output, err := exec.Command("go", "list", "-deps", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.Lines(string(output)) {
		for _, engine := range []string{"chromedp", "cdproto", "webview", "webkit", "playwright", "selenium", "go-rod", "cef2go", "astilectron", "wails"} {
			if strings.Contains(path, engine) {
				t.Errorf("the programs are built with %s", path)
			}
		}
	}
	for _, p := range packages(t) {
		room := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if slices.Contains(p.Imports, "net/http/cookiejar") && room != "emulator" { // the made-up user has a browser
			t.Errorf("%q keeps cookies", room)
		}
	}
}

// Venue.Refresh uses up what keeps a user signed in, so one place calls it. It takes
// three arguments, which tells it from the Keeper's own. A venue hands it on to oauth,
// an emulator is the other side, and a stand-in of the tests hands it on.
func TestOnlyTheKeeperCallsRefresh(t *testing.T) {
	calls := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && slices.Contains([]string{"venue", "oauth", "emulator", "internal/keepertest"}, filepath.ToSlash(path)) {
			return fs.SkipDir
		}
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) != 3 {
				return true
			}
			if called, ok := call.Fun.(*ast.SelectorExpr); ok && called.Sel.Name == "Refresh" {
				calls++
				if path != "renew.go" {
					t.Errorf("%s calls Venue.Refresh", path)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if calls == 0 {
		t.Error("nobody calls Venue.Refresh")
	}
}

// A file whose name one system or the go command does not take breaks a checkout there,
// and the module for everybody (golang.org/x/mod/module, CheckFilePath).
func TestEveryFilesNameIsOneEverywhere(t *testing.T) {
	usual := regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if path == ".git" && entry.IsDir() { // in a worktree it is a file
			return fs.SkipDir
		}
		if err == nil && path != "." && !usual.MatchString(entry.Name()) {
			t.Errorf("%q", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A page of promises is worth what holds them: every test that doc/security.md names
// is there.
func TestTheTestsOfTheSecurityPageExist(t *testing.T) {
	page, err := os.ReadFile("doc/security.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	err = filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declared := range file.Decls {
			if function, ok := declared.(*ast.FuncDecl); ok {
				there[function.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]*)").FindAllStringSubmatch(string(page), -1)
	for _, match := range named {
		if !there[match[1]] {
			t.Errorf("doc/security.md names %s, which is no test", match[1])
		}
	}
	if len(named) == 0 {
		t.Error("doc/security.md names no test")
	}
}

// A reader who opens a file knows from its first comment what is in it, and what is
// not: "// NAME.go owns ...", after the imports, or the package comment.
func TestEachFileSaysWhatItOwns(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_generated.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if file.Doc == nil && !strings.HasPrefix(firstComment(file), entry.Name()+" owns ") {
			t.Errorf("%s: its first comment after the imports does not begin with %q", path, "// "+entry.Name()+" owns")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// firstComment is what stands first after the imports.
func firstComment(file *ast.File) string {
	after := file.Name.End()
	for _, declared := range file.Decls {
		if d, ok := declared.(*ast.GenDecl); ok && d.Tok == token.IMPORT {
			after = d.End()
		}
	}
	for _, comment := range file.Comments {
		if comment.Pos() > after {
			return comment.Text()
		}
	}
	return ""
}
