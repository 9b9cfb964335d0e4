// Package stream is events that wait, in bounded room, for whoever reads them.
//
// A reader that is too slow must not cost the others their quotes, nor the connection
// its life. So each stream has room for so many events; when that is full the oldest is
// dropped and counted, and Dropped says how many were. Old quotes are the ones that
// nobody misses; a program for which every event counts checks Dropped, or chooses
// Block, and with it that a slow reader holds everything up.
//
// What happened while nothing was connected is in no stream. A stream that outlives a
// connection is told nothing of that; its connection's state is.
//
// Room is taken as it is needed: a stream that is read in time costs a few events.
package stream

import (
	"context"
	"errors"
	"iter"
	"sync"
)

// ErrClosed is the cause of the end of a stream that its reader closed.
var ErrClosed = errors.New("closed by this program")

// Buffer is the room of a Stream and what happens when it is full. The zero
// value is ready.
type Buffer struct {
	// Size is how many events may wait. Zero means 1024. Room is taken as it is
	// needed.
	Size int
	// Block makes the connection wait for the reader of a full stream, and with it
	// every other reader and every answer; heartbeats go on. A reader that itself
	// waits for an answer of the same connection then waits for itself. Without
	// Block the oldest event is dropped and counted.
	Block bool
}

const defaultBuffer = 1024

// Stream is events in the order in which they came. Any number of goroutines
// may read it; each event goes to one of them. What it hands out is shared with
// other streams and must not be changed.
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
	more    chan struct{} // something came, or the end
	room    chan struct{} // something was taken
	end     chan struct{}
}

// New is a stream and the end that feeds it. Close calls closed, once.
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

// Sender feeds a stream. One goroutine at a time may.
type Sender[M any] struct{ stream *Stream[M] }

// Put hands an event over. If it has to wait for the reader it does so until stop is
// closed, or the stream ends, and the event is lost with that.
func (w Sender[M]) Put(m M, stop <-chan struct{}) { w.stream.put(m, stop) }

// End ends the stream with a cause, after the events that wait. The first cause stays.
func (w Sender[M]) End(cause error) { w.stream.finish(cause) }

// Next returns the next event, waiting for it if there is none. After the end
// it still returns what had come before, and then why there is no more: the error of
// what fed it, or ErrClosed after Close. If the context ends it returns the context's
// error, whatever waits.
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

// All ranges over the events until the stream or the context ends.
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

// Dropped is how many events were dropped because they were not read in time.
func (s *Stream[M]) Dropped() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// Close ends the stream, and gives up what fed it: the last stream of a subscription
// ends that, in the background. Closing again does nothing.
func (s *Stream[M]) Close() {
	s.finish(ErrClosed)
	s.once.Do(s.closed)
}

// finish ends the stream. The first cause stays.
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

// signal wakes whoever waits on a channel with room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
