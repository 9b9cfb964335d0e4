package examples

// examples_test.go runs each program as a reader would.

import (
	"bufio"
	"go/scanner"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/venuekey/venuekey/examples/internal/stand"
)

func TestExamplesRun(t *testing.T) {
	for name, wants := range map[string][]string{
		"ctrader-complete": {"account 5001, live false", "balance 10000.00", "the token was renewed; the stream goes on"},
		"ctrader-code":     {"open: http://", "token [secret] expires", "is another one: true"},
		"ctrader-token":    {"account 5001 balance 10000.00", "the API is version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := exec.Command("go", "run", "-ldflags=-s -w", "./"+name)
			command.Env = append(command.Environ(), "VENUEKEY_CTRADER_CLIENT_ID=", "CGO_ENABLED=0")
			said, err := command.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			for _, want := range wants {
				if !strings.Contains(string(said), want) {
					t.Errorf("it does not print %q:\n%s", want, said)
				}
			}
			if strings.Count(string(said), "bid") < 3 && name == "ctrader-complete" {
				t.Errorf("quotes stopped:\n%s", said)
			}
		})
	}
}

// The bot finds its vault in the environment, as the command does. Its second run does not
// ask.
func TestTheBotSignsInOnce(t *testing.T) {
	t.Setenv("VENUEKEY_CTRADER_CLIENT_ID", "")
	venue, err := stand.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer venue.Close()
	folder := t.TempDir()
	environ, err := venue.Environ(folder)
	if err != nil {
		t.Fatal(err)
	}
	bot := filepath.Join(folder, "bot.exe")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", bot, "./bot")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	for run, signIns := range []int{1, 0} {
		command := exec.Command(bot)
		command.Env = append(command.Environ(), environ...)
		var out strings.Builder
		command.Stdout = &out
		said, err := command.StderrPipe()
		if err == nil {
			err = command.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		address, visits, all := regexp.MustCompile(`http://\S+`), 0, ""
		for lines := bufio.NewScanner(said); lines.Scan(); all += lines.Text() + "\n" {
			if found := address.FindString(lines.Text()); found != "" && visits == 0 {
				visits++
				if err := venue.Person.Visit(t.Context(), found); err != nil {
					t.Error(err)
				}
			}
		}
		if err := command.Wait(); err != nil || visits != signIns || strings.Count(out.String(), "bid 1.") != 3 || !strings.Contains(out.String(), "order: ORDER_") {
			t.Fatalf("run %d: %v, %d sign-ins\n%s%s", run+1, err, visits, all, out.String())
		}
	}
}

// A program that signs in, streams and trades fits a screen.
func TestTheBotIsShort(t *testing.T) {
	source, err := os.ReadFile("bot/main.go")
	if err != nil {
		t.Fatal(err)
	}
	files, lines := token.NewFileSet(), map[int]bool{}
	file := files.AddFile("main.go", files.Base(), len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, 0) // without comments
	for {
		at, what, _ := s.Scan()
		if what == token.EOF {
			break
		}
		lines[file.Line(at)] = true
	}
	if len(lines) > 40 {
		t.Errorf("it has %d lines of code", len(lines))
	}
}
