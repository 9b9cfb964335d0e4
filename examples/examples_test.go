package examples

// examples_test.go runs each program as a reader would.

import (
	"os/exec"
	"strings"
	"testing"
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
					t.Errorf("it does not say %q:\n%s", want, said)
				}
			}
			if strings.Count(string(said), "bid") < 3 && name == "ctrader-complete" {
				t.Errorf("quotes stopped:\n%s", said)
			}
		})
	}
}
