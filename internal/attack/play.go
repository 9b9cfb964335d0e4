package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
)

// play.go owns running the tests, and their outcomes.

// outcome is the result of an attack, in order of severity: an attack that two packages
// play has the worse of their outcomes.
type outcome int

const (
	missing outcome = iota // no result yet
	held
	skipped
	open
)

func (o outcome) String() string {
	return [...]string{"missing", "held", "not tried", "OPEN"}[o]
}

// played is a test's outcome, and its output unless it held.
type played struct {
	outcome outcome
	said    []string
}

// event is a line of `go test -json`.
type event struct {
	Action, Package, Test, Output string
}

// play runs tests of one folder and returns their results by name.
func play(goCommand, root, folder string, tests []string) (map[string]played, error) {
	results := map[string]played{}
	for _, pattern := range patterns(tests) {
		command := exec.Command(goCommand, "test", "-json", "-count=1", "-timeout=20m", "-run", pattern, folder)
		command.Dir = root
		output, err := command.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := command.Start(); err != nil {
			return nil, err
		}
		read(output, results)
		_ = command.Wait() // a test that fails is no error here
	}
	return results, nil
}

// patterns returns the arguments of `-run`: all whole tests in one, and each subtest
// alone.
func patterns(tests []string) []string {
	var whole, single []string
	for _, name := range tests {
		if test, sub, ok := strings.Cut(name, "/"); ok {
			single = append(single, "^"+test+"$/^"+sub+"$")
		} else {
			whole = append(whole, name)
		}
	}
	if len(whole) > 0 {
		single = append(single, "^("+strings.Join(whole, "|")+")$")
	}
	return single
}

func read(output io.Reader, results map[string]played) {
	said := map[string][]string{}
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Test == "" {
			continue
		}
		ends := map[string]outcome{"pass": held, "skip": skipped, "fail": open}
		if e.Action == "output" {
			said[e.Test] = append(said[e.Test], strings.TrimSpace(e.Output))
		} else if end, ok := ends[e.Action]; ok {
			results[e.Test] = played{outcome: max(end, results[e.Test].outcome), said: append(results[e.Test].said, said[e.Test]...)}
			if parent, _, sub := strings.Cut(e.Test, "/"); sub && end == skipped {
				// A skipped part means that the attack was not tried, though the test passes.
				results[parent] = played{outcome: skipped, said: said[e.Test]}
			}
		}
	}
}

// fate returns the outcome of one attack. One without a result is open: its package may
// not even build.
func fate(name string, results map[string]played) (outcome, []string) {
	switch p := results[name]; p.outcome {
	case missing:
		return open, []string{"it did not run; does its package build?"}
	case held:
		return held, nil
	default:
		return p.outcome, telling(name, p.said)
	}
}

// telling removes what go test adds to a test's output, and bounds it.
func telling(name string, said []string) []string {
	lines := slices.DeleteFunc(slices.Clone(said), func(line string) bool {
		return line == "" || strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ")
	})
	const most = 12
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("… %d lines more; run %s alone", len(lines)-most, name))
	}
	return lines
}
