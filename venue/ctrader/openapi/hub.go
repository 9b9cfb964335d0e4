package openapi

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// hub.go owns the delivery of events to their listeners. What is read for every event is
// never modified, only replaced, so that reading takes no lock.

// hub has a feed for each type of event that has listeners, and a list of the listeners
// to several types.
type hub struct {
	mu    sync.Mutex
	feeds atomic.Pointer[[]feedEntry] // few, so a search is faster than a map
	mixed link.List[mixedListener]
	ends  link.Ends // of the streams

	listening atomic.Int64           // the number of listeners
	reader    atomic.Pointer[func()] // wakes the connection's own goroutine
}

// countListener counts a new listener, and returns a function that uncounts it.
func (h *hub) countListener() (left func()) {
	h.listening.Add(1)
	if reader := h.reader.Load(); reader != nil {
		(*reader)()
	}
	return sync.OnceFunc(func() { h.listening.Add(-1) })
}

// feed delivers the events of one type. It is used by one goroutine at a time, the one
// that reads the connection.
type feed interface {
	dispatch(payload []byte, json bool, stop <-chan struct{}) error
}

// feedEntry is a feed and its type.
type feedEntry struct {
	message.PayloadType
	feed
}

func (h *hub) feed(t message.PayloadType) feed {
	if feeds := h.feeds.Load(); feeds != nil {
		for i := range *feeds {
			if one := &(*feeds)[i]; one.PayloadType == t {
				return one.feed
			}
		}
	}
	return nil
}

// mixedListener is a listener to several types of events, or to all if types is empty.
type mixedListener struct {
	types []message.PayloadType
	listener[message.Message]
}

// dispatch delivers an event to all its listeners.
func (h *hub) dispatch(t message.PayloadType, payload []byte, json bool, stop <-chan struct{}) error {
	if f := h.feed(t); f != nil {
		if err := f.dispatch(payload, json, stop); err != nil {
			return err
		}
	}
	var m message.Message
	for _, one := range h.mixed.All() {
		if len(one.types) > 0 && !slices.Contains(one.types, t) {
			continue
		}
		if m == nil {
			if m = message.New(t); m == nil {
				return nil // newer than the tables
			}
			if err := unmarshal(m, payload, json); err != nil {
				return err
			}
		}
		one.deliver(m, stop)
	}
	return nil
}

// addMixed adds a listener to several types, and returns a function that removes it.
func (h *hub) addMixed(m mixedListener) (leave func()) {
	remove, left := h.mixed.Add(&m), h.countListener()
	return func() {
		left()
		remove()
	}
}

// listener receives events. If keeps is false it does not retain an event after deliver
// returns. The id is any value that equals no other listener's.
type listener[P any] struct {
	id      any
	keeps   bool
	deliver func(m P, stop <-chan struct{})
}

// typedFeed is the feed of one type. Some of its listeners receive all events, others
// those of one symbol of one account.
type typedFeed[T any, P Event[T]] struct {
	reused    T
	listeners atomic.Pointer[listeners[P]]
}

// listeners are the listeners to one type. The value is replaced, never modified.
type listeners[P any] struct {
	keeps bool // one of them retains events
	all   []listener[P]
	keyed map[topicKey][]listener[P]
}

// topicKey says what a quote is about.
type topicKey struct{ account, symbol int64 }

func keyOf(m message.Message) topicKey {
	switch m := m.(type) {
	case *message.SpotEvent:
		return topicKey{m.CtidTraderAccountID, m.SymbolID}
	case *message.DepthEvent:
		return topicKey{m.CtidTraderAccountID, int64(m.SymbolID)}
	}
	return topicKey{}
}

// dispatch decodes an event once for all listeners. If none of them retains events it
// reuses the memory of the last one.
func (f *typedFeed[T, P]) dispatch(payload []byte, json bool, stop <-chan struct{}) error {
	wanted := f.listeners.Load()
	if wanted == nil || len(wanted.all)+len(wanted.keyed) == 0 {
		return nil
	}
	m := P(&f.reused)
	if wanted.keeps {
		m = P(new(T))
	}
	if err := unmarshal(m, payload, json); err != nil {
		return err
	}
	for i := range wanted.all {
		wanted.all[i].deliver(m, stop)
	}
	if len(wanted.keyed) > 0 {
		for _, t := range wanted.keyed[keyOf(m)] {
			t.deliver(m, stop)
		}
	}
	return nil
}

func unmarshal(m message.Message, payload []byte, json bool) error {
	if !json {
		return m.UnmarshalBinary(payload)
	}
	if len(payload) == 0 || string(payload) == "null" {
		payload = []byte("{}") // a message without fields
	}
	return m.UnmarshalJSON(payload)
}

// addListener adds a listener to one key, or to all events if key is nil, and returns a
// function that removes it.
func addListener[T any, P Event[T]](h *hub, key *topicKey, t listener[P]) (leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := feedOf[T, P](h)
	f.change(func(list *listeners[P]) {
		if key == nil {
			list.all = append(slices.Clone(list.all), t)
			return
		}
		list.keyed = maps.Clone(list.keyed)
		if list.keyed == nil {
			list.keyed = map[topicKey][]listener[P]{}
		}
		list.keyed[*key] = append(slices.Clone(list.keyed[*key]), t)
	})
	left := h.countListener()
	return func() {
		left()
		h.mu.Lock()
		defer h.mu.Unlock()
		f.change(func(list *listeners[P]) { list.remove(key, t.id) })
	}
}

func (l *listeners[P]) remove(key *topicKey, id any) {
	is := func(t listener[P]) bool { return t.id == id }
	if key == nil {
		l.all = slices.DeleteFunc(slices.Clone(l.all), is)
		return
	}
	l.keyed = maps.Clone(l.keyed)
	if rest := slices.DeleteFunc(slices.Clone(l.keyed[*key]), is); len(rest) > 0 {
		l.keyed[*key] = rest
	} else {
		delete(l.keyed, *key)
	}
}

// feedOf returns the hub's feed of a type, and creates it if necessary. The hub is
// locked.
func feedOf[T any, P Event[T]](h *hub) *typedFeed[T, P] {
	t := P(new(T)).PayloadType()
	if f, ok := h.feed(t).(*typedFeed[T, P]); ok {
		return f
	}
	f := &typedFeed[T, P]{}
	feeds := []feedEntry{{t, f}}
	if before := h.feeds.Load(); before != nil {
		feeds = append(slices.Clone(*before), feeds...)
	}
	h.feeds.Store(&feeds)
	return f
}

// change replaces the listeners with an edited copy. The hub is locked.
func (f *typedFeed[T, P]) change(edit func(*listeners[P])) {
	next := listeners[P]{}
	if before := f.listeners.Load(); before != nil {
		next = *before
	}
	edit(&next)
	keeps := func(t listener[P]) bool { return t.keeps }
	next.keeps = slices.ContainsFunc(next.all, keeps)
	for _, list := range next.keyed {
		next.keeps = next.keeps || slices.ContainsFunc(list, keeps)
	}
	f.listeners.Store(&next)
}
