package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/internal/foreign"
)

// socket.go owns WebSockets whose messages are understood: each one of the program's is judged,
// and the one that authorises gets the token.

// mostMessage is the longest message of a program, in bytes: a request, and not what a venue
// answers.
const mostMessage = 1 << 20

// isUpgrade reports whether a request wants a WebSocket (RFC 6455 §4.1).
func isUpgrade(r *http.Request) bool {
	return strings.EqualFold(textproto.TrimString(r.Header.Get("Upgrade")), "websocket")
}

// wire is a program's WebSocket and the venue's.
type wire struct {
	h       *Handler
	r       *http.Request
	c       *call
	program *websocket.Conn
	venue   *websocket.Conn
}

// socket connects a program's WebSocket with the venue's until one of them ends.
func (h *Handler) socket(w http.ResponseWriter, r *http.Request, c *call) {
	at := *c.target.URL
	at.RawQuery = r.URL.Query().Encode()
	ctx, cancel := context.WithTimeout(r.Context(), headPatience)
	defer cancel()
	venue, response, err := websocket.Dial(ctx, at.String(), &websocket.DialOptions{
		HTTPClient:   &http.Client{Transport: h.pools.of(c.target.CA, h.Base), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		Subprotocols: subprotocols(r), CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		reason := "the venue's WebSocket cannot be opened"
		if response != nil {
			reason += ": it answered " + response.Status
		} else {
			reason += ": " + foreign.Error(err).Error()
		}
		agent.Fail(w, http.StatusBadGateway, &venuekey.Error{ID: c.id, Op: "proxy", Class: venuekey.ClassNotSent, Reason: reason})
		return
	}
	defer func() { _ = venue.CloseNow() }()
	accepted := &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled}
	if chosen := venue.Subprotocol(); chosen != "" {
		accepted.Subprotocols = []string{chosen}
	}
	program, err := websocket.Accept(w, r, accepted)
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = program.CloseNow() }()
	program.SetReadLimit(mostMessage)
	venue.SetReadLimit(-1) // what it sends is passed on in pieces
	wire{h, r, c, program, venue}.run(r.Context())
}

func subprotocols(r *http.Request) (all []string) {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(line, ",") {
			all = append(all, textproto.TrimString(name))
		}
	}
	return all
}

// run passes messages on, both ways. Who ends first tells the other how.
func (x wire) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() {
		defer cancel()
		end(x.program, x.down(ctx))
	})
	both.Go(func() {
		defer cancel()
		end(x.venue, x.up(ctx))
	})
	both.Wait()
}

// end closes a WebSocket as the other side was closed.
func end(conn *websocket.Conn, why error) {
	var closed websocket.CloseError
	switch {
	case errors.As(why, &closed) && closed.Code != websocket.StatusNoStatusRcvd && closed.Code != websocket.StatusAbnormalClosure && closed.Code != websocket.StatusTLSHandshake:
		_ = conn.Close(closed.Code, foreign.Line(closed.Reason))
	case errors.As(why, &closed):
		_ = conn.Close(websocket.StatusNormalClosure, "")
	default:
		_ = conn.CloseNow()
	}
}

// down passes the venue's messages on, in pieces, however long they are.
func (x wire) down(ctx context.Context) error {
	buffer := make([]byte, bufferSize)
	for {
		kind, from, err := x.venue.Reader(ctx)
		if err != nil {
			return err
		}
		to, err := x.program.Writer(ctx, kind)
		if err != nil {
			return err
		}
		if _, err := io.CopyBuffer(to, from, buffer); err != nil {
			return err
		}
		if err := to.Close(); err != nil {
			return err
		}
	}
}

// up passes the program's messages on, as far as they may be sent.
func (x wire) up(ctx context.Context) error {
	for {
		kind, text, err := x.program.Read(ctx)
		if err != nil {
			return err
		}
		if kind != websocket.MessageText {
			return x.program.Close(websocket.StatusUnsupportedData, "the venue's messages are text")
		}
		token, err := x.c.source.Token(ctx)
		if err != nil {
			return x.program.Close(websocket.StatusPolicyViolation, "there is no token: venuekey status")
		}
		m := x.c.target.Message(*token, text)
		if refused := x.judge(m, token.Generation); refused != nil {
			if err := x.refuse(ctx, m, refused); err != nil {
				return err
			}
			continue
		}
		if err := x.venue.Write(ctx, websocket.MessageText, m.Text); err != nil {
			return err
		}
	}
}

// judge returns why a message may not be sent.
func (x wire) judge(m venuekey.Message, generation int64) error {
	if m.Name == "" {
		return errors.New("it is no message that is understood")
	}
	if m.Quiet {
		return nil
	}
	return x.h.may(x.r, x.c.id, Asked{methodSocket, m.Name, m.Effect}, generation)
}

// refuse tells the program, in the venue's form if there is one.
func (x wire) refuse(ctx context.Context, m venuekey.Message, why error) error {
	var answer []byte
	if m.Refusal != nil {
		answer = m.Refusal(why.Error())
	}
	if answer == nil {
		return x.program.Close(websocket.StatusPolicyViolation, "a message that may not be sent")
	}
	return x.program.Write(ctx, websocket.MessageText, answer)
}
