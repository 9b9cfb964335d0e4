package pgtest

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

// pgtest_test.go owns the life of a server, from its start to its folder's end.

func TestServer(t *testing.T) {
	server := Server{Flushes: true}
	defer server.Stop()
	t.Run("life", func(t *testing.T) {
		address := server.Database(t)
		server.SQL(t, address, "CREATE TABLE kept (n integer); INSERT INTO kept VALUES (7)")
		server.Restart(t, "immediate")
		server.Halt(t, "fast")
		server.Resume(t)
		if got := server.SQL(t, address, "SELECT n FROM kept"); got != "7" {
			t.Errorf("table holds %q after a crash, want 7", got)
		}
		if got := server.SQL(t, address, "SHOW fsync"); got != "on" {
			t.Errorf("fsync is %s", got)
		}
		server.Pooler(t, address, "transaction")
	})
	if server.dir == "" {
		t.Skip("there was no server to end")
	}
	server.Stop()
	if _, err := os.Stat(server.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder %s is left: %v", server.dir, err)
	}
}
