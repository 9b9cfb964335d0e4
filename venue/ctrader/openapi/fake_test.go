package openapi_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// fake_test.go owns a server for the stories here: what the service says by
// default, and a hook for what a story needs otherwise.

const (
	fakeHost   = "demo.ctraderapi.com"
	fakeSecret = "s3cret-of-the-app"
)

// identity is a certificate for fakeHost, and its CA. Virtual time
// begins in 2000, so it is valid long before.
var identity = sync.OnceValue(func() (id struct {
	server tls.Certificate
	roots  *x509.CertPool
}) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fake"}, DNSNames: []string{fakeHost},
		NotBefore: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	parsed, _ := x509.ParseCertificate(raw)
	id.server = tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
	id.roots = x509.NewCertPool()
	id.roots.AddCert(parsed)
	return id
})

// fake is the service's side. A story sets hook to answer otherwise; true means
// that the message is dealt with.
type fake struct {
	accounts []message.CtidTraderAccount
	hook     func(s *peer, e message.Envelope, m message.Message) bool
	plain    bool // no TLS
	mute     bool // reads nothing after the handshake
	json     bool
	careless bool // does not note what comes

	mu    sync.Mutex
	token string // what AccountAuth takes
	peers []*peer
	seen  []message.Envelope // all that came, in order
	at    []time.Time
	open  sync.WaitGroup
}

// peer is one connection.
type peer struct {
	f          *fake
	nc         net.Conn
	write      sync.Mutex
	authorised map[int64]bool
	subscribed map[[3]int64]bool
	app        bool
}

func newFake(accounts ...int64) *fake {
	f := &fake{token: "access-1"}
	for _, id := range accounts {
		f.accounts = append(f.accounts, message.CtidTraderAccount{CtidTraderAccountID: uint64(id), IsLive: message.Some(false)})
	}
	return f
}

func (f *fake) endpoint() openapi.Endpoint {
	return openapi.Endpoint{Address: fakeHost, JSON: f.json, TLS: &tls.Config{RootCAs: identity().roots}, Dial: f.dial}
}

func (f *fake) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ours, theirs := pipe()
	f.open.Go(func() { f.serve(theirs) })
	return ours, nil
}

// listen serves on a port of this machine instead.
func (f *fake) listen(t testing.TB) openapi.Endpoint {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.open.Go(func() {
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			f.open.Go(func() { f.serve(nc) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		f.open.Wait()
	})
	e := f.endpoint()
	e.Dial = dialer(listener.Addr().String())
	return e
}

// dialer connects to one address, whatever the requested one is.
func dialer(address string) func(ctx context.Context, network, _ string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}

func (f *fake) serve(nc net.Conn) {
	defer nc.Close()
	if !f.plain {
		secured := tls.Server(nc, &tls.Config{Certificates: []tls.Certificate{identity().server}})
		if secured.Handshake() != nil {
			return
		}
		nc = secured
	}
	s := &peer{f: f, nc: nc, authorised: map[int64]bool{}, subscribed: map[[3]int64]bool{}}
	f.mu.Lock()
	f.peers = append(f.peers, s)
	f.mu.Unlock()
	frames := message.FrameReader{Reader: nc}
	for !f.mute {
		b, err := frames.Next()
		if err != nil {
			return
		}
		var e message.Envelope
		if f.json {
			err = e.UnmarshalJSON(b)
		} else {
			err = e.UnmarshalBinary(b)
		}
		if err != nil {
			panic(err)
		}
		e.Payload = bytes.Clone(e.Payload)
		f.take(s, e)
	}
	if e, ok := nc.(*tls.Conn); ok { // until the client gives up
		e.NetConn().(*end).out.wait()
	}
}

func (f *fake) decode(e message.Envelope) message.Message {
	decode := message.Decode
	if f.json {
		decode = message.DecodeJSON
	}
	m, err := decode(e.Type, e.Payload)
	if err != nil {
		panic(err)
	}
	return m
}

func (f *fake) take(s *peer, e message.Envelope) {
	if !f.careless {
		f.mu.Lock()
		f.seen, f.at = append(f.seen, e), append(f.at, time.Now())
		f.mu.Unlock()
	}
	m := f.decode(e)
	if f.hook != nil && f.hook(s, e, m) {
		return
	}
	s.usual(e, m)
}

// usual is what the service does.
func (s *peer) usual(e message.Envelope, m message.Message) {
	account := int64(0)
	switch m := m.(type) {
	case *message.HeartbeatEvent:
		return
	case *message.ApplicationAuthReq:
		if string(m.ClientSecret) != fakeSecret {
			s.refuse(e.ID, "CH_CLIENT_AUTH_FAILURE", "clientId or clientSecret is incorrect")
			s.nc.Close()
			return
		}
		s.app = true
		s.send(e.ID, &message.ApplicationAuthRes{})
		return
	case *message.GetAccountListByAccessTokenReq:
		s.send(e.ID, &message.GetAccountListByAccessTokenRes{AccessToken: m.AccessToken, CtidTraderAccount: s.f.accounts})
		return
	case *message.AccountAuthReq:
		s.authorise(e, m)
		return
	case *message.AccountLogoutReq:
		if s.trusts(e, m.CtidTraderAccountID) {
			s.drop(m.CtidTraderAccountID)
			s.send(e.ID, &message.AccountLogoutRes{CtidTraderAccountID: m.CtidTraderAccountID})
			s.send("", &message.AccountDisconnectEvent{CtidTraderAccountID: m.CtidTraderAccountID})
		}
		return
	case *message.VersionReq:
		s.send(e.ID, &message.VersionRes{Version: "99"})
		return
	case *message.SubscribeSpotsReq:
		if s.trusts(e, m.CtidTraderAccountID) {
			s.subscribe(e, 1, m.CtidTraderAccountID, m.SymbolID, &message.SubscribeSpotsRes{CtidTraderAccountID: m.CtidTraderAccountID})
		}
		return
	case *message.SubscribeDepthQuotesReq:
		if s.trusts(e, m.CtidTraderAccountID) {
			s.subscribe(e, 2, m.CtidTraderAccountID, m.SymbolID, &message.SubscribeDepthQuotesRes{CtidTraderAccountID: m.CtidTraderAccountID})
		}
		return
	case *message.SubscribeLiveTrendbarReq:
		if s.trusts(e, m.CtidTraderAccountID) {
			s.subscribe(e, 10+int64(m.Period), m.CtidTraderAccountID, []int64{m.SymbolID}, &message.SubscribeLiveTrendbarRes{CtidTraderAccountID: m.CtidTraderAccountID})
		}
		return
	case *message.UnsubscribeSpotsReq:
		for _, symbol := range m.SymbolID {
			delete(s.subscribed, [3]int64{1, m.CtidTraderAccountID, symbol})
		}
		s.send(e.ID, &message.UnsubscribeSpotsRes{CtidTraderAccountID: m.CtidTraderAccountID})
		return
	case *message.UnsubscribeDepthQuotesReq:
		s.send(e.ID, &message.UnsubscribeDepthQuotesRes{CtidTraderAccountID: m.CtidTraderAccountID})
		return
	case *message.UnsubscribeLiveTrendbarReq:
		s.send(e.ID, &message.UnsubscribeLiveTrendbarRes{CtidTraderAccountID: m.CtidTraderAccountID})
		return
	case *message.TraderReq:
		account = m.CtidTraderAccountID
	case *message.NewOrderReq:
		if s.trusts(e, m.CtidTraderAccountID) {
			s.send(e.ID, &message.ExecutionEvent{CtidTraderAccountID: m.CtidTraderAccountID, ExecutionType: message.ExecutionTypeOrderAccepted})
		}
		return
	}
	if s.trusts(e, account) {
		s.send(e.ID, &message.TraderRes{CtidTraderAccountID: account, Trader: message.Trader{CtidTraderAccountID: account, Balance: 42, DepositAssetID: 1}})
	}
}

func (s *peer) authorise(e message.Envelope, m *message.AccountAuthReq) {
	s.f.mu.Lock()
	good := string(m.AccessToken) == s.f.token
	s.f.mu.Unlock()
	switch {
	case !s.app:
		s.refuse(e.ID, "CH_CLIENT_NOT_AUTHENTICATED", "")
	case !good:
		s.refuse(e.ID, "CH_ACCESS_TOKEN_INVALID", "Invalid access token "+string(m.AccessToken))
	case s.authorised[m.CtidTraderAccountID]:
		s.refuse(e.ID, "ALREADY_LOGGED_IN", "Trading account is already authorized in this channel")
	default:
		s.authorised[m.CtidTraderAccountID] = true
		s.send(e.ID, &message.AccountAuthRes{CtidTraderAccountID: m.CtidTraderAccountID})
	}
}

func (s *peer) trusts(e message.Envelope, account int64) bool {
	if !s.authorised[account] {
		s.refuse(e.ID, "INVALID_REQUEST", "Trading account is not authorized")
	}
	return s.authorised[account]
}

func (s *peer) subscribe(e message.Envelope, kind, account int64, symbols []int64, yes message.Message) {
	for _, symbol := range symbols {
		if s.subscribed[[3]int64{kind, account, symbol}] {
			s.refuse(e.ID, "ALREADY_SUBSCRIBED", "")
			return
		}
	}
	for _, symbol := range symbols {
		s.subscribed[[3]int64{kind, account, symbol}] = true
	}
	s.send(e.ID, yes)
}

// drop ends an account's session and what it was subscribed to.
func (s *peer) drop(account int64) {
	delete(s.authorised, account)
	for key := range s.subscribed {
		if key[1] == account {
			delete(s.subscribed, key)
		}
	}
}

func (s *peer) refuse(id, code, description string) {
	s.send(id, &message.ErrorRes{ErrorCode: code, Description: message.Some(description)})
}

func (s *peer) send(id string, m message.Message) {
	e := message.Envelope{Type: m.PayloadType(), ID: id}
	var b []byte
	if s.f.json {
		e.Payload, _ = m.MarshalJSON()
		text := e.AppendJSON(nil)
		b = append(b, byte(len(text)>>24), byte(len(text)>>16), byte(len(text)>>8), byte(len(text)))
		b = append(b, text...)
	} else {
		var err error
		if e.Payload, err = m.AppendBinary(nil); err != nil {
			panic(err)
		}
		b = message.AppendFrame(nil, e)
	}
	s.raw(b)
}

func (s *peer) raw(b []byte) {
	s.write.Lock()
	defer s.write.Unlock()
	_, _ = s.nc.Write(b)
}

// last is the newest connection.
func (f *fake) last() *peer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.peers[len(f.peers)-1]
}

func (f *fake) connections() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.peers)
}

func (f *fake) setToken(token string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.token = token
}

// types are the messages that came since, heartbeats left out.
func (f *fake) types(since int) []message.PayloadType {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []message.PayloadType
	for _, e := range f.seen[min(since, len(f.seen)):] {
		if e.Type != message.TypeHeartbeatEvent {
			list = append(list, e.Type)
		}
	}
	return list
}

func (f *fake) count(t message.PayloadType) int {
	n := 0
	for _, seen := range f.types(0) {
		if seen == t {
			n++
		}
	}
	return n
}

func (f *fake) times(t message.PayloadType) []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []time.Time
	for i, e := range f.seen {
		if e.Type == t {
			list = append(list, f.at[i])
		}
	}
	return list
}

func (f *fake) mark() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.seen)
}

// pipe is a connection with room: what is written need not be read at once, up
// to a megabyte.
func pipe() (net.Conn, net.Conn) {
	a, b := newHalf(), newHalf()
	return &end{in: a, out: b}, &end{in: b, out: a}
}

type half struct {
	mu     sync.Mutex
	moved  *sync.Cond
	bytes  []byte
	closed bool
	due    time.Time // when a read is called off
	alarm  *time.Timer
}

func newHalf() *half {
	h := &half{}
	h.moved = sync.NewCond(&h.mu)
	return h
}

// wait returns when the pipe is closed.
func (h *half) wait() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for !h.closed {
		h.moved.Wait()
	}
}

type end struct {
	net.Conn
	in, out *half
}

func (e *end) Read(b []byte) (int, error) {
	e.in.mu.Lock()
	defer e.in.mu.Unlock()
	for len(e.in.bytes) == 0 {
		if e.in.closed {
			return 0, io.EOF
		}
		if !e.in.due.IsZero() && !time.Now().Before(e.in.due) {
			return 0, os.ErrDeadlineExceeded
		}
		e.in.moved.Wait()
	}
	n := copy(b, e.in.bytes)
	e.in.bytes = slices.Delete(e.in.bytes, 0, n)
	e.in.moved.Broadcast()
	return n, nil
}

func (e *end) Write(b []byte) (int, error) {
	e.out.mu.Lock()
	defer e.out.mu.Unlock()
	for len(e.out.bytes) > 1<<20 && !e.out.closed {
		e.out.moved.Wait()
	}
	if e.out.closed {
		return 0, errors.New("broken pipe")
	}
	e.out.bytes = append(e.out.bytes, b...)
	e.out.moved.Broadcast()
	return len(b), nil
}

func (e *end) Close() error {
	for _, h := range []*half{e.in, e.out} {
		h.mu.Lock()
		h.closed = true
		if h.alarm != nil {
			h.alarm.Stop()
		}
		h.moved.Broadcast()
		h.mu.Unlock()
	}
	return nil
}

func (e *end) SetReadDeadline(t time.Time) error {
	h := e.in
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return net.ErrClosed
	}
	if h.alarm != nil {
		h.alarm.Stop()
	}
	if h.due, h.alarm = t, nil; !t.IsZero() {
		h.alarm = time.AfterFunc(time.Until(t), func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.moved.Broadcast()
		})
	}
	return nil
}

func (e *end) SetDeadline(time.Time) error      { return nil }
func (e *end) SetWriteDeadline(time.Time) error { return nil }
func (e *end) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (e *end) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

// within is a context with a deadline.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}
