package emulator

import (
	"fmt"
	"slices"
	"time"
)

// fault.go owns faults: what a test can make go wrong.

// Endpoint names a place where faults can be injected. A request may have several names:
// a refresh is at AtToken and at AtRefresh.
type Endpoint string

// The endpoints.
const (
	AtAny       Endpoint = ""          // any endpoint but the admin endpoint
	AtAuthorize Endpoint = "authorize" // the consent page: one request to show it, one for each form
	AtToken     Endpoint = "token"     // the token endpoint, whatever the grant type
	AtExchange  Endpoint = "exchange"  // the token endpoint, exchanging a code for tokens
	AtRefresh   Endpoint = "refresh"   // the token endpoint, exchanging a refresh token for tokens
	AtLogin     Endpoint = "login"     // exchanging name and password for a token
	AtRenew     Endpoint = "renew"     // exchanging a live access token for a new one
	AtMe        Endpoint = "me"        // whose token it is
	AtRevoke    Endpoint = "revoke"    // revoking a token
)

// FaultKind says what goes wrong. With the kinds that end in "-before" the server has
// done nothing; with those that end in "-after" it has done its work first: a token has
// rotated, and the client never learns.
type FaultKind string

// The kinds of faults.
const (
	FaultDropBefore             FaultKind = "drop-before" // the connection closes without an answer
	FaultDropAfter              FaultKind = "drop-after"
	FaultDelayBefore            FaultKind = "delay-before" // wait, then do the work and answer
	FaultDelayAfter             FaultKind = "delay-after"  // do the work, then wait and answer
	FaultStatusBefore           FaultKind = "status-before"
	FaultStatusAfter            FaultKind = "status-after"
	FaultTruncateBefore         FaultKind = "truncate-before" // half of the announced body, then the connection closes
	FaultTruncateAfter          FaultKind = "truncate-after"
	FaultHTMLBefore             FaultKind = "html-before" // a page of a content management system
	FaultHTMLAfter              FaultKind = "html-after"
	FaultRedirectBefore         FaultKind = "redirect-before"
	FaultRedirectAfter          FaultKind = "redirect-after"
	FaultWrongContentTypeBefore FaultKind = "wrong-content-type-before"
	FaultWrongContentTypeAfter  FaultKind = "wrong-content-type-after" // the real body under another type
	FaultHugeBefore             FaultKind = "huge-before"              // 10 MB of JSON
	FaultHugeAfter              FaultKind = "huge-after"
	FaultGarbageBefore          FaultKind = "garbage-before" // labelled JSON, but is not
	FaultGarbageAfter           FaultKind = "garbage-after"
	FaultEmptyBefore            FaultKind = "empty-before" // no body at all
	FaultEmptyAfter             FaultKind = "empty-after"
)

// FaultKinds returns all kinds.
func FaultKinds() []FaultKind {
	return []FaultKind{
		FaultDropBefore, FaultDropAfter, FaultDelayBefore, FaultDelayAfter, FaultStatusBefore, FaultStatusAfter,
		FaultTruncateBefore, FaultTruncateAfter, FaultHTMLBefore, FaultHTMLAfter, FaultRedirectBefore, FaultRedirectAfter,
		FaultWrongContentTypeBefore, FaultWrongContentTypeAfter, FaultHugeBefore, FaultHugeAfter,
		FaultGarbageBefore, FaultGarbageAfter, FaultEmptyBefore, FaultEmptyAfter,
	}
}

// Fault makes requests to a venue go wrong.
type Fault struct {
	// On is the endpoint; empty means any.
	On Endpoint
	// Kind is what goes wrong.
	Kind FaultKind
	// Times is how many requests the fault hits. 0 means one, -1 all.
	Times int
	// Skip is how many matching requests pass before the first hit.
	Skip int
	// Delay is how long to wait, in real time, before the fault strikes, or, for the
	// delay kinds, before the answer. A delay kind without Delay holds the request
	// until the client gives up.
	Delay time.Duration
	// Status is the HTTP status. 0 means 503 for the status kinds, 302 for redirects,
	// and 200 for pages and bodies.
	Status int
	// Body replaces the body of the status kinds, for example with a gateway's JSON.
	Body string
	// RetryAfter, if positive, is sent as Retry-After in seconds, rounded up.
	RetryAfter time.Duration
	// Location is the target of redirects; empty means https://elsewhere.invalid/.
	Location string
	// ContentType is the wrong content type, and that of Body; empty means
	// "text/plain; charset=utf-8".
	ContentType string
}

// Valid returns an error if the fault makes no sense: its kind is unknown, a number is
// negative or Status is out of range.
func (f Fault) Valid() error {
	if !slices.Contains(FaultKinds(), f.Kind) {
		return fmt.Errorf("emulator: unknown fault kind %q", f.Kind)
	}
	if f.Times < -1 || f.Skip < 0 || f.Delay < 0 || f.RetryAfter < 0 {
		return fmt.Errorf("emulator: fault %q has a negative number", f.Kind)
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("emulator: fault %q has status %d, want 200 to 599", f.Kind, f.Status)
	}
	return nil
}
