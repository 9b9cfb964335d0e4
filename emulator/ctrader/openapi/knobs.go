package openapi

import (
	"cmp"
	"fmt"
	"time"
)

// knobs.go owns the knobs: every switch of the emulated Open API and its default.

// Knobs say how the servers behave. The zero value is what the fact sheet considers
// likeliest ("cTrader facts" §3 and §8). A negative limit or time means none. Section
// numbers are those of the fact sheet.
type Knobs struct {
	// OnRefresh is what open sessions see when their token is refreshed (§1.7).
	OnRefresh RefreshEffect
	// EnforceExpiry refuses requests of an open session once its token has expired. By
	// default the token is checked only when the account is authorised.
	EnforceExpiry bool
	// Strict refuses version and refresh requests before the app is authorised (§8).
	Strict bool
	// OneSessionPerAccount ends the session of an account when another connection
	// authorises the account. By default both continue (§8).
	OneSessionPerAccount bool
	// NotAuthorizedTyped answers requests for an account without a session with
	// ACCOUNT_NOT_AUTHORIZED instead of INVALID_REQUEST (§3.7).
	NotAuthorizedTyped bool
	// ViewScopeCode is the error code for an order with a token of scope accounts; empty
	// means TRADING_NOT_ALLOWED. The real one is not known.
	ViewScopeCode string
	// OmitScope omits permissionScope from the account list (§7.30).
	OmitScope bool
	// DisconnectKeepsOpen keeps the connection open after a ClientDisconnectEvent, and
	// the app can authorise again. By default it is closed.
	DisconnectKeepsOpen bool

	// CommonErrors sends errors as ProtoErrorRes (50) instead of ProtoOAErrorRes (2142)
	// (§3.7).
	CommonErrors bool
	// OrderErrorsPlain sends an ErrorRes for refused orders too. By default it is an
	// OrderErrorEvent.
	OrderErrorsPlain bool
	// MaintenanceCode is the error code during maintenance; empty means
	// SERVER_IS_UNDER_MAINTENANCE. CANT_ROUTE_REQUEST has been seen too (§3.6).
	MaintenanceCode string
	// MaintenanceOtherUnit swaps the units of maintenanceEndTimestamp: by default it is
	// in seconds in 2142 and in milliseconds in 50 (§7.15).
	MaintenanceOtherUnit bool

	// OmitEmptyPayload omits the payload of a protobuf message without fields, such as a
	// heartbeat, from its envelope. By default it is present and empty, since some clients
	// of the real servers fail without it.
	OmitEmptyPayload bool
	// JSONText writes enums as names and 64-bit numbers as strings. By default
	// both are numbers (§3.3).
	JSONText bool
	// JSONFraming is how JSON messages are separated over TCP (§3.3).
	JSONFraming Framing
	// MaxFrame is the longest message that is accepted, in bytes; 0 means 10 MiB (§8).
	MaxFrame int

	// Heartbeat is how often the server sends a heartbeat; 0 means 25 s (§3.4).
	Heartbeat time.Duration
	// Idle is how long a client may send nothing before its connection ends; 0 means
	// 30 s.
	Idle time.Duration
	// Unauthenticated is how long a connection may last without an authorised app,
	// whatever it sends; 0 means 30 s.
	Unauthenticated time.Duration

	// Rate and HistoricalRate are the limits of requests per second; 0 means 50 and 5
	// (§3.5).
	Rate, HistoricalRate int
	// RateOfApp counts the requests of all connections of an app together, as in 2021.
	RateOfApp bool
	// RateCode and HistoricalRateCode are the error codes for too many requests; empty
	// means REQUEST_FREQUENCY_EXCEEDED and BLOCKED_PAYLOAD_TYPE. Only the latter comes
	// with retryAfter.
	RateCode, HistoricalRateCode string
	// RetryAfter is the value of retryAfter, rounded up to seconds; 0 means 1 s.
	RetryAfter time.Duration
	// MaxConnections is how many connections an app can have; 0 means 25.
	MaxConnections int

	// QuoteEvery is how often prices move; 0 means 250 ms. If it is negative, they move
	// only when Quote is called.
	QuoteEvery time.Duration
	// Seed selects another random walk of the prices. It is read at the start only.
	Seed uint64
	// BothSides sends bid and ask in every spot event. By default events after the first
	// contain only what changed.
	BothSides bool
	// MarginEvents sends a MarginChangedEvent after each fill.
	MarginEvents bool

	// MaxRows is how many rows an answer about the past can have; 0 means 1000.
	MaxRows int
	// TickPricesWhole sends the price of every tick as it is. By default all but the first
	// are differences.
	TickPricesWhole bool
	// TickTimesPositive sends the time differences of ticks without the minus sign, which
	// they have because the list goes back in time.
	TickTimesPositive bool
}

// RefreshEffect is what happens to open account sessions when their token is refreshed;
// sources contradict each other (cTrader facts §1.7).
type RefreshEffect int

// The effects of a refresh.
const (
	// RefreshInvalidates sends AccountsTokenInvalidatedEvent and ends the session.
	RefreshInvalidates RefreshEffect = iota
	// RefreshDisconnects sends AccountDisconnectEvent although the session continues.
	RefreshDisconnects
	// RefreshSilent sends nothing, and the session continues.
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

// Framing is how JSON messages are separated over TCP, which is not documented.
type Framing int

// The framings.
const (
	// FramingLength sends a length of four bytes before each, as for protobuf.
	FramingLength Framing = iota
	// FramingLine sends a line feed after each.
	FramingLine
	// FramingNone sends nothing between them.
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

// filled returns a copy with the defaults filled in.
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
