package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey"
)

// watches.go owns the tests of Watch, for drivers that have it: a program that reads what
// a watch names, or everything for "", sees each write.

var watches = []test{
	{"a watch begins with everything", watchBegins},
	{"a reported write can be read", toldFinds},
	{"every watch reports every write", allHear},
	{"calls come one at a time", oneCallAtATime},
	{"a watch ends with its context", watchEnds},
	{"a watch ends with its store", watchEndsWithStore},
}

// watcher returns the store as a venuekey.Watcher, and skips the test if it is none.
func (s *subject) watcher() venuekey.Watcher {
	s.Helper()
	watcher, ok := s.Store.(venuekey.Watcher)
	if !ok {
		s.Skip("this driver has no watch")
	}
	return watcher
}

// reader is a program that caches the versions of some records and reads them again when
// its watch names them.
type reader struct {
	s    *subject
	keys []string
	end  context.CancelFunc
	err  chan error    // receives what Watch returned
	news chan struct{} // holds an item after a call

	mu       sync.Mutex
	versions map[string]int64 // zero: not found
	told     []string
}

// reads starts a reader and returns after its first call.
func (s *subject) reads(keys ...string) *reader {
	s.Helper()
	watcher := s.watcher()
	ctx, cancel := context.WithCancel(s.Context())
	r := &reader{s: s, keys: keys, end: cancel, err: make(chan error, 1), news: make(chan struct{}, 1), versions: map[string]int64{}}
	go func() {
		defer close(r.err)
		r.err <- watcher.Watch(ctx, r.changed)
	}()
	s.Cleanup(func() { // before the store is closed
		cancel()
		for range r.err {
		}
	})
	r.until("the first call", func() bool { return len(r.told) > 0 })
	return r
}

func (r *reader) changed(key string) {
	look := []string{key}
	if key == "" {
		look = r.keys
	}
	for _, key := range look {
		got, err := r.s.Get(r.s.Context(), key)
		if r.s.Context().Err() != nil {
			return // the test is over
		}
		if err != nil && !errors.Is(err, venuekey.ErrNotFound) {
			r.s.Errorf("get of %q when told: %v", key, err)
		}
		r.mu.Lock()
		r.versions[key] = got.Version
		r.mu.Unlock()
	}
	r.mu.Lock()
	r.told = append(r.told, key)
	r.mu.Unlock()
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// until waits until the reader knows something.
func (r *reader) until(what string, known func() bool) {
	r.s.Helper()
	late := time.After(patience)
	for {
		r.mu.Lock()
		done := known()
		r.mu.Unlock()
		if done {
			return
		}
		select {
		case <-r.news:
		case <-late:
			r.mu.Lock()
			defer r.mu.Unlock()
			r.s.Fatalf("watch: no report of %s, only of %q", what, r.told)
		}
	}
}

// sees waits until the reader has read this version of a record, or a later one.
func (r *reader) sees(key string, version int64) {
	r.s.Helper()
	r.until(fmt.Sprintf("version %d of %q", version, key), func() bool { return r.versions[key] >= version })
}

// ended returns what Watch returned, once it has.
func (r *reader) ended() error {
	r.s.Helper()
	select {
	case err := <-r.err:
		return err
	case <-time.After(patience):
		r.s.Fatal("watch: does not end")
		return nil
	}
}

func watchBegins(s *subject) {
	held := s.mustPut(venuekey.Record{Key: "k"})
	r := s.reads("k", "none")
	if r.told[0] != "" {
		s.Errorf("watch: the first call is for %q, want everything", r.told[0])
	}
	r.sees("k", held.Version)
}

func toldFinds(s *subject) {
	r := s.reads("a", "b")
	a := s.mustPut(due("a", 1))
	r.sees("a", a.Version)
	a = s.mustPut(a)
	r.sees("a", a.Version)
	b := s.mustPut(venuekey.Record{Key: "b"})
	r.sees("b", b.Version)
	claimed := s.mustClaim("", "owner", aLease, 1)[0]
	r.sees("a", claimed.Version)
	s.mustDelete("a", claimed.Version)
	r.until(`the end of "a"`, func() bool { return r.versions["a"] == 0 })
	again := s.mustPut(venuekey.Record{Key: "a"})
	r.sees("a", again.Version)
}

func allHear(s *subject) {
	const writers, each = 8, 15
	var keys []string
	for i := range writers {
		keys = append(keys, fmt.Sprint("k", i))
	}
	readers := []*reader{s.reads(keys...), s.reads(keys...)}
	var versions [writers]int64
	race(writers, func(i int) {
		record := venuekey.Record{Key: keys[i]}
		for range each {
			version, err := s.Put(s.Context(), record)
			if err != nil {
				s.Errorf("put: %v", err)
				return
			}
			record.Version = version
		}
		versions[i] = record.Version
	})
	for _, r := range readers {
		for i, key := range keys {
			r.sees(key, versions[i])
		}
	}
}

func oneCallAtATime(s *subject) {
	watcher := s.watcher()
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	var inside atomic.Int32
	enough := make(chan struct{})
	calls := 0
	ended := make(chan error, 1)
	go func() {
		ended <- watcher.Watch(ctx, func(string) {
			if inside.Add(1) > 1 {
				s.Error("watch: calls overlap")
			}
			calls++ // the race detector notices if they do
			if calls == 3 {
				close(enough)
			}
			inside.Add(-1)
		})
	}()
	late := time.After(patience)
	for i := 0; ; i++ {
		race(8, func(n int) {
			if _, err := s.Put(s.Context(), venuekey.Record{Key: fmt.Sprintf("k%d/%d", i, n)}); err != nil {
				s.Errorf("put: %v", err)
			}
		})
		select {
		case <-enough:
			cancel()
			s.want("watch", <-ended, context.Canceled)
			return
		case <-late:
			s.Fatal("watch: reports nothing")
		default:
		}
	}
}

func watchEnds(s *subject) {
	s.want("watch", s.watcher().Watch(cancelled(), func(string) {}), context.Canceled)
	r := s.reads("k")
	other := s.reads("k")
	r.end()
	s.want("watch", r.ended(), context.Canceled)
	r.mu.Lock()
	told := len(r.told)
	r.mu.Unlock()
	held := s.mustPut(venuekey.Record{Key: "k"})
	other.sees("k", held.Version)
	if len(r.told) != told {
		s.Errorf("watch: reported %q after it had returned", r.told[told:])
	}
}

func watchEndsWithStore(s *subject) {
	r := s.reads()
	if err := s.Close(); err != nil {
		s.Fatalf("close: %v", err)
	}
	for _, err := range []error{r.ended(), s.watcher().Watch(s.Context(), func(string) {})} {
		if err == nil || errors.Is(err, context.Canceled) {
			s.Errorf("watch of a closed store: %v, want an error of its own", err)
		}
	}
}
