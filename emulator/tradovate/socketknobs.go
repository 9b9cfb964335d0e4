package tradovate

import (
	"cmp"
	"time"

	"github.com/coder/websocket"
)

// socketknobs.go owns the switches of the WebSocket and their defaults.

// DeadToken says what becomes of an open socket whose token expired or was revoked.
type DeadToken string

// What becomes of it. The documentation says that the socket stays open, a member of
// staff that it lives as long as the token, and a user saw it fall silent (Tradovate
// facts §5).
const (
	DeadTokenKeeps  DeadToken = ""
	DeadTokenCloses DeadToken = "close"
	DeadTokenStalls DeadToken = "stall"
)

// TokenForm says in which form authorize takes the token. Programs send it raw and as
// a JSON string (Tradovate facts §5).
type TokenForm string

// The forms.
const (
	TokenEither TokenForm = ""
	TokenRaw    TokenForm = "raw"
	TokenQuoted TokenForm = "quoted"
)

// MarketAccess says which token opens the socket of market data. Some pages say the
// market-data token, others the access token (Tradovate facts §5).
type MarketAccess string

// The tokens.
const (
	MarketByEither      MarketAccess = ""
	MarketByMDToken     MarketAccess = "md-token"
	MarketByAccessToken MarketAccess = "access-token"
)

// Split says how the snapshot comes to a user sync that asks for splitResponses. No
// source has it.
type Split string

// How it comes.
const (
	SplitAnswers Split = ""      // several answers with the same id, one for each entity type
	SplitProps   Split = "props" // an empty answer, then an event for each entity
)

// SocketKnobs are the switches of the WebSocket. The zero value is what the fact sheet
// has or finds likeliest (Tradovate facts §5, §11). A time or a limit is off when it is
// negative.
type SocketKnobs struct {
	// Heartbeat is how often h is sent; 0 means 2.5 s.
	Heartbeat time.Duration
	// HeartbeatWhileStreaming sends h beside market data as well.
	HeartbeatWhileStreaming bool
	// Inactivity is how long a client may send nothing; 0 means 15 s.
	Inactivity time.Duration
	// AuthorizeWithin is how long a socket may stay without authorize; 0 means 30 s.
	AuthorizeWithin time.Duration
	// Token is the form in which authorize takes the token.
	Token TokenForm
	// Market is the token that opens the socket of market data.
	Market MarketAccess
	// QuotesDenied answers all subscriptions of market data with 401, although the
	// token was taken.
	QuotesDenied bool
	// Dead is what becomes of an open socket whose token is dead.
	Dead DeadToken
	// Deaf answers no request, while heartbeats and events go on. Users have seen an
	// authorize without an answer (§8).
	Deaf bool
	// CloseCode is the code of a close by the venue; 0 means 1000.
	CloseCode int
	// CloseFrame sends the frame c before the close.
	CloseFrame bool
	// Misdirected answers a handshake with 421.
	Misdirected bool
	// Limit is how many sockets a user may have; 0 means 50. The oldest is closed and
	// its token revoked.
	Limit int
	// Addresses is from how many addresses a user may have sockets; 0 means 5.
	Addresses int
	// KeepToken leaves the token of a socket that was closed for a limit alive.
	KeepToken bool
	// SyncAll gives all entity types to a user sync that names none, as older pages
	// say. By default it then gets none.
	SyncAll bool
	// Split is how a split snapshot comes.
	Split Split
	// QuoteEvery is how often market data comes for each subscription; 0 means 1 s.
	QuoteEvery time.Duration
}

func (k SocketKnobs) filled() SocketKnobs {
	k.Heartbeat = cmp.Or(k.Heartbeat, 2500*time.Millisecond)
	k.Inactivity = cmp.Or(k.Inactivity, 15*time.Second)
	k.AuthorizeWithin = cmp.Or(k.AuthorizeWithin, 30*time.Second)
	k.CloseCode = cmp.Or(k.CloseCode, int(websocket.StatusNormalClosure))
	k.Limit = cmp.Or(k.Limit, 50)
	k.Addresses = cmp.Or(k.Addresses, 5)
	k.QuoteEvery = cmp.Or(k.QuoteEvery, time.Second)
	return k
}
