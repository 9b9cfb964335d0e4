// Package npmtest runs programs with packages from npm, unchanged and pinned by a lock file,
// against emulated venues.
package npmtest

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/internal/needs"
)

// npmtest.go owns the installation of packages, and the run of a script with them.

// Install copies a script's files from a folder to where it may leave things, and installs
// what its lock file says beside them: npm checks that each package is as published. It
// returns that folder.
func Install(ctx context.Context, t testing.TB, from string) (folder string) {
	t.Helper()
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			needs.Skip(t, "interop", "the program "+name+" is not installed (apt-get install nodejs npm)")
		}
	}
	folder = t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline",
		"--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000")
	npm.Dir, npm.WaitDelay = folder, 5*time.Second
	if output, err := npm.CombinedOutput(); err != nil {
		if reason := unreachable(output); reason != "" {
			needs.Skip(t, "interop", "npm reaches no registry: "+reason)
		}
		t.Fatalf("npm ci: %v\n%s", err, output)
	}
	return folder
}

// unreachable is what npm calls the reason if the network is why it failed.
func unreachable(output []byte) string {
	for _, code := range []string{
		"ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH",
		"ERR_SOCKET_TIMEOUT", "FETCH_ERROR", "ENOTCACHED",
	} {
		if bytes.Contains(output, []byte(code)) {
			return code
		}
	}
	return ""
}

// Run runs the folder's main.mjs, which trusts an authority in PEM and gets the input as
// JSON. It returns what the script says of each of its steps: lines of JSON with step and
// got. Other lines are the package's own.
func Run(ctx context.Context, t testing.TB, folder string, authority []byte, input any, options ...string) map[string]string {
	t.Helper()
	file := filepath.Join(folder, "authority.pem")
	if err := os.WriteFile(file, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(ctx, "node", append(options, "main.mjs")...)
	node.Dir, node.WaitDelay = folder, 5*time.Second
	node.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+file)
	node.Stdin = bytes.NewReader(text)
	output, err := node.CombinedOutput()
	if err != nil {
		t.Fatalf("the client: %v\n%s", err, output)
	}
	steps := make(map[string]string)
	for line := range strings.Lines(string(output)) {
		var one struct {
			Step string
			Got  json.RawMessage
		}
		if json.Unmarshal([]byte(line), &one) == nil && one.Step != "" {
			steps[one.Step] = string(one.Got)
		}
	}
	t.Logf("%s", output)
	return steps
}
