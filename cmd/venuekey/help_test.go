package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// help_test.go owns that help is read in a terminal of 80 columns.

func TestHelpFitsATerminal(t *testing.T) {
	t.Parallel()
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			var page bytes.Buffer
			cmd.SetOut(&page)
			if err := cmd.Help(); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(page.String()) {
				line = strings.TrimRight(line, "\n")
				typed := strings.Contains(cmd.Example, line) // a line to be typed is not broken
				if utf8.RuneCountInString(line) > 80 && !typed {
					t.Errorf("it is %d wide: %s", utf8.RuneCountInString(line), line)
				}
			}
		})
		for _, child := range cmd.Commands() {
			if child.Name() != "completion" { // not ours
				visit(child)
			}
		}
	}
	visit((&program{host: newOutside(t).host}).root())
}
