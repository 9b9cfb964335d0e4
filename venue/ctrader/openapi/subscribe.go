package openapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// subscribe.go owns the Client's subscriptions: who uses each topic, and whether the
// service has confirmed it.

// interest is what is known about a topic. It is guarded by the Client's lock.
type interest struct {
	users     map[*Subscription]bool
	confirmed bool // by the service, in the account's current session
	before    bool // confirmed in a session that was announced as lost but may have continued
}

// Subscription keeps the Client subscribed until it is closed.
type Subscription struct {
	client *Client
	topics []topic
	once   sync.Once
	onEnd  func(error) // called if the service or the Client ends it; may be nil
}

// Subscribe subscribes as a SubscribeSpotsReq, SubscribeDepthQuotesReq or
// SubscribeLiveTrendbarReq says, and again after every reconnect. It returns once the
// service has confirmed. Receive the events with Handle or Events; Spots, Depth and
// Trendbars subscribe and receive in one call. Errors are *Error.
//
// Several subscriptions may share a symbol: the service sees the first subscribe and the
// last unsubscribe. Depth and trendbars of a symbol require a subscription to its spots.
// Spots always include their times, whatever the request says, since subscriptions are
// shared. A subscription made with Do is not tracked, and is lost at the next reconnect.
func (c *Client) Subscribe(ctx context.Context, req message.Message) (*Subscription, error) {
	topics, err := topicsOf(req)
	if err != nil {
		return nil, err
	}
	return c.subscribe(ctx, topics, nil)
}

// Close ends the subscription. Topics that no other subscription uses are unsubscribed
// from in the background. Closing again does nothing.
func (s *Subscription) Close() { s.once.Do(func() { s.client.unsubscribe(s, true) }) }

// end ends the stream that is fed by a subscription, after the service or the Client
// ended the subscription.
func (s *Subscription) end(cause error) {
	if s.onEnd != nil {
		s.onEnd(fmt.Errorf("subscription ended: %w", cause))
	}
}

// subscribe registers the interest before it sends a request, so that a reconnect in
// between restores it.
func (c *Client) subscribe(ctx context.Context, topics []topic, failed func(error)) (*Subscription, error) {
	c.init()
	s := &Subscription{client: c, topics: topics, onEnd: failed}
	c.mu.Lock()
	for _, t := range topics {
		if c.hasLeft(t.account) { // nothing would restore it, or end it
			c.mu.Unlock()
			return nil, c.leftError(subscribeRequest(t), t.account)
		}
	}
	if c.topics == nil {
		c.topics = map[topic]*interest{}
	}
	for _, t := range topics {
		if c.topics[t] == nil {
			c.topics[t] = &interest{users: map[*Subscription]bool{}}
		}
		c.topics[t].users[s] = true
	}
	c.mu.Unlock()
	for _, stage := range stages(topics) {
		for _, req := range subscribeRequests(c.unconfirmed(stage)) {
			if err := c.sendSubscribe(ctx, req); err != nil {
				s.once.Do(func() { c.unsubscribe(s, link.ClassOf(err) == venuekey.ClassUnknown) })
				return nil, err
			}
		}
	}
	return s, nil
}

// unconfirmed returns the topics that must still be requested from the service.
func (c *Client) unconfirmed(topics []topic) []topic {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []topic
	for _, t := range topics {
		if i := c.topics[t]; i != nil && !i.confirmed {
			list = append(list, t)
		}
	}
	return list
}

// unconfirm marks an account's subscriptions for restoring; same means that its session
// may be the one before. c is locked.
func (c *Client) unconfirm(account int64, same bool) {
	for t, i := range c.topics {
		if t.account == account {
			i.before, i.confirmed = same && (i.before || i.confirmed), false
		}
	}
}

// confirm records that the service has confirmed, unless a newer session has begun.
func (c *Client) confirm(req message.Message, epoch int) {
	topics, _ := topicsOf(req)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range topics {
		if a := c.accounts[t.account]; a != nil && a.epoch != epoch {
			return
		}
		if i := c.topics[t]; i != nil {
			i.confirmed = true
		}
	}
}

// sendSubscribe subscribes, unless a reconnect has done so meanwhile. If a topic of a
// batch was already subscribed to, the whole batch may have had no effect, so its topics
// are then requested one by one.
func (c *Client) sendSubscribe(ctx context.Context, req message.Message) error {
	topics, _ := topicsOf(req)
	var epoch int
	_, err := c.doVia(ctx, req, func(ctx context.Context, conn *Conn, req message.Message) (message.Message, error) {
		epoch = c.epochOf(req)
		return c.inTurn(ctx, conn, req, func() message.Message {
			if rest := subscribeRequests(c.unconfirmed(topics)); len(rest) > 0 {
				return rest[0] // they are of one kind
			}
			return nil
		})
	})
	switch {
	case err == nil, kindOf(err) == KindAlreadyDone && len(topics) == 1:
		c.confirm(req, epoch)
		return nil
	case kindOf(err) != KindAlreadyDone:
		return err
	}
	for _, t := range topics {
		if err := c.sendSubscribe(ctx, subscribeRequest(t)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) epochOf(req message.Message) int {
	id, _ := accountOf(req)
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.accounts[id]; a != nil {
		return a.epoch
	}
	return 0
}

// inTurn waits its turn and sends what is then left to request, if anything. Subscribe
// and unsubscribe requests are sent one at a time, so that the last decision wins.
func (c *Client) inTurn(ctx context.Context, conn *Conn, req message.Message, left func() message.Message) (message.Message, error) {
	taken, err := conn.pace(ctx, req)
	if err != nil {
		return nil, err
	}
	select {
	case c.topicTurn <- struct{}{}:
	case <-ctx.Done():
		return nil, conn.failed(req, venuekey.ClassNotSent, ctx.Err())
	}
	if req = left(); req == nil {
		<-c.topicTurn
		return nil, nil
	}
	sent, err := conn.send(ctx, req, taken, conn.answerTime(req))
	<-c.topicTurn
	if err != nil {
		return nil, err
	}
	return conn.await(ctx, sent)
}

// unsubscribe removes a subscription, and unsubscribes in the background from topics that
// no other uses: dependent topics first, spots last. Topics that the service has not
// confirmed are included only if others is true, since it may know of them.
func (c *Client) unsubscribe(s *Subscription, others bool) {
	var unused []topic
	c.mu.Lock()
	for _, t := range s.topics {
		i := c.topics[t]
		if i == nil || !i.users[s] {
			continue
		}
		if delete(i.users, s); len(i.users) == 0 {
			delete(c.topics, t)
			if others || i.confirmed {
				unused = append(unused, t)
			}
		}
	}
	connected := c.conn != nil && c.conn.Err() == nil
	c.mu.Unlock()
	if len(unused) == 0 || !connected { // the next connection starts without subscriptions
		return
	}
	go c.endUnused(unused)
}

// endUnused has the service end what nobody uses of the topics.
func (c *Client) endUnused(unused []topic) {
	ctx, cancel := context.WithTimeout(context.Background(), c.Options.filled().Timeout)
	defer cancel()
	for _, stage := range slices.Backward(stages(unused)) {
		for _, topics := range batches(stage) {
			c.sendUnsubscribe(ctx, topics)
		}
	}
}

// sendUnsubscribe unsubscribes from the topics of one batch that are still unused.
func (c *Client) sendUnsubscribe(ctx context.Context, topics []topic) {
	_, err := c.doVia(ctx, unsubscribeRequest(topics), func(ctx context.Context, conn *Conn, req message.Message) (message.Message, error) {
		return c.inTurn(ctx, conn, req, func() message.Message { return unsubscribeRequest(c.unused(topics)) })
	})
	if err != nil && !errors.Is(err, ErrClosed) {
		c.Options.filled().Log.Warn("cannot end a subscription", "error", err)
	}
}

// unused returns the topics that no subscription uses.
func (c *Client) unused(topics []topic) []topic {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []topic
	for _, t := range topics {
		if c.topics[t] == nil {
			list = append(list, t)
		}
	}
	return list
}
