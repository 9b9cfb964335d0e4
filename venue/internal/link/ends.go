package link

import "sync"

// ends.go owns what ends together with a connection.

// Ends is what is told of the end of a connection: the streams that it feeds. The zero
// value is ready.
type Ends struct {
	mu    sync.Mutex
	cause error // of the end; nil while there is none
	next  int
	ends  map[int]func(error)
}

// Add has end called with the cause of the end, at once if that was. What Add returns
// takes it back.
func (e *Ends) Add(end func(cause error)) (remove func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cause != nil {
		end(e.cause)
		return func() {}
	}
	if e.ends == nil {
		e.ends = map[int]func(error){}
	}
	e.next++
	id := e.next
	e.ends[id] = end
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.ends, id)
	}
}

// Begin forgets an end: there is a connection again.
func (e *Ends) Begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cause = nil
}

// End tells all of the end, which they were added for, once.
func (e *Ends) End(cause error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cause = cause
	for _, end := range e.ends {
		end(cause)
	}
	e.ends = nil
}
