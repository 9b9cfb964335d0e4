package link_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// example_test.go shows how the parts form a client for a protocol that signs on once per
// connection, as Tradovate's does.

var (
	errDead = errors.New("401 Invalid access token")
	errGone = errors.New("410 the app is unknown")
)

// socket is such a client.
type socket struct {
	Dial   func(ctx context.Context, access venuekey.Secret) (lives <-chan error, err error)
	Access func(ctx context.Context) (venuekey.Secret, error)
	Newer  func(ctx context.Context, access venuekey.Secret) (venuekey.Secret, error)

	gate  link.Gate
	ready bool
}

func (s *socket) set(ready bool) {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.ready = ready
	s.gate.Changed()
}

// Run keeps the socket signed on.
func (s *socket) Run(ctx context.Context) error {
	token := &link.Token{Get: s.Access, Rejected: s.Newer, Timeout: 10 * time.Second, Log: slog.New(slog.DiscardHandler)}
	return link.Loop{
		Session: func(ctx context.Context) error { return s.session(ctx, token) },
		Final:   func(err error) bool { return errors.Is(err, errGone) || venuekey.NeedsSignIn(err) },
		Floor:   func(error) time.Duration { return 0 },
		Waits:   func(error, time.Duration) { s.set(false) },
	}.Run(ctx)
}

func (s *socket) session(ctx context.Context, token *link.Token) error {
	if err := token.Fetch(ctx); err != nil && token.Current == "" {
		return err
	}
	lives, err := s.Dial(ctx, token.Current)
	if errors.Is(err, errDead) {
		changed, failure := token.Replaced(ctx)
		if failure == nil && changed {
			lives, err = s.Dial(ctx, token.Current)
		}
		err = errors.Join(err, failure)
	}
	if err != nil {
		return err
	}
	token.Proved()
	s.set(true)
	select { // a new token is for the next connection: this one stays signed on
	case <-ctx.Done():
		return ctx.Err()
	case err = <-lives:
		return err
	}
}

// Ready waits until the socket is signed on.
func (s *socket) Ready(ctx context.Context) error {
	return s.gate.Wait(ctx, func() (bool, error) { return s.ready, nil })
}

func Example() {
	breaks := make(chan error)
	s := &socket{
		Dial: func(_ context.Context, access venuekey.Secret) (<-chan error, error) {
			if access == "old" {
				return nil, errDead
			}
			fmt.Println("signed on")
			return breaks, nil
		},
		Access: func(context.Context) (venuekey.Secret, error) { return "old", nil },
		Newer: func(context.Context, venuekey.Secret) (venuekey.Secret, error) {
			fmt.Println("renewed")
			return "new", nil
		},
	}
	ended := make(chan error)
	go func() { ended <- s.Run(context.Background()) }()
	fmt.Println("ready:", s.Ready(context.Background()) == nil)
	breaks <- errGone
	fmt.Println("ended:", <-ended)
	// Output:
	// renewed
	// signed on
	// ready: true
	// ended: 410 the app is unknown
}
