package sqlite

import (
	"context"
	"errors"
	"os"
	"sync"

	"github.com/ncruces/go-sqlite3"

	"github.com/venuekey/venuekey"
)

// pool.go owns the few connections of one process. A reader with its own connection does
// not wait for a writer's flush.

// poolSize bounds the connections of a Store. One is the writer's; a read takes
// microseconds, so a few more serve any number of goroutines.
const poolSize = 4

type pool struct {
	path   string
	places chan struct{} // holds one item for each connection in use
	done   chan struct{} // closed by close

	mu   sync.Mutex
	idle []*conn // a stack: the most recently used is taken next
	once sync.Once
}

func newPool(path string) *pool {
	return &pool{path: path, places: make(chan struct{}, poolSize), done: make(chan struct{})}
}

// take returns a connection for the caller's exclusive use until give. The context
// interrupts its statements.
func (p *pool) take(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-p.done:
		return nil, os.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	case p.places <- struct{}{}:
	}
	c, err := p.pick(ctx)
	if err != nil {
		<-p.places
	}
	return c, err
}

// pick returns a connection to the file that is at path now, or opens one. After the file
// was replaced, old connections would go on writing to a file without a name, and what
// they acknowledge would be lost.
func (p *pool) pick(ctx context.Context) (*conn, error) {
	for c := p.pop(); c != nil; c = p.pop() {
		if !c.moved(p.path) {
			c.db.SetInterrupt(ctx)
			return c, nil
		}
		if err := c.close(); err != nil {
			return nil, err
		}
	}
	select {
	case <-p.done:
		return nil, os.ErrClosed
	default:
		return connect(ctx, p.path)
	}
}

func (p *pool) pop() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	c := p.idle[last]
	p.idle = p.idle[:last]
	return c
}

// give returns a connection to the pool. It closes it if the error leaves its state in
// doubt, or if it cannot write.
func (p *pool) give(c *conn, err error) {
	c.db.SetInterrupt(context.Background())
	if c.spent(err) {
		_ = c.close() // err says what is wrong
	} else {
		p.mu.Lock()
		p.idle = append(p.idle, c)
		p.mu.Unlock()
	}
	<-p.places
}

// close waits until every connection is back and closes them all.
func (p *pool) close() (err error) {
	p.once.Do(func() {
		close(p.done)
		for range poolSize {
			p.places <- struct{}{}
		}
		for c := p.pop(); c != nil; c = p.pop() {
			err = errors.Join(err, c.close())
		}
	})
	return err
}

func (c *conn) spent(err error) bool {
	switch {
	case !c.db.GetAutocommit(), c.readOnly:
		return true
	case err == nil, errors.Is(err, venuekey.ErrNotFound), errors.Is(err, venuekey.ErrConflict),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, sqlite3.BUSY):
		return false
	}
	return true
}

// moved reports whether the file that the connection has open is no longer the one at its
// path. Windows does not allow an open file to be moved.
func (c *conn) moved(path string) bool {
	if !posix {
		return false
	}
	info, err := os.Stat(path)
	return err != nil || !os.SameFile(info, c.file)
}
