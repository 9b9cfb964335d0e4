package openapi

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// hub.go owns who is told of which events. What is read for every event is
// never changed, only replaced, so that reading takes no lock.

// hub has a feed for every type of event that somebody wants, and a list of
// those who want events of several types.
type hub struct {
	mu    sync.Mutex
	feeds atomic.Pointer[[]typed] // few, so a search is faster than a map
	mixed atomic.Pointer[[]mixed]
	ends  link.Ends // of the streams

	listeners atomic.Int64           // how many have joined
	reader    atomic.Pointer[func()] // wakes who reads the connection
}

// joined counts one that listens, and returns what counts it out again.
func (h *hub) joined() (left func()) {
	h.listeners.Add(1)
	if reader := h.reader.Load(); reader != nil {
		(*reader)()
	}
	return sync.OnceFunc(func() { h.listeners.Add(-1) })
}

// feed hands the events of one type out. It is used by one goroutine at a time,
// that which reads the connection.
type feed interface {
	take(payload []byte, json bool, stop <-chan struct{}) error
}

// typed is a feed and its type.
type typed struct {
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

// mixed is one that wants events of some types, or of all if types is empty.
type mixed struct {
	types []message.PayloadType
	target[message.Message]
}

// take hands an event to everybody who wants it.
func (h *hub) take(t message.PayloadType, payload []byte, json bool, stop <-chan struct{}) error {
	if f := h.feed(t); f != nil {
		if err := f.take(payload, json, stop); err != nil {
			return err
		}
	}
	list := h.mixed.Load()
	if list == nil {
		return nil
	}
	var m message.Message
	for _, one := range *list {
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
		one.give(m, stop)
	}
	return nil
}

// joinMixed adds one that wants several types, and returns how it leaves.
func (h *hub) joinMixed(m mixed) (leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change := func(edit func([]mixed) []mixed) {
		var list []mixed
		if before := h.mixed.Load(); before != nil {
			list = slices.Clone(*before)
		}
		list = edit(list)
		h.mixed.Store(&list)
	}
	change(func(list []mixed) []mixed { return append(list, m) })
	left := h.joined()
	return func() {
		left()
		h.mu.Lock()
		defer h.mu.Unlock()
		change(func(list []mixed) []mixed {
			return slices.DeleteFunc(list, func(one mixed) bool { return one.id == m.id })
		})
	}
}

// target is one that wants events. Those without keep look at the event and let
// go of it. The id is whatever is not equal to another's.
type target[P any] struct {
	id   any
	keep bool
	give func(m P, stop <-chan struct{})
}

// typedFeed has the targets of one type: those that want all, and those that
// want the events of one symbol of one account.
type typedFeed[T any, P Event[T]] struct {
	reused  T
	targets atomic.Pointer[targets[P]]
}

type targets[P any] struct {
	keep  bool // one of them keeps what it is given
	all   []target[P]
	keyed map[topicKey][]target[P]
}

// topicKey is what a quote is about.
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

// take decodes an event once. If nobody keeps it, the room of the last one is
// used again.
func (f *typedFeed[T, P]) take(payload []byte, json bool, stop <-chan struct{}) error {
	wanted := f.targets.Load()
	if wanted == nil || len(wanted.all)+len(wanted.keyed) == 0 {
		return nil
	}
	m := P(&f.reused)
	if wanted.keep {
		m = P(new(T))
	}
	if err := unmarshal(m, payload, json); err != nil {
		return err
	}
	for i := range wanted.all {
		wanted.all[i].give(m, stop)
	}
	if len(wanted.keyed) > 0 {
		for _, t := range wanted.keyed[keyOf(m)] {
			t.give(m, stop)
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

// join adds a target, for one key or for all events, and returns how it leaves.
func join[T any, P Event[T]](h *hub, key *topicKey, t target[P]) (leave func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := feedOf[T, P](h)
	f.change(func(list *targets[P]) {
		if key == nil {
			list.all = append(slices.Clone(list.all), t)
			return
		}
		list.keyed = maps.Clone(list.keyed)
		if list.keyed == nil {
			list.keyed = map[topicKey][]target[P]{}
		}
		list.keyed[*key] = append(slices.Clone(list.keyed[*key]), t)
	})
	left := h.joined()
	return func() {
		left()
		h.mu.Lock()
		defer h.mu.Unlock()
		f.change(func(list *targets[P]) { list.remove(key, t.id) })
	}
}

func (l *targets[P]) remove(key *topicKey, id any) {
	is := func(t target[P]) bool { return t.id == id }
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

// feedOf is the hub's feed of a type, made if need be. The hub is locked.
func feedOf[T any, P Event[T]](h *hub) *typedFeed[T, P] {
	t := P(new(T)).PayloadType()
	if f, ok := h.feed(t).(*typedFeed[T, P]); ok {
		return f
	}
	f := &typedFeed[T, P]{}
	feeds := []typed{{t, f}}
	if before := h.feeds.Load(); before != nil {
		feeds = append(slices.Clone(*before), feeds...)
	}
	h.feeds.Store(&feeds)
	return f
}

// change replaces the list of targets. The hub is locked.
func (f *typedFeed[T, P]) change(edit func(*targets[P])) {
	next := targets[P]{}
	if before := f.targets.Load(); before != nil {
		next = *before
	}
	edit(&next)
	keeps := func(t target[P]) bool { return t.keep }
	next.keep = slices.ContainsFunc(next.all, keeps)
	for _, list := range next.keyed {
		next.keep = next.keep || slices.ContainsFunc(list, keeps)
	}
	f.targets.Store(&next)
}
