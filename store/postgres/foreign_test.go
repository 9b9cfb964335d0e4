package postgres

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"unicode"
)

// A server that is none, or one that somebody else runs, writes its message on the
// operator's terminal: it passes the gate.
func TestAttackAServerThatWritesOnTheTerminal(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"28P01", "3D000", "42501", "57P03", "XX000", "\x1b[2J", ""} {
		port := refusing(t, code, "no\x1b[2J\x1b]0;owned\x07\r\n9999\tlive\u202e dGhpcyBpcyBub3QgYSByZWFsIHRva2VuLCBidXQgbG9uZw")
		_, err := Open(t.Context(), fmt.Sprintf("host=127.0.0.1 port=%s user=u dbname=d sslmode=disable password=%s", port, password))
		if err == nil {
			t.Fatal("it opened")
		}
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err)} {
			for _, r := range text {
				if !unicode.IsPrint(r) {
					t.Fatalf("%q: %q", code, text)
				}
			}
			if len(text) > 1000 || strings.Contains(text, "dGhpcyBpcyBub3Qg") || strings.Contains(text, password) {
				t.Fatalf("%q: %q", code, text)
			}
		}
	}
}

// refusing listens as a server of PostgreSQL that refuses everybody with a message, and
// gives its port.
func refusing(t *testing.T, code, message string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	answering(t, listener, func(client net.Conn) {
		length := make([]byte, 4) // of the start-up message
		if _, err := io.ReadFull(client, length); err != nil {
			return
		}
		_, _ = io.CopyN(io.Discard, client, int64(binary.BigEndian.Uint32(length))-4)
		fields := "SFATAL\x00VFATAL\x00C" + code + "\x00M" + message + "\x00\x00"
		answer := binary.BigEndian.AppendUint32([]byte("E"), uint32(len(fields)+4))
		_, _ = client.Write(append(answer, fields...))
	})
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}
