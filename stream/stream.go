// Package stream provides bounded queues of events between a connection and its readers.
//
// A slow reader must neither delay other readers nor stall the connection. So each
// stream has a limited capacity, and when it is full the oldest event is dropped; Dropped
// returns how many were. For quotes that is harmless, since newer ones replace older
// ones. A program that needs every event checks Dropped, or sets Buffer.Block and accepts
// that a slow reader holds up the connection.
//
// A stream does not contain what happened while the connection was down, and nothing in
// it marks the gap: watch the state of the connection for that.
//
// Memory is allocated as needed: a stream that is read in time holds a few events only.
package stream

import (
	"context"
	"errors"
	"iter"
	"sync"
)

// ErrClosed is the cause of the end of a stream that its reader closed.
var ErrClosed = errors.New("closed by this program")

// Buffer sets the capacity of a Stream, and what happens when it is full. The zero value
// is ready to use.
type Buffer struct {
	// Size is how many events can wait to be read. Zero means 1024. Memory is allocated
	// as needed.
	Size int
	// Block makes the connection wait for the reader when the stream is full, which
	// holds up all other readers and all answers, but not heartbeats. A reader that
	// itself waits for an answer on the same connection then deadlocks. Without Block
	// the oldest event is dropped and counted.
	Block bool
}

const defaultBuffer = 1024

// Stream is a bounded queue of events in the order of arrival. Any number of goroutines
// may read it; each event goes to one of them. Events may be shared with other streams
// and must not be modified.
type Stream[M any] struct {
	limit  int
	block  bool
	closed func() // called once, by Close
	once   sync.Once

	mu      sync.Mutex
	ring    []M
	head, n int
	dropped int64
	ended   bool
	cause   error
	more    chan struct{} // an event can be read
	room    chan struct{} // an event was read
	end     chan struct{}
}

// New returns a stream and the Sender that feeds it. The first call of Close calls
// closed, which must not be nil.
func New[M any](b Buffer, closed func()) (*Stream[M], Sender[M]) {
	if b.Size <= 0 {
		b.Size = defaultBuffer
	}
	s := &Stream[M]{
		limit: b.Size, block: b.Block, closed: closed,
		more: make(chan struct{}, 1), room: make(chan struct{}, 1), end: make(chan struct{}),
	}
	return s, Sender[M]{s}
}

// Sender feeds a stream. One goroutine at a time may call Put.
type Sender[M any] struct{ stream *Stream[M] }

// Put adds an event to the stream. If the stream is full and blocks, Put waits for the
// reader; if stop is closed or the stream ends first, the event is lost. Once the stream
// has ended, Put does nothing.
func (w Sender[M]) Put(m M, stop <-chan struct{}) { w.stream.put(m, stop) }

// End ends the stream. Events that are waiting can still be read; after them Next returns
// cause. Only the first cause counts.
func (w Sender[M]) End(cause error) { w.stream.finish(cause) }

// Next returns the next event, and waits for it if necessary. When the stream has ended
// it returns the events that are left, and then the cause: the error with which the
// sender ended it, or ErrClosed after Close. If the context has ended, Next returns the
// context's error even if events are waiting.
func (s *Stream[M]) Next(ctx context.Context) (M, error) {
	for {
		if err := ctx.Err(); err != nil {
			var none M
			return none, err
		}
		if m, ok, err := s.take(); ok || err != nil {
			return m, err
		}
		select {
		case <-s.more:
		case <-s.end:
		case <-ctx.Done():
		}
	}
}

// All returns an iterator over the events, until the stream or the context ends. Next
// then says which it was.
func (s *Stream[M]) All(ctx context.Context) iter.Seq[M] {
	return func(yield func(M) bool) {
		for {
			m, err := s.Next(ctx)
			if err != nil || !yield(m) {
				return
			}
		}
	}
}

// Dropped returns how many events were dropped because they were not read in time.
func (s *Stream[M]) Dropped() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// Close ends the stream and releases what feeds it, such as a subscription that no other
// stream uses. It does not wait for that. Closing again does nothing.
func (s *Stream[M]) Close() {
	s.finish(ErrClosed)
	s.once.Do(s.closed)
}

// finish ends the stream. Only the first cause counts.
func (s *Stream[M]) finish(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended, s.cause = true, cause
		close(s.end)
	}
}

func (s *Stream[M]) take() (m M, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == 0 {
		if s.ended {
			err = s.cause
		}
		return m, false, err
	}
	m, s.ring[s.head] = s.ring[s.head], m
	s.head = (s.head + 1) % len(s.ring)
	s.n--
	signal(s.room)
	if s.n > 0 {
		signal(s.more) // for another reader
	}
	return m, true, nil
}

func (s *Stream[M]) put(m M, stop <-chan struct{}) {
	for !s.tryPut(m) {
		select {
		case <-s.room:
		case <-s.end:
		case <-stop:
			return
		}
	}
}

func (s *Stream[M]) tryPut(m M) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
		return true
	case s.n == s.limit && s.block:
		return false
	case s.n == s.limit:
		s.head = (s.head + 1) % len(s.ring)
		s.n--
		s.dropped++
	case s.n == len(s.ring):
		s.grow()
	}
	s.ring[(s.head+s.n)%len(s.ring)] = m
	s.n++
	signal(s.more)
	return true
}

func (s *Stream[M]) grow() {
	larger := make([]M, min(s.limit, max(8, 2*len(s.ring))))
	for i := range s.n {
		larger[i] = s.ring[(s.head+i)%len(s.ring)]
	}
	s.ring, s.head = larger, 0
}

// signal wakes the goroutine that waits on a channel with room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
