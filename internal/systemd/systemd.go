// Package systemd tells systemd how a service is, and takes the sockets that it hands over
// (sd_notify(3), sd_listen_fds(3)). Without systemd it does nothing.
package systemd

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// systemd.go owns both: the messages, and the sockets.

// firstFD is the number of the first descriptor that is handed over.
const firstFD = 3

// Notify sends a message, such as "READY=1" or "STATUS=12 sign-ins". It does nothing if
// nobody listens.
func Notify(environ func(string) string, message string) error {
	path := environ("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	if path[0] != '/' && path[0] != '@' {
		return errors.New("NOTIFY_SOCKET names no Unix socket")
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(message))
	return err
}

// Watch tells the watchdog that the service is alive, twice as often as it wants, as long as alive
// says so, until the context ends. It returns at once if there is no watchdog for this process.
func Watch(ctx context.Context, environ func(string) string, alive func() bool) {
	every, err := strconv.ParseInt(environ("WATCHDOG_USEC"), 10, 64)
	if pid := environ("WATCHDOG_PID"); err != nil || every <= 0 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return
	}
	ticker := time.NewTicker(time.Duration(every) * time.Microsecond / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if alive() {
				_ = Notify(environ, "WATCHDOG=1")
			}
		}
	}
}

// Listeners returns the sockets that were handed over to this process, none if there are none.
func Listeners(environ func(string) string) (list []net.Listener, err error) {
	if environ("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	number, err := strconv.Atoi(environ("LISTEN_FDS"))
	if err != nil || number < 0 || number > 64 {
		return nil, errors.New("LISTEN_FDS is no number of sockets")
	}
	names := strings.Split(environ("LISTEN_FDNAMES"), ":")
	for i := range number {
		name := "socket " + strconv.Itoa(i)
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		file := os.NewFile(uintptr(firstFD+i), name)
		listener, failed := net.FileListener(file) // which has a descriptor of its own
		_ = file.Close()
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		list = append(list, listener)
	}
	return list, err
}
