package venuekey

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// rival is a live sign-in at a venue that limits a user's sessions. Its token is exported
// because fmt would print an unexported secret.
type rival struct {
	Record Record
	Token  Token
}

func (r rival) id() ID { return r.Record.ID() }

// countsSessions reports whether the end of a session ends the whole sign-in, and a user can
// have only so many.
func (p Policy) countsSessions() bool {
	return p.MaxSessions > 0 && p.RenewsWith == RenewWithAccessToken
}

// liveAt returns the live sign-ins at a venue that counts sessions, the oldest session first.
// It returns none if there are more than a thousand.
func (k *Keeper) liveAt(ctx context.Context, venue Venue) (live []rival) {
	if !venue.Policy().countsSessions() {
		return nil
	}
	read := 0
	for record, err := range k.Vault.all(ctx, tokenPrefix+venue.Name()+"/") {
		if read++; err != nil || read > mostRivals {
			return nil
		}
		token, err := k.Vault.openToken(record)
		if err == nil && record.Condition != ConditionDead && token.Valid(time.Now()) {
			live = append(live, rival{record, token})
		}
	}
	slices.SortFunc(live, func(a, b rival) int {
		return cmp.Or(a.Token.session().Compare(b.Token.session()), cmp.Compare(a.Record.Key, b.Record.Key))
	})
	return live
}

// wouldEnd returns the sign-ins that one more session of a user ends, among those that were live
// before it: the oldest, if there are too many then. The earlier session of the ID itself
// counts, and is nobody's loss.
func wouldEnd(live []rival, by ID, most int, isUser func(Token) bool) (lost []rival) {
	live = slices.DeleteFunc(slices.Clone(live), func(r rival) bool { return !isUser(r.Token) })
	for _, r := range live[:max(0, min(len(live)+1-most, len(live)))] {
		if r.id() != by {
			lost = append(lost, r)
		}
	}
	return lost
}

// isNamed reports whether a user who types that name is the one of the token. Only the venue
// knows for sure; a sign-in of an older version does not say what was typed.
func (t Token) isNamed(name string) bool {
	if t.typed != "" {
		return strings.EqualFold(t.typed, name)
	}
	user, _, _ := strings.Cut(t.User, " (")
	return name != "" && strings.EqualFold(user, name)
}

// ErrEndsOldest matches, by errors.Is, the error of a sign-in that was not begun, because the
// venue would have ended another sign-in of this vault for it (SignInOptions.EndOldest).
var ErrEndsOldest = errors.New("the sign-in would end another one")

// Confirmer is a UI that can put a question to the user. A UI that is not one answers no.
type Confirmer interface {
	// Confirm asks a question that is answered with yes or no, and returns false if there
	// is nobody to answer it.
	Confirm(ctx context.Context, question string) (bool, error)
}

// cautious is the UI of a sign-in that may end another one: as soon as the user has said who
// signs in, and before anything is sent, the user is asked.
type cautious struct {
	UI
	by   ID
	most int
	// Live are the sign-ins before it. It is exported because fmt would print their tokens.
	Live    []rival
	allowed bool
	// name is what the user typed as the name.
	name string
}

// Ask implements UI.
func (a *cautious) Ask(ctx context.Context, fields []Field) (map[string]Secret, error) {
	given, err := a.UI.Ask(ctx, fields)
	for _, field := range fields {
		if field.User {
			a.name = string(given[field.Name])
		}
	}
	if err == nil && a.name != "" && !a.allowed {
		err = a.confirm(ctx)
	}
	if err != nil {
		return nil, err
	}
	return given, nil
}

func (a *cautious) confirm(ctx context.Context) error {
	lost := wouldEnd(a.Live, a.by, a.most, func(t Token) bool { return t.isNamed(a.name) })
	if len(lost) == 0 {
		return nil
	}
	what := fmt.Sprintf("%s allows %d sessions of a user, and signing in ends %s, signed in %s", a.by.Venue, a.most, lost[0].id(),
		lost[0].Token.session().Local().Format("2006-01-02 15:04"))
	if to, ok := a.UI.(Confirmer); ok {
		yes, err := to.Confirm(ctx, what+". Sign in all the same?")
		if err != nil || yes {
			return err
		}
	}
	return &Error{Class: ClassFailed, Reason: what + "; nothing was sent", Remedy: "allow it, or sign out there first", Err: ErrEndsOldest}
}

// suspectOldest notes that the venue has probably ended the oldest of a user's sign-ins, of
// those that were live before this one. They are looked at as soon as a program runs, and
// until then their status says why. It is for venues that renew a session with its access
// token, where the end of the session ends everything.
func (k *Keeper) suspectOldest(ctx context.Context, venue Venue, live []rival, by ID, token Token, ui UI) {
	most := venue.Policy().MaxSessions
	if token.User == "" {
		return
	}
	for _, old := range wouldEnd(live, by, most, func(t Token) bool { return t.User == token.User }) {
		id := old.id()
		now, record, err := k.Vault.load(ctx, id)
		if err != nil || record.Leased() || !now.session().Equal(old.Token.session()) {
			continue // its next renewal shows it
		}
		now.suspected = time.Now().Add(-secondLook)
		now.Password = "" // or the two would end each other's sessions in turn
		record.Failures = max(record.Failures, 1)
		record.NextRefresh = time.Now()
		record.Text = fmt.Sprintf("%s allows %d sessions of a user, and %s has just begun another: this one is the oldest and has probably ended", by.Venue, most, by)
		if _, err := k.Vault.save(ctx, record, now); err == nil { // after a conflict its next renewal shows it
			k.withdraw(id)
			k.log().Warn("a sign-in has probably ended", "id", id, "by", by)
			ui.Tell(fmt.Sprintf("%s allows %d sessions of a user: %s, the oldest of %s, has probably ended", by.Venue, most, id, token.User))
		}
	}
}

// withdraw has Sources read a sign-in's record again.
func (k *Keeper) withdraw(id ID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.entry(id).source.invalidate()
}
