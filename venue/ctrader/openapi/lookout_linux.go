package openapi

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// lookout_linux.go owns waiting for a socket to become readable while another goroutine
// may read it: an epoll instance holds the socket, and the Go runtime waits for the epoll
// instance. Watching can be switched off and on without waking the waiter.

// lookout is a TCP connection and the epoll instance that watches it. It takes one more
// file descriptor.
type lookout struct {
	*net.TCPConn
	raw     syscall.RawConn
	glimpse glimpse
	hurried bool
	records records

	epoll    *os.File
	epollRaw syscall.RawConn // the epoll's
	mu       sync.Mutex      // held while the descriptors' numbers are used
	closed   bool
	fd, of   int // the epoll's, and the socket's
}

// watchSocket returns a connection with its lookout, or the same connection and nil if it
// cannot have one. It must be a plain *net.TCPConn: a wrapper may change what is read.
func watchSocket(nc net.Conn) (net.Conn, watch) {
	tcp, plain := nc.(*net.TCPConn)
	if !plain {
		return nc, nil
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nc, nil
	}
	_ = syscall.SetNonblock(fd, true) // so that the runtime waits for it
	l := &lookout{TCPConn: tcp, fd: fd, epoll: os.NewFile(uintptr(fd), "epoll")}
	l.glimpse.of = l.glimpse.read
	if l.raw, err = tcp.SyscallConn(); err == nil {
		err = l.raw.Control(func(socket uintptr) { l.of = int(socket) })
	}
	if err == nil {
		l.epollRaw, err = l.epoll.SyscallConn()
	}
	if err == nil {
		err = l.until(time.Time{}) // fails if the runtime cannot wait for it
	}
	if err == nil {
		err = l.control(syscall.EPOLL_CTL_ADD, 0)
	}
	if err != nil {
		_ = l.epoll.Close()
		return nc, nil
	}
	return l, l
}

// glimpse is a read that does not block.
type glimpse struct {
	of  func(socket uintptr) // the method value read, allocated once
	b   []byte
	n   int
	err error
}

func (g *glimpse) read(socket uintptr) {
	for {
		if g.n, g.err = syscall.Read(int(socket), g.b); g.err != syscall.EINTR {
			return
		}
	}
}

// Read blocks, unless it is in a hurry.
func (l *lookout) Read(b []byte) (n int, err error) {
	if l.hurried && len(b) > 0 {
		n, err = l.readNow(b)
	} else {
		n, err = l.TCPConn.Read(b)
	}
	l.records.came(b[:n])
	return n, err
}

func (l *lookout) readNow(b []byte) (int, error) {
	g := &l.glimpse
	g.b = b
	err := l.raw.Control(g.of) // RawConn.Read would obey the deadline of some caller
	g.b = nil
	switch {
	case err != nil:
		return 0, err
	case g.err == syscall.EAGAIN:
		return 0, nothingYet{}
	case g.err != nil:
		return 0, &net.OpError{Op: "read", Net: "tcp", Source: l.LocalAddr(), Addr: l.RemoteAddr(), Err: os.NewSyscallError("read", g.err)}
	case g.n == 0:
		return 0, io.EOF
	}
	return g.n, nil
}

func (l *lookout) hurry(yes bool) { l.hurried = yes }

func (l *lookout) single() bool { return l.records.single() }

func (l *lookout) look() error {
	l.records.begin()
	return l.control(syscall.EPOLL_CTL_MOD, syscall.EPOLLIN)
}

func (l *lookout) lookAway() error { return l.control(syscall.EPOLL_CTL_MOD, 0) }

func (l *lookout) control(how int, events uint32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return net.ErrClosed
	}
	event := syscall.EpollEvent{Events: events | syscall.EPOLLONESHOT}
	return os.NewSyscallError("epoll_ctl", syscall.EpollCtl(l.fd, how, l.of, &event))
}

func (l *lookout) until(t time.Time) error { return l.epoll.SetReadDeadline(t) }

func (l *lookout) wait() (came bool) {
	err := l.epollRaw.Read(func(epoll uintptr) bool {
		var events [1]syscall.EpollEvent
		n, err := syscall.EpollWait(int(epoll), events[:], 0)
		return n > 0 || err != nil && err != syscall.EINTR
	})
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// Close also ends a wait.
func (l *lookout) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	_ = l.epoll.Close()
	return l.TCPConn.Close()
}

// records counts TLS records (RFC 8446 §5.1) in the bytes below TLS.
type records struct {
	header [5]byte // a type, a version, and two bytes of length
	known  int     // how much of it
	left   int     // of the record
	begun  int
}

func (r *records) came(b []byte) {
	for len(b) > 0 {
		if r.left == 0 {
			n := copy(r.header[r.known:], b)
			r.known, b = r.known+n, b[n:]
			if r.known < len(r.header) {
				return
			}
			r.known, r.left = 0, int(binary.BigEndian.Uint16(r.header[3:]))
			r.begun++
		}
		n := min(r.left, len(b))
		r.left, b = r.left-n, b[n:]
	}
}

// begin resets the count. A record that is partly read already counts as one.
func (r *records) begin() { r.begun = min(r.left, 1) }

// single reports whether exactly one record has arrived since begin. If it was data and
// has been consumed, TLS buffers nothing.
func (r *records) single() bool { return r.begun == 1 && r.left == 0 && r.known == 0 }
