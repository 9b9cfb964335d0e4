package keepertest

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/venuekey/venuekey"
)

// metered.go owns the venues that count renewals over time.

// Metered is a venue that records when it is called, and accepts every token.
type Metered struct {
	Venue
	Life time.Duration // of an access token; at least the package's Life
	mu   sync.Mutex
	// Asked are the times of renewals; read it with Times while anything runs.
	Asked []time.Time
}

// Set sets the hook that is called at each renewal, which it can fail.
func (v *Metered) Set(before func(context.Context) error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.Before = before
}

// Times returns the times of renewals.
func (v *Metered) Times() []time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.Asked)
}

func (v *Metered) lives() time.Duration { return max(v.Life, Life) }

// Login implements venuekey.Venue.
func (v *Metered) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	token, err := v.Venue.Login(ctx, app, ui)
	token.Expires = token.Issued.Add(v.lives())
	return token, err
}

// Refresh implements venuekey.Venue.
func (v *Metered) Refresh(_ context.Context, _ venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	v.mu.Lock()
	v.Asked = append(v.Asked, time.Now())
	before := v.Before
	v.mu.Unlock()
	if before != nil {
		if err := before(context.Background()); err != nil {
			return venuekey.Token{}, err
		}
	}
	now := time.Now()
	return venuekey.Token{Access: token.Access + "+", Refresh: token.Refresh + "+", Issued: now, Expires: now.Add(v.lives())}, nil
}

// Most returns the largest number of renewals within any window of that length.
func (v *Metered) Most(window time.Duration) (most int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, first := 0, 0; i < len(v.Asked); i++ {
		for v.Asked[i].Sub(v.Asked[first]) >= window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// Monthly issues tokens that live for thirty days, and counts in Late those that had
// expired when their renewal came.
type Monthly struct {
	Metered
	Late atomic.Int64
}

func month(token venuekey.Token) venuekey.Token {
	token.Expires = token.Issued.Add(30 * 24 * time.Hour)
	return token
}

// Login implements venuekey.Venue.
func (v *Monthly) Login(ctx context.Context, app venuekey.App, ui venuekey.UI) (venuekey.Token, error) {
	token, err := v.Metered.Login(ctx, app, ui)
	return month(token), err
}

// Refresh implements venuekey.Venue.
func (v *Monthly) Refresh(ctx context.Context, app venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	if !token.Valid(time.Now()) {
		v.Late.Add(1)
	}
	// Real tokens do not grow; those of Metered do.
	token.Access, token.Refresh = token.Access[:min(len(token.Access), 20)], token.Refresh[:min(len(token.Refresh), 20)]
	got, err := v.Metered.Refresh(ctx, app, token)
	return month(got), err
}
