package link

import "sync"

// ends.go owns what ends together with a connection.

// Ends is the set of functions to call when a connection ends, such as those that end its
// streams. The zero value is ready to use. It is safe for concurrent use.
type Ends struct {
	mu    sync.Mutex
	cause error // why it ended; nil while it has not
	next  int
	ends  map[int]func(error)
}

// Add registers end, which is called once with the cause when the connection ends, or at
// once if it has ended. It is called with the Ends locked and must not use it. remove
// unregisters it.
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

// Begin starts over after an End: there is a connection again.
func (e *Ends) Begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cause = nil
}

// End calls every registered function with the cause, and forgets them.
func (e *Ends) End(cause error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cause = cause
	for _, end := range e.ends {
		end(cause)
	}
	e.ends = nil
}
