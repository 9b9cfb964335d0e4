package main

import (
	"fmt"
	"regexp"
	"strings"
)

// page.go owns the table of doc/security.md.

// heading is the section of doc/security.md whose table lists the attacks.
const heading = "## Defended against"

// row is one line of the table: what is defended against, and the tests that
// play it.
type row struct {
	against string
	tests   []string
}

// testName matches a test or fuzz target in backquotes, with a subtest after a slash if
// one is meant: `TestScripts/store`.
var testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9_]*(?:/[A-Za-z0-9_]+)?)`")

// rows reads the table. A row without a test is an error: a defence that is never
// attacked is only a hope.
func rows(page string) ([]row, error) {
	_, section, found := strings.Cut(page, heading+"\n")
	if !found {
		return nil, fmt.Errorf("no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var list []row
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.TrimSpace(cells[0]) == "against" {
			continue
		}
		if len(cells) != 3 {
			return nil, fmt.Errorf("a row has %d cells, not 3: %s", len(cells), line)
		}
		r := row{against: strings.TrimSpace(cells[0])}
		for _, match := range testName.FindAllStringSubmatch(cells[2], -1) {
			r.tests = append(r.tests, match[1])
		}
		if len(r.tests) == 0 {
			return nil, fmt.Errorf("no test plays: %s", r.against)
		}
		list = append(list, r)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no row below %q", heading)
	}
	return list, nil
}
