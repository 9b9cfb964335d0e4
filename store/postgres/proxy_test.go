package postgres

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// proxy_test.go owns a wire to the server that can be cut between a statement
// and its answer.

// wire passes everything on until it is told to swallow answers.
type wire struct {
	t        *testing.T
	target   string
	listener net.Listener

	mu   sync.Mutex
	ends map[net.Conn]bool
	swallow,
	down bool
	swallowed chan struct{} // gives an item for each answer that was swallowed
	running   sync.WaitGroup
}

// newWire gives the wire and the address with which the database is reached
// through it.
func newWire(t *testing.T, address string) (*wire, string) {
	t.Helper()
	host := strings.TrimPrefix(strings.Fields(address)[0], "host=")
	dir, err := os.MkdirTemp("", "vkwire") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, target: filepath.Join(host, ".s.PGSQL.5432"), listener: listener,
		ends: map[net.Conn]bool{}, swallowed: make(chan struct{}, 1000)}
	w.running.Go(w.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		w.cut()
		w.running.Wait()
		_ = os.RemoveAll(dir)
	})
	return w, strings.Replace(address, host, dir, 1)
}

func (w *wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", w.target)
		w.mu.Lock()
		if err != nil || w.down {
			_ = client.Close()
			if err == nil {
				_ = server.Close()
			}
			w.mu.Unlock()
			continue
		}
		w.ends[client], w.ends[server] = true, true
		w.mu.Unlock()
		w.running.Go(func() {
			_, _ = io.Copy(server, client)
			w.hangUp(client, server)
		})
		w.running.Go(func() { w.answer(client, server) })
	}
}

// answer passes answers on, or swallows one and cuts.
func (w *wire) answer(client, server net.Conn) {
	defer w.hangUp(client, server)
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		w.mu.Lock()
		swallow := w.swallow
		w.mu.Unlock()
		if swallow && !prepared(buffer[:n]) {
			// The end of an answer is the server's word that it is ready; before
			// that, a transaction may not be committed.
			for n > 0 && !ready(buffer[:n]) {
				if n, err = server.Read(buffer); err != nil {
					n = 0
				}
			}
			w.swallowed <- struct{}{}
			return
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// prepared reports whether bytes are the answer to a statement that is only
// prepared: ParseComplete and ParameterDescription.
func prepared(b []byte) bool { return len(b) > 5 && b[0] == '1' && b[5] == 't' }

// ready reports whether bytes end with ReadyForQuery, outside a transaction.
func ready(b []byte) bool { return strings.HasSuffix(string(b), "Z\x00\x00\x00\x05I") }

func (w *wire) hangUp(client, server net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, end := range []net.Conn{client, server} {
		_ = end.Close()
		delete(w.ends, end)
	}
}

// set changes whether answers are swallowed and whether the wire is down.
func (w *wire) set(swallow, down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.swallow, w.down = swallow, down
}

// cut ends all connections that there are.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for end := range w.ends {
		_ = end.Close()
	}
}
