package openapi

import (
	"cmp"
	"fmt"
	"time"
)

// knobs.go owns the knobs: every switch of the emulated Open API and its default.

// Knobs say how the servers behave. The zero value is what the fact sheet holds
// for likeliest ("cTrader facts" §3 and §8). A limit or a time that is negative
// is switched off.
type Knobs struct {
	// OnRefresh is what open sessions see when their token is refreshed (§1.7).
	OnRefresh RefreshEffect
	// EnforceExpiry refuses requests of an open session once its token has
	// expired. By default the token counts only when the account is authorised.
	EnforceExpiry bool
	// Strict refuses version and refresh requests before the app is authorised
	// (§8).
	Strict bool
	// OneSessionPerAccount ends the session of an account when another connection
	// authorises it. By default both live (§8).
	OneSessionPerAccount bool
	// NotAuthorizedTyped says ACCOUNT_NOT_AUTHORIZED to requests for an account
	// without session, in place of INVALID_REQUEST (§3.7).
	NotAuthorizedTyped bool
	// ViewScopeCode is what an order with a token of scope accounts is told; empty
	// means TRADING_NOT_ALLOWED. No source knows the real one.
	ViewScopeCode string
	// OmitScope leaves permissionScope out of the account list (§7.30).
	OmitScope bool
	// DisconnectKeepsOpen leaves the connection open after a ClientDisconnectEvent;
	// the app may authorise itself anew. By default it is closed.
	DisconnectKeepsOpen bool

	// CommonErrors sends errors as ProtoErrorRes (50) in place of
	// ProtoOAErrorRes (2142) (§3.7).
	CommonErrors bool
	// OrderErrorsPlain refuses orders with an ErrorRes too. By default it is an
	// OrderErrorEvent.
	OrderErrorsPlain bool
	// MaintenanceCode is what requests are told during maintenance; empty means
	// SERVER_IS_UNDER_MAINTENANCE. CANT_ROUTE_REQUEST was seen as well (§3.6).
	MaintenanceCode string
	// MaintenanceOtherUnit swaps the units of maintenanceEndTimestamp: by default
	// it is seconds in 2142 and milliseconds in 50 (§7.15).
	MaintenanceOtherUnit bool

	// OmitEmptyPayload leaves the payload of a protobuf message without fields out
	// of its envelope, as of heartbeats. By default it is there and empty: clients
	// of the real servers are about that break over an envelope without.
	OmitEmptyPayload bool
	// JSONText writes enums as names and 64-bit numbers as strings. By default
	// both are numbers (§3.3).
	JSONText bool
	// JSONFraming is how JSON travels over TCP (§3.3).
	JSONFraming Framing
	// MaxFrame is the longest message that is taken; 0 means 10 MiB (§8).
	MaxFrame int

	// Heartbeat is how often the server sends one; 0 means 25 s (§3.4).
	Heartbeat time.Duration
	// Idle is after how long without a message a connection ends; 0 means 30 s.
	Idle time.Duration
	// Unauthenticated is after how long without an authorised app it ends,
	// whatever it sends; 0 means 30 s.
	Unauthenticated time.Duration

	// Rate and HistoricalRate are the requests a second; 0 means 50 and 5 (§3.5).
	Rate, HistoricalRate int
	// RateOfApp counts the requests of all connections of an app together, as it
	// was in 2021.
	RateOfApp bool
	// RateCode and HistoricalRateCode are what too many requests are told; empty
	// means REQUEST_FREQUENCY_EXCEEDED and BLOCKED_PAYLOAD_TYPE. Only the latter
	// comes with retryAfter.
	RateCode, HistoricalRateCode string
	// RetryAfter is that, rounded up to seconds; 0 means 1 s.
	RetryAfter time.Duration
	// MaxConnections is how many connections one app may have; 0 means 25.
	MaxConnections int

	// QuoteEvery is how often prices move; 0 means 250 ms. Negative: only when
	// Quote is called.
	QuoteEvery time.Duration
	// Seed makes another walk of prices. It is read at the start only.
	Seed uint64
	// BothSides sends bid and ask in every spot event. By default only what
	// changed, after the first.
	BothSides bool
	// MarginEvents sends a MarginChangedEvent after each fill.
	MarginEvents bool

	// MaxRows is how many rows the answer to a list of past things has; 0 means
	// 1000.
	MaxRows int
	// TickPricesWhole writes the price of every tick as it is. By default all but
	// the first are differences (Units).
	TickPricesWhole bool
	// TickTimesPositive writes the differences of time without the minus that
	// going back in time gives them.
	TickTimesPositive bool
}

// RefreshEffect is what becomes of open account sessions when their token is
// refreshed; sources contradict each other (cTrader facts §1.7).
type RefreshEffect int

// The effects of a refresh.
const (
	// RefreshInvalidates sends AccountsTokenInvalidatedEvent and ends the session.
	RefreshInvalidates RefreshEffect = iota
	// RefreshDisconnects sends AccountDisconnectEvent although the session lives.
	RefreshDisconnects
	// RefreshSilent does nothing; the session lives.
	RefreshSilent
)

func refreshEffectNames() []string { return []string{"invalidates", "disconnects", "silent"} }

func (e RefreshEffect) String() string { return nameOf("RefreshEffect", refreshEffectNames(), int(e)) }

// MarshalText writes the name.
func (e RefreshEffect) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads a name.
func (e *RefreshEffect) UnmarshalText(text []byte) error {
	n, err := valueOf("refresh effect", refreshEffectNames(), string(text))
	if err == nil {
		*e = RefreshEffect(n)
	}
	return err
}

// Framing is how one JSON message is told from the next over TCP. The
// documentation does not say.
type Framing int

// The framings.
const (
	// FramingLength puts four bytes of length before each, as for protobuf.
	FramingLength Framing = iota
	// FramingLine puts a line feed after each.
	FramingLine
	// FramingNone puts nothing between them.
	FramingNone
)

func framingNames() []string { return []string{"length", "line", "none"} }

func (f Framing) String() string { return nameOf("Framing", framingNames(), int(f)) }

// MarshalText writes the name.
func (f Framing) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads a name.
func (f *Framing) UnmarshalText(text []byte) error {
	n, err := valueOf("framing", framingNames(), string(text))
	if err == nil {
		*f = Framing(n)
	}
	return err
}

func nameOf(kind string, names []string, n int) string {
	if n < 0 || n >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, n)
	}
	return names[n]
}

func valueOf(kind string, names []string, text string) (int, error) {
	for i, name := range names {
		if name == text {
			return i, nil
		}
	}
	return 0, fmt.Errorf("openapi: unknown %s %q", kind, text)
}

// filled is a copy with the defaults filled in.
func (k Knobs) filled() Knobs {
	k.ViewScopeCode = cmp.Or(k.ViewScopeCode, "TRADING_NOT_ALLOWED")
	k.MaintenanceCode = cmp.Or(k.MaintenanceCode, "SERVER_IS_UNDER_MAINTENANCE")
	k.RateCode = cmp.Or(k.RateCode, "REQUEST_FREQUENCY_EXCEEDED")
	k.HistoricalRateCode = cmp.Or(k.HistoricalRateCode, blocked)
	k.MaxFrame = cmp.Or(k.MaxFrame, 10<<20)
	k.Heartbeat = cmp.Or(k.Heartbeat, 25*time.Second)
	k.Idle = cmp.Or(k.Idle, 30*time.Second)
	k.Unauthenticated = cmp.Or(k.Unauthenticated, 30*time.Second)
	k.Rate = cmp.Or(k.Rate, 50)
	k.HistoricalRate = cmp.Or(k.HistoricalRate, 5)
	k.RetryAfter = cmp.Or(k.RetryAfter, time.Second)
	k.MaxConnections = cmp.Or(k.MaxConnections, 25)
	k.QuoteEvery = cmp.Or(k.QuoteEvery, 250*time.Millisecond)
	k.MaxRows = cmp.Or(k.MaxRows, 1000)
	if k.MaxFrame < 0 {
		k.MaxFrame = 1 << 30
	}
	if k.MaxRows < 0 {
		k.MaxRows = 100_000
	}
	return k
}

func (s *Server) knobs() Knobs { return s.settings.Current().filled() }
