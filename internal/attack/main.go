// Command attack plays every attack of doc/security.md and prints a line for each: held,
// OPEN, or not tried with the reason.
//
// The page is the list. Each row of its table "Defended against" names the tests that
// play the attack; they are next to the code that has to withstand it. This program finds
// and runs them, and exits with 1 if an attack succeeds.
//
//	go run ./internal/attack
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	goCommand := os.Getenv("GO")
	if goCommand == "" {
		goCommand = "go"
	}
	if err := run(goCommand, "."); err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(1)
	}
}

func run(goCommand, root string) error {
	page, err := os.ReadFile(filepath.Join(root, "doc", "security.md"))
	if err != nil {
		return err
	}
	table, err := rows(string(page))
	if err != nil {
		return fmt.Errorf("doc/security.md: %w", err)
	}
	work, err := plan(table, root)
	if err != nil {
		return err
	}
	results := map[string]played{}
	for i, folder := range slices.Sorted(maps.Keys(work)) {
		fmt.Fprintf(os.Stderr, "attack: %d of %d: %s, %d tests\n", i+1, len(work), folder, len(work[folder]))
		here, err := play(goCommand, root, folder, work[folder])
		if err != nil {
			return err
		}
		for name, p := range here {
			if p.outcome > results[name].outcome {
				results[name] = p
			}
		}
	}
	return tell(table, results)
}

// plan returns the tests to run in each folder.
func plan(table []row, root string) (map[string][]string, error) {
	homes, err := homes(root)
	if err != nil {
		return nil, err
	}
	work := map[string][]string{}
	for _, r := range table {
		for _, name := range r.tests {
			test, _, _ := strings.Cut(name, "/")
			if len(homes[test]) == 0 {
				return nil, fmt.Errorf("doc/security.md names %s, which no package has (%s)", name, r.against)
			}
			for _, folder := range homes[test] {
				if !slices.Contains(work[folder], name) {
					work[folder] = append(work[folder], name)
				}
			}
		}
	}
	return work, nil
}

// tell prints the rows and a line for each attack. With CI=true an attack that was not
// tried counts as open, as skipped tests do everywhere here.
func tell(table []row, results map[string]played) error {
	count := map[outcome]int{}
	for _, r := range table {
		fmt.Println(r.against)
		for _, name := range r.tests {
			fate, why := fate(name, results)
			count[fate]++
			fmt.Printf("  %-9s  %s\n", fate, name)
			for _, line := range why {
				fmt.Printf("  %-9s    %s\n", "", line)
			}
		}
	}
	fmt.Printf("\n%d held, %d OPEN, %d not tried\n", count[held], count[open], count[skipped])
	if count[open] > 0 || count[skipped] > 0 && os.Getenv("CI") == "true" {
		return fmt.Errorf("not every attack was held")
	}
	return nil
}
