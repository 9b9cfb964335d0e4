package venuekey

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// rivals.go owns what a sign-in does to others of the same user: a venue that allows a user
// few sessions ends the oldest, without a word to its programs.

// mostRivals bounds the sign-ins that are read to find rivals.
const mostRivals = 1000

// Rivals returns the other sign-ins at a venue that limits a user's sessions
// (Policy.MaxSessions): if they belong to the same user, signing in may end one of
// them. Only the venue knows whether they do. It returns none if the venue states no
// limit, or if the vault holds more than a thousand sign-ins.
func (k *Keeper) Rivals(ctx context.Context, id ID) ([]ID, error) {
	venue, err := k.Venue(id.Venue)
	if err != nil || venue.Policy().MaxSessions == 0 {
		return nil, err
	}
	var others []ID
	read := 0
	for record, err := range k.Vault.records(ctx) {
		if read++; err != nil || read > mostRivals {
			return nil, err
		}
		if other := record.ID(); other.Venue == id.Venue && other != id && record.Condition != ConditionDead {
			others = append(others, other)
		}
	}
	return others, nil
}

// rival is another sign-in of the same user. Its token is exported because fmt would print an
// unexported secret.
type rival struct {
	Record Record
	Token  Token
}

// suspectOldest notes that the venue has probably ended the oldest of a user's sign-ins: there
// is one more than it allows now. They are looked at as soon as a program runs, and until
// then their status says why. It is for venues that renew a session with its access token,
// where the end of the session ends everything.
func (k *Keeper) suspectOldest(ctx context.Context, venue Venue, by ID, token Token, ui UI) {
	policy := venue.Policy()
	if policy.MaxSessions == 0 || token.User == "" || policy.RenewsWith != RenewWithAccessToken {
		return
	}
	rivals := k.rivalsOf(ctx, venue.Name(), by, token)
	for i := range len(rivals) + 1 - policy.MaxSessions {
		old := rivals[i]
		id := old.Record.ID()
		old.Token.suspected = time.Now().Add(-secondLook)
		old.Token.Password = "" // or the two would end each other's sessions in turn
		old.Record.Failures = max(old.Record.Failures, 1)
		old.Record.NextRefresh = time.Now()
		old.Record.Text = fmt.Sprintf("%s allows %d sessions of a user, and %s has just begun another: this one is the oldest and has probably ended", by.Venue, policy.MaxSessions, by)
		if _, err := k.Vault.save(ctx, old.Record, old.Token); err == nil { // after a conflict its next renewal shows it
			k.withdraw(id)
			k.log().Warn("a sign-in has probably ended", "id", id, "by", by)
			ui.Tell(fmt.Sprintf("%s allows %d sessions of a user: %s, the oldest of %s, has probably ended", by.Venue, policy.MaxSessions, id, token.User))
		}
	}
}

// rivalsOf returns the other live sign-ins of a user, the oldest first.
func (k *Keeper) rivalsOf(ctx context.Context, venue string, but ID, token Token) (rivals []rival) {
	read := 0
	for record, err := range k.Vault.all(ctx, tokenPrefix+venue+"/") {
		if read++; err != nil || read > mostRivals {
			return nil
		}
		other, err := k.Vault.openToken(record)
		if err != nil || record.ID() == but || record.Leased() || record.Condition == ConditionDead {
			continue
		}
		if other.User == token.User && other.ended.IsZero() && other.Valid(time.Now()) {
			rivals = append(rivals, rival{record, other})
		}
	}
	slices.SortFunc(rivals, func(a, b rival) int {
		return cmp.Or(a.Token.session().Compare(b.Token.session()), cmp.Compare(a.Record.Key, b.Record.Key))
	})
	return rivals
}

// withdraw has Sources read a sign-in's record again.
func (k *Keeper) withdraw(id ID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entry(id).source.invalidate()
}
