package stream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/venuekey/venuekey/stream"
)

// stream_test.go owns what slow, several or absent readers of a stream get.

var never chan struct{}

// rest is what waits in a stream that was ended.
func rest(t *testing.T, s *stream.Stream[int]) []int {
	t.Helper()
	return slices.Collect(s.All(t.Context()))
}

func TestTheOldestIsDroppedAndCounted(t *testing.T) {
	s, to := stream.New[int](stream.Buffer{Size: 3}, func() {})
	for i := range 5 {
		to.Put(i, never)
	}
	to.End(errors.New("over"))
	to.Put(5, never) // after the end nothing comes
	if got := rest(t, s); !slices.Equal(got, []int{2, 3, 4}) || s.Dropped() != 2 {
		t.Error(got, s.Dropped())
	}
	if _, err := s.Next(t.Context()); err == nil || err.Error() != "over" {
		t.Error(err)
	}
}

func TestRoomGrowsAndTheOrderStays(t *testing.T) {
	s, to := stream.New[int](stream.Buffer{}, func() {})
	want, put := 0, 0
	for put < 5000 {
		for range 7 { // the ring goes round while it grows
			to.Put(put, never)
			put++
		}
		for range 5 {
			if got, err := s.Next(t.Context()); err != nil || got != want+int(s.Dropped()) {
				t.Fatal(got, want, s.Dropped(), err)
			}
			want++
		}
	}
	if s.Dropped() == 0 {
		t.Error("nothing was dropped, with room for 1024")
	}
}

func TestBlockWaitsForTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, to := stream.New[int](stream.Buffer{Size: 1, Block: true}, func() {})
		put := 0
		go func() {
			for ; put < 3; put++ {
				to.Put(put, never)
			}
			to.End(errors.New("over"))
		}()
		synctest.Wait()
		if put != 1 {
			t.Error(put, "were put where there is room for one")
		}
		if got := rest(t, s); !slices.Equal(got, []int{0, 1, 2}) || s.Dropped() != 0 {
			t.Error(got, s.Dropped())
		}
	})
}

func TestASenderThatWaitsForTheReaderIsReleased(t *testing.T) {
	for name, let := range map[string]func(*stream.Stream[int], chan struct{}){
		"by the end of the connection": func(_ *stream.Stream[int], stop chan struct{}) { close(stop) },
		"by Close":                     func(s *stream.Stream[int], _ chan struct{}) { s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, to := stream.New[int](stream.Buffer{Size: 1, Block: true}, func() {})
				to.Put(1, never)
				stop, done := make(chan struct{}), make(chan struct{})
				go func() {
					to.Put(2, stop)
					close(done)
				}()
				synctest.Wait()
				let(s, stop)
				<-done
			})
		})
	}
}

func TestCloseEndsOnce(t *testing.T) {
	closed := 0
	s, to := stream.New[int](stream.Buffer{}, func() { closed++ })
	to.Put(1, never)
	s.Close()
	s.Close()
	to.End(errors.New("later"))
	if got := rest(t, s); !slices.Equal(got, []int{1}) || closed != 1 {
		t.Error(got, closed)
	}
	if _, err := s.Next(t.Context()); !errors.Is(err, stream.ErrClosed) {
		t.Error(err)
	}
}

func TestAContextThatHasEndedComesFirst(t *testing.T) {
	s, to := stream.New[int](stream.Buffer{}, func() {})
	to.Put(1, never)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got, err := s.Next(t.Context()); got != 1 || err != nil {
		t.Error(got, err)
	}
}

// Each event goes to one of the readers, and no reader sleeps while one waits.
func TestManyReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, to := stream.New[int](stream.Buffer{}, func() {})
		got := make(chan int, 100)
		for range 3 {
			go func() {
				for n := range s.All(t.Context()) {
					got <- n
				}
			}()
		}
		for i := range 100 {
			to.Put(i, never)
		}
		synctest.Wait()
		to.End(stream.ErrClosed)
		synctest.Wait()
		close(got)
		all := []int{}
		for n := range got {
			all = append(all, n)
		}
		if slices.Sort(all); len(slices.Compact(all)) != 100 {
			t.Error(all)
		}
	})
}

func TestAStreamThatIsReadInTimeAllocatesNothing(t *testing.T) {
	s, to := stream.New[*int](stream.Buffer{}, func() {})
	n := new(int)
	once := func() {
		to.Put(n, never)
		if got, err := s.Next(t.Context()); got != n || err != nil {
			t.Fatal(got, err)
		}
	}
	once()
	if allocated := testing.AllocsPerRun(100, once); allocated != 0 {
		t.Error(allocated)
	}
}

func ExampleStream() {
	quotes, to := stream.New[float64](stream.Buffer{Size: 2}, func() { fmt.Println("unsubscribed") })
	for _, quote := range []float64{1.10, 1.11, 1.12} {
		to.Put(quote, nil)
	}
	to.End(errors.New("the connection was lost"))
	for quote := range quotes.All(context.Background()) {
		fmt.Println(quote)
	}
	fmt.Println(quotes.Dropped(), "dropped")
	quotes.Close()
	// Output:
	// 1.11
	// 1.12
	// 1 dropped
	// unsubscribed
}
