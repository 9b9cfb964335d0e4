//go:build unix

package agent_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/internal/needs"
)

// users_unix_test.go plays the socket between two users of the machine, by real processes, and
// between agents that start at once.

const secondUser = "a second user"

// misplaced fails unless Listen refuses a path, in words.
func misplaced(t *testing.T, path, want string) {
	t.Helper()
	listener, err := agent.Listen(path)
	if err == nil {
		_ = listener.Close()
	}
	if venuekey.ClassOf(err) != venuekey.ClassMisconfigured || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want %q", path, err, want)
	}
}

// Where another user could have put a socket first, or could put one later, there is none.
func TestAttackASocketWhereAnotherUserWas(t *testing.T) {
	street := needs.Street(t)
	needs.StrangerDoes(t, secondUser, street, "mkdir -m 700 his; mkdir -m 777 everybodys; ln -s "+street+"/ours link; mkdir ours-not; chmod 755 ours-not")
	misplaced(t, filepath.Join(street, "his", "agent.sock"), "belongs to another user")
	misplaced(t, filepath.Join(street, "his", "below", "agent.sock"), "belongs to another user")
	misplaced(t, filepath.Join(street, "everybodys", "agent.sock"), "belongs to another user")
	misplaced(t, filepath.Join(street, "ours-not", "agent.sock"), "belongs to another user")
	if err := os.Mkdir(filepath.Join(street, "ours"), 0o700); err != nil {
		t.Fatal(err)
	}
	misplaced(t, filepath.Join(street, "link", "agent.sock"), "is a link")
	part{Play: "squat", Path: filepath.Join(street, "agent.sock")}.begins(t, needs.StrangerRuns(t, secondUser))
	misplaced(t, filepath.Join(street, "agent.sock"), "other users may write to")

	// In our folder, in which he cannot put one, root can: that is an agent's place all the same.
	path := filepath.Join(street, "ours", "agent.sock")
	stale, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = stale.Close()
	if err := os.Chown(path, needs.StrangerID, needs.StrangerID); err != nil {
		t.Fatal(err)
	}
	listener, err := agent.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// A program sends nothing to a socket on which another user listens, and believes nothing of it.
func TestAttackASocketOfAnotherUserIsAsked(t *testing.T) {
	path := filepath.Join(needs.Street(t), "agent.sock")
	he := part{Play: "squat", Path: path}.begins(t, needs.StrangerRuns(t, secondUser))
	for _, short := range []bool{false, true} {
		client := &agent.Client{Socket: path, Short: short}
		token, err := client.Token(t.Context(), alice)
		if token != nil || venuekey.ClassOf(err) != venuekey.ClassMisconfigured || !strings.Contains(err.Error(), fmt.Sprintf("user %d listens at %s", needs.StrangerID, path)) {
			t.Errorf("%v %v", token, err)
		}
		if _, err := client.Reject(t.Context(), alice, "SENTINEL-access"); err == nil || strings.Contains(err.Error(), "SENTINEL") {
			t.Error(err)
		}
		for range client.Statuses(t.Context()) {
		}
		client.CloseIdleConnections()
	}
	he.end()
	if len(he.more) > 0 {
		t.Errorf("he was sent %q", he.more)
	}
}

// The kernel's word decides: whoever reaches a socket that stands open is refused, unless they are
// its user, and root is refused as well.
func TestAttackAnotherUserReachesTheSocket(t *testing.T) {
	const request = "GET /v1/token/stage/alice HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	needs.Stranger(t, secondUser)
	street := needs.Street(t)
	ours, his := filepath.Join(street, "ours", "agent.sock"), filepath.Join(street, "his", "agent.sock")
	needs.StrangerDoes(t, secondUser, street, "mkdir -m 700 his")
	part{Play: "serve", Path: ours}.begins(t, nil)
	part{Play: "serve", Path: his}.begins(t, needs.StrangerRuns(t, secondUser))
	for _, test := range []struct {
		path     string
		stranger bool
		want     string
	}{
		{ours, false, `access_token`},
		{ours, true, fmt.Sprintf("answers user %d only, and user %d asked", os.Geteuid(), needs.StrangerID)},
		{his, true, `access_token`},
		{his, false, fmt.Sprintf("answers user %d only, and user %d asked; root too asks as the user: sudo -u '#%d'", needs.StrangerID, os.Geteuid(), needs.StrangerID)},
	} {
		command := needs.StrangerRuns(t, secondUser)
		if !test.stranger {
			command = nil
		}
		one := part{Play: "ask", Path: test.path, Text: request}.begins(t, command)
		if !strings.Contains(one.said, test.want) || strings.Contains(one.said, "403 Forbidden") != strings.HasPrefix(test.want, "answers") || strings.Contains(one.said, "access-1") == strings.HasPrefix(test.want, "answers") {
			t.Errorf("%+v: %s", test, one.said)
		}
	}
	client := &agent.Client{Socket: his}
	defer client.CloseIdleConnections()
	if _, err := client.Token(t.Context(), alice); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("sudo -u '#%d' venuekey", needs.StrangerID)) && !strings.Contains(fmt.Sprint(err), "listens at") {
		t.Errorf("root's own client: %v", err)
	}
}

// Of many that start at the same moment one serves, and each other one says that it is not the one.
func TestAttackAgentsThatStartAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folder", "agent.sock")
	stale := part{Play: "listen", Path: path}.begins(t, nil)
	_ = stale.command.Process.Kill()
	stale.end() // and its socket stays
	const many = 8
	var all []*player
	for range many {
		all = append(all, part{Play: "listen", Path: path}.starts(t, nil))
	}
	var said []string
	for _, one := range all {
		one.ready(t)
		said = append(said, one.said)
	}
	serving := 0
	for _, text := range said {
		if text == "<nil>" {
			serving++
		} else if !strings.Contains(text, "another agent") || !strings.Contains(text, "serves this vault at "+path) {
			t.Errorf("said %s", text)
		}
	}
	if serving != 1 {
		t.Errorf("%d of %d serve: %q", serving, many, said)
	}
}

// An agent whose files somebody removed does not take the socket of its successor with it.
func TestAttackTheSocketOfASuccessor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "agent.sock")
	first, err := agent.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + ".lock"} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	second, err := agent.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("the second cannot be reached: %v", err)
	}
	_ = conn.Close()
}

// A path that no socket can have is an error of words, at both ends.
func TestAttackAPathThatNoSocketCanHave(t *testing.T) {
	base := t.TempDir()
	for _, length := range []int{104, 108, 109, 200, 4000} {
		path := filepath.Join(base, "a")
		path = filepath.Join(path, strings.Repeat("x", max(1, length-len(path)-1)))
		misplaced(t, path, fmt.Sprintf("has %d bytes, and a socket's may have 103", len(path)))
		if _, err := os.Lstat(filepath.Join(base, "a")); err == nil {
			t.Errorf("%d: a folder was made for it", length)
		}
		_, err := (&agent.Client{Socket: path, Short: true}).Token(t.Context(), alice)
		if length >= 108 && (venuekey.ClassOf(err) != venuekey.ClassMisconfigured || !strings.Contains(err.Error(), "and a socket's may have 103")) {
			t.Errorf("%d: a client says %v", length, err)
		}
	}
}
