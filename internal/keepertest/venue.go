package keepertest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/venuekey/venuekey"
)

// venue.go owns the scripted venue.

// Venue rotates single-use refresh tokens: access-1 and refresh-1 at the sign-in,
// access-2 and refresh-2 at the first renewal. Before and After run around a rotation and
// can fail it; an error of After loses the answer.
type Venue struct {
	Terms         venuekey.Policy
	Before, After func(context.Context) error
	// Unseen is the error of Probe; nil means that the venue answers.
	Unseen func() error
	// Revoked are the refresh tokens that were revoked.
	Revoked []venuekey.Secret

	// Serial numbers what was issued last, and Alive is the one valid refresh token.
	// Presented counts every one that was presented.
	Serial    int
	Alive     string
	Presented map[string]int

	mu sync.Mutex
}

// Name implements venuekey.Venue.
func (*Venue) Name() string { return "stage" }

// Policy implements venuekey.Venue.
func (v *Venue) Policy() venuekey.Policy { return v.Terms }

// Kill revokes the valid refresh token.
func (v *Venue) Kill() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.Alive = "revoked"
}

// Issue returns the next token, and invalidates the previous refresh token.
func (v *Venue) Issue() venuekey.Token {
	v.Serial++
	v.Alive = fmt.Sprintf("refresh-%d", v.Serial)
	now := time.Now()
	return venuekey.Token{Access: venuekey.Secret(fmt.Sprintf("access-%d", v.Serial)), Refresh: venuekey.Secret(v.Alive), Issued: now, Expires: now.Add(Life)}
}

// Login implements venuekey.Venue. It asks nothing.
func (v *Venue) Login(context.Context, venuekey.App, venuekey.UI) (venuekey.Token, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	token := v.Issue()
	token.Extras = map[string]venuekey.Secret{"userId": "7"}
	return token, nil
}

// Refresh implements venuekey.Venue.
func (v *Venue) Refresh(ctx context.Context, _ venuekey.App, token venuekey.Token) (venuekey.Token, error) {
	if v.Before != nil {
		if err := v.Before(ctx); err != nil {
			return venuekey.Token{}, err
		}
	}
	got, err := v.rotate(token)
	if err == nil && v.After != nil {
		err = v.After(ctx)
	}
	return got, err
}

func (v *Venue) rotate(token venuekey.Token) (venuekey.Token, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.Presented == nil {
		v.Presented = map[string]int{}
	}
	v.Presented[string(token.Refresh)]++
	if string(token.Refresh) != v.Alive {
		return venuekey.Token{}, &venuekey.Error{Class: venuekey.ClassRefused, Code: "invalid_grant", Reason: "the refresh token was used already"}
	}
	return v.Issue(), nil
}

// Probe implements venuekey.Prober.
func (v *Venue) Probe(context.Context, venuekey.App) error {
	if v.Unseen == nil {
		return nil
	}
	return v.Unseen()
}

// Revoke implements venuekey.Revoker.
func (v *Venue) Revoke(_ context.Context, _ venuekey.App, token venuekey.Token) error {
	v.Revoked = append(v.Revoked, token.Refresh)
	return nil
}

// Shown returns how often any one refresh token was presented, at most, and how often all
// of them were.
func (v *Venue) Shown() (most, total int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, n := range v.Presented {
		most, total = max(most, n), total+n
	}
	return most, total
}
