package venuekey

import (
	"context"
	"iter"
	"time"
)

// status.go owns how a sign-in stands, as far as its record says.

// State is how a sign-in stands, in one word.
type State string

const (
	// StateFresh: the token is good and not yet due.
	StateFresh State = "fresh"
	// StateDue: the token is good and waits to be renewed.
	StateDue State = "due"
	// StateRefreshing: somebody is renewing it right now.
	StateRefreshing State = "refreshing"
	// StateUncertain: a renewal was sent and its answer was lost; the token is
	// served while it lives.
	StateUncertain State = "uncertain"
	// StateDegraded: the token is still good, but renewing it fails.
	StateDegraded State = "degraded"
	// StateExpired: the token is dead; renewing it may still succeed.
	StateExpired State = "expired"
	// StateNeedsSignIn: only a human can help.
	StateNeedsSignIn State = "needs sign-in"
)

// Status is how one sign-in stands.
type Status struct {
	ID    ID
	State State
	// Reason says why the state is not fresh, as far as anybody knows.
	Reason string
	// Issued, Expires, RefreshExpires and NextRefresh are as in Token and
	// Record; zero means unknown, or never.
	Issued, Expires, RefreshExpires, NextRefresh time.Time
	// SignInEnds is when the sign-in ends although nothing fails, because what
	// renews it dies; zero where Ending is EndNever or EndUnknown.
	SignInEnds time.Time
	// Ending is what SignInEnds is counted from.
	Ending Ending
	// EndsAnyway says that no renewal moves SignInEnds: a human must sign in
	// before it.
	EndsAnyway bool
	// SignedIn is when the user signed in; zero means that nobody noted it.
	SignedIn time.Time
	// Left is how long the access token still lives; negative when it is dead.
	Left   time.Duration
	Scopes []string
	// ScopesMissing are those that the sign-in asked for and the venue did not grant.
	ScopesMissing []string
	// Limits is what the venue says that the sign-in cannot do with its scopes, such
	// as to trade; "" where nothing is missed.
	Limits     string
	User       string
	Generation int64
	Failures   int
	// Spilled says that a renewed token waits in a spill file, or in memory, for
	// a store that refuses it. Everything else is about that token.
	Spilled bool
	// Odd says what the record holds that venuekey never writes: something else writes
	// to the store. Reason begins with it.
	Odd string
	// Behind says that the vault went back in time: this machine has seen a newer
	// generation. Reason says which.
	Behind bool
	// LeftAloneUntil is until when the venue asked that renewals of its app stop;
	// zero means that it did not. A token that is about to die is tried all the same.
	LeftAloneUntil time.Time
	// Err is why the record cannot be read; then only the ID is known.
	Err error
}

// Status says how a sign-in stands. It asks the store only, never the venue.
func (k *Keeper) Status(ctx context.Context, id ID) (Status, error) {
	k.init()
	token, record, err := k.Vault.Load(ctx, id)
	status, err := k.statusOf(id, token, record, err)
	if err != nil {
		return Status{}, annotate(err, id, "status")
	}
	g := k.inputs()
	k.reportRollback(ctx, g.marks, &status, token, record)
	k.reportClosure(ctx, g, &status)
	status.Limits = k.limits(id.Venue, status.Scopes)
	return status, nil
}

// State says how a sign-in stands in one word, from its record alone: for programs
// that ask with each token and want nothing else.
func (k *Keeper) State(ctx context.Context, id ID) (State, error) {
	k.init()
	token, record, err := k.Vault.Load(ctx, id)
	if err != nil {
		return "", annotate(err, id, "status")
	}
	return stateOf(token, record, time.Now()), nil
}

// Statuses says how every sign-in in the vault stands, in the order of their
// IDs. A record that cannot be opened comes as a Status with Err set; an
// error of the sequence itself ends it.
func (k *Keeper) Statuses(ctx context.Context) iter.Seq2[Status, error] {
	k.init()
	return func(yield func(Status, error) bool) {
		g := k.inputs()
		for record, err := range k.Vault.Records(ctx) {
			if err != nil {
				yield(Status{}, err)
				return
			}
			if !yield(k.statusOfRecord(ctx, g, record), nil) {
				return
			}
		}
	}
}

// inputs are what many statuses share: one look into the folders of spills and marks
// and at the budgets, rather than one for each of thousands.
type inputs struct {
	// waits says whether there may be a rotation that the store does not have yet.
	waits  bool
	marks  *markReader
	closed map[string]time.Time // by venue
}

func (k *Keeper) inputs() *inputs {
	return &inputs{waits: k.anyPending(), marks: k.readMarks(), closed: map[string]time.Time{}}
}

// statusOfRecord is the status of a record, also if it cannot be opened.
func (k *Keeper) statusOfRecord(ctx context.Context, g *inputs, record Record) Status {
	id := record.ID()
	token, err := k.Vault.Open(record)
	status := statusOf(id, token, record, k.policy(id.Venue), time.Now())
	if g.waits {
		status, err = k.statusOf(id, token, record, err)
	}
	if err != nil {
		return Status{ID: id, State: StateNeedsSignIn, Reason: err.Error(), Generation: record.Generation, Err: err}
	}
	k.reportRollback(ctx, g.marks, &status, token, record)
	k.reportClosure(ctx, g, &status)
	status.Limits = k.limits(id.Venue, status.Scopes)
	return status
}

// reportClosure puts into a status until when its venue asked to be left alone.
func (k *Keeper) reportClosure(ctx context.Context, g *inputs, s *Status) {
	until, known := g.closed[s.ID.Venue]
	if !known {
		if app, err := k.app(ctx, s.ID.Venue); err == nil {
			until, _ = k.Vault.closedUntil(ctx, k.budgetKey(app, k.policy(s.ID.Venue)))
		}
		g.closed[s.ID.Venue] = until
	}
	s.LeftAloneUntil = until
}

// statusOf is the status of what was read, or of a newer token that waits to be saved.
func (k *Keeper) statusOf(id ID, token Token, record Record, err error) (Status, error) {
	waiting, waits := k.pending(id)
	waits = waits && (err != nil || waiting.record.Generation > record.Generation)
	if waits {
		token, record, err = waiting.token, waiting.record, nil
		record.Text = "the store refuses the renewed token; it is saved as soon as the store answers"
	}
	record = k.scheduled(id, token, record)
	status := statusOf(id, token, record, k.policy(id.Venue), time.Now())
	status.Spilled = waits
	return status, err
}

func statusOf(id ID, token Token, record Record, policy Policy, now time.Time) Status {
	ends := endOf(token, record, policy)
	status := Status{
		ID: id, State: stateOf(token, record, now), Reason: record.because(),
		Issued: token.Issued, Expires: token.Expires, RefreshExpires: token.RefreshExpires, NextRefresh: record.NextRefresh,
		SignInEnds: ends.at, Ending: ends.counts, EndsAnyway: ends.final, SignedIn: token.SignedIn,
		Left: token.Expires.Sub(now), Scopes: token.Scopes, ScopesMissing: token.Missing(), User: token.User,
		Generation: record.Generation, Failures: record.Failures,
	}
	reportOdd(&status, record, token)
	return status
}

// policy is the policy of a venue; of an unknown one the most careful.
func (k *Keeper) policy(name string) Policy {
	venue, err := k.Venue(name)
	if err != nil {
		return Policy{}
	}
	return venue.Policy()
}

func stateOf(token Token, record Record, now time.Time) State {
	alive := token.Valid(now)
	switch {
	// A lease with an open intent is somebody at work; one without may be a
	// claim that has not come to it.
	case inUse(record):
		return StateRefreshing
	case record.Condition == ConditionDead, !alive && record.NextRefresh.IsZero():
		return StateNeedsSignIn
	case record.Condition == ConditionUncertain, !record.IntentAt.IsZero():
		return StateUncertain
	case !alive:
		return StateExpired
	case record.Failures > 0:
		return StateDegraded
	case isDue(record, now):
		return StateDue
	default:
		return StateFresh
	}
}
