package main

import (
	"encoding/json"
	"fmt"
	"github.com/venuekey/venuekey/internal/needs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// readme_test.go owns that the Go in README and doc compiles.

func TestTheGoInTheDocumentsCompiles(t *testing.T) {
	needs.Time(t, "every program in the documents is linked")
	module := packagesByName(t)
	folder, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string]map[string]string{"Replace": {}}
	var commands []string
	for _, path := range documents(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			file := filepath.Join(t.TempDir(), "main.go")
			if err := os.WriteFile(file, []byte(programOf(block[1], module)), 0o600); err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("document%d-%s", i, strings.TrimSuffix(filepath.Base(path), ".md"))
			overlay["Replace"][filepath.Join(folder, name, "main.go")] = file
			commands = append(commands, "./"+name)
		}
	}
	if len(commands) == 0 {
		t.Fatal("no page has any Go")
	}
	form, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(list, form, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", append([]string{"build", "-o", os.DevNull, "-overlay", list}, commands...)...)
	build.Dir = folder
	if output, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// programOf is a program around some lines of a page: it imports what they name,
// and has what they take for granted.
func programOf(lines string, module map[string]string) string {
	var imports, names []string
	lines = regexp.MustCompile(`(?m)\s*//.*$`).ReplaceAllString(lines, "")
	for _, match := range regexp.MustCompile(`\b(\w+)\.[A-Z]`).FindAllStringSubmatch(lines, -1) {
		if path, ok := module[match[1]]; ok && !slices.Contains(imports, path) {
			imports = append(imports, path)
		}
	}
	for _, match := range regexp.MustCompile(`(?m)^\s*([\w, ]+?) :=`).FindAllStringSubmatch(lines, -1) {
		for name := range strings.SplitSeq(match[1], ", ") {
			if name != "_" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	given := ""
	for _, known := range [][2]string{{"vault", "*local.Vault"}, {"id", "venuekey.ID"}, {"source", "*venuekey.Source"}, {"app", "venuekey.App"}, {"account", "int64"}, {"symbol", "int64"}} {
		if !slices.Contains(names, known[0]) && regexp.MustCompile(`\b`+known[0]+`\b`).MatchString(lines) {
			given += fmt.Sprintf("\tvar %s %s\n", known[0], known[1])
		}
	}
	for _, name := range []string{"venuekey", "local"} {
		if path := module[name]; strings.Contains(given, name+".") && !slices.Contains(imports, path) {
			imports = append(imports, path)
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "package main\n\nimport (\n\t\"context\"\n")
	for _, path := range imports {
		fmt.Fprintf(&text, "\t%q\n", path)
	}
	fmt.Fprintf(&text, ")\n\nfunc main() {\n\tctx, path, dir := context.Background(), \"\", \"\"\n\t_, _, _ = ctx, path, dir\n%s%s", given, lines)
	for _, name := range names {
		fmt.Fprintf(&text, "\t_ = %s\n", name)
	}
	text.WriteString("}\n")
	return text.String()
}

// packagesByName are the packages of this module that a program may import; of two
// with one name the shorter path is meant.
func packagesByName(t *testing.T) map[string]string {
	t.Helper()
	list := exec.Command("go", "list", "-f", "{{.Name}} {{.ImportPath}}", "./...")
	list.Dir = "../.."
	output, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(output)) {
		name, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		if known := found[name]; name != "main" && !strings.Contains(path, "/internal/") && !strings.Contains(path, "/emulator/") && (known == "" || len(path) < len(known)) {
			found[name] = path
		}
	}
	return found
}

// documents are README and the pages of doc.
func documents(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../../doc/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{"../../README.md"}, paths...)
}

// consoleLines are what somebody types in the console blocks of a page.
func consoleLines(t *testing.T, path string) (typed []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for line := range strings.Lines(block[1]) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				typed = append(typed, strings.TrimSpace(command))
			}
		}
	}
	return typed
}
