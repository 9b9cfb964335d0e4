package postgres

import (
	"net"
	"sync"
	"testing"
)

// answering_test.go owns listeners that stand in for a server of PostgreSQL.

// answering answers each client of a listener by itself, until the test ends.
func answering(t *testing.T, listener net.Listener, answer func(client net.Conn)) {
	var running sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); running.Wait() })
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer client.Close()
				answer(client)
			})
		}
	})
}
