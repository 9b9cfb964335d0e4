package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEveryDefenceNamesItsAttacks reads the real page: each row names tests, and
// each of them exists.
func TestEveryDefenceNamesItsAttacks(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "doc", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	table, err := rows(string(page))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan(table, root); err != nil {
		t.Error(err)
	}
}

func TestPagesThatCannotBePlayed(t *testing.T) {
	const head = heading + "\n\n| against | how | held by |\n|---|---|---|\n"
	tests := map[string]struct{ page, want string }{
		"no section":   {"# Security\n", "no section"},
		"no row":       {head, "no row"},
		"no test":      {head + "| a thief | a lock | hope |\n", "no test plays: a thief"},
		"a cell more":  {head + "| a thief | a lock | a | `TestLock` |\n", "4 cells"},
		"another page": {head + "\n## Else\n| a thief | a lock | `TestLock` |\n", "no row"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := rows(test.page); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	table, err := rows(head + "| a thief | a lock | `TestLock`, `TestScripts/key`, `FuzzLock` |\n")
	if want := []string{"TestLock", "TestScripts/key", "FuzzLock"}; err != nil || !slices.Equal(table[0].tests, want) {
		t.Errorf("got %v, %v; want %v", table, err, want)
	}
	if _, err := plan(table, t.TempDir()); err == nil || !strings.Contains(err.Error(), "TestLock, which no package has") {
		t.Errorf("a test that does not exist: %v", err)
	}
}

// TestWhatBecameOfAnAttack plays a module with one attack of each fate.
func TestWhatBecameOfAnAttack(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example.test/castle\n\ngo 1.26\n")
	write("gate/gate_test.go", `package gate

import "testing"

func TestGate(t *testing.T)   {}
func TestWall(t *testing.T)   { t.Error("a ladder was enough") }
func TestMoat(t *testing.T)   { t.Skip("no water") }
func TestTowers(t *testing.T) { t.Run("north", func(*testing.T) {}); t.Run("south", func(t *testing.T) { t.Error("it fell") }) }
func TestFord(t *testing.T)   { t.Run("dry", func(*testing.T) {}); t.Run("wet", func(t *testing.T) { t.Skip("no boat") }) }
`)
	write("broken/broken_test.go", "package broken\n\nfunc TestBroken(t testing.T) {\n")
	results := map[string]played{}
	for folder, tests := range map[string][]string{
		"./gate":   {"TestGate", "TestWall", "TestMoat", "TestTowers/north", "TestFord"},
		"./broken": {"TestBroken"},
	} {
		here, err := play("go", root, folder, tests)
		if err != nil {
			t.Fatal(err)
		}
		for name, p := range here {
			results[name] = p
		}
	}
	for name, want := range map[string]struct {
		outcome outcome
		why     string
	}{
		"TestGate":         {held, ""},
		"TestWall":         {open, "a ladder was enough"},
		"TestMoat":         {skipped, "no water"},
		"TestTowers/north": {held, ""},
		"TestFord":         {skipped, "no boat"},
		"TestBroken":       {open, "does its package build"},
	} {
		outcome, why := fate(name, results)
		if outcome != want.outcome || !strings.Contains(strings.Join(why, "\n"), want.why) {
			t.Errorf("%s: %v %q, want %v %q", name, outcome, why, want.outcome, want.why)
		}
	}
}
