package openapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// subscribe.go owns what a Client is subscribed to: its users, and whether the service
// knows.

// interest is what is known of a topic. It is guarded by the Client's lock.
type interest struct {
	users     map[*Subscription]bool
	confirmed bool // the service said yes in the account's present session
}

// Subscription keeps the Client subscribed until it is closed.
type Subscription struct {
	client *Client
	topics []topic
	once   sync.Once
	onEnd  func(error) // is called if the service or the Client ends it; may be nil
}

// Subscribe subscribes to what a SubscribeSpotsReq, SubscribeDepthQuotesReq or
// SubscribeLiveTrendbarReq names, and again after every reconnect. The service
// is asked only for what nobody uses yet, and is asked to end what nobody uses any
// more. The events come to Handle and Events; Spots, Depth and
// Trendbars do both.
//
// Depth and trendbars of a symbol need its spots to be subscribed to as well.
// Spots come with their times, whether the request says so or not: one
// subscription serves all that share it. A subscription made with Do is unknown here,
// and is gone after the next reconnect.
func (c *Client) Subscribe(ctx context.Context, req message.Message) (*Subscription, error) {
	topics, err := topicsOf(req)
	if err != nil {
		return nil, err
	}
	return c.subscribe(ctx, topics, nil)
}

// Close gives the subscription up. If nobody else uses it the service is asked to end
// it, in the background.
func (s *Subscription) Close() { s.once.Do(func() { s.client.unsubscribe(s, true) }) }

// end ends what feeds on a subscription that the service or the Client gave up.
func (s *Subscription) end(cause error) {
	if s.onEnd != nil {
		s.onEnd(fmt.Errorf("subscription ended: %w", cause))
	}
}

// subscribe enters the interest before it asks: a reconnect in between then
// restores it, and an event that comes before the answer finds its reader.
func (c *Client) subscribe(ctx context.Context, topics []topic, failed func(error)) (*Subscription, error) {
	c.init()
	s := &Subscription{client: c, topics: topics, onEnd: failed}
	c.mu.Lock()
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
				s.once.Do(func() { c.unsubscribe(s, classOf(err) == venuekey.ClassUnknown) })
				return nil, err
			}
		}
	}
	return s, nil
}

// unconfirmed are those of the topics that the service has to be asked for.
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

// unconfirm has an account's subscriptions restored at the next chance. c is
// locked.
func (c *Client) unconfirm(account int64) {
	for t, i := range c.topics {
		if t.account == account {
			i.confirmed = false
		}
	}
}

// confirm notes that the service knows, unless the session is another by now.
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

// sendSubscribe subscribes, unless a reconnect did meanwhile. A batch with a topic that
// was subscribed to already may have done nothing, so its topics are then asked for one
// by one.
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

// inTurn sends what is left of a request when it is its turn, if anything.
// Subscribing and its end are written one at a time, so that of both the one that
// was decided on last counts.
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

// unsubscribe gives up a subscription, and has the service end what nobody uses any more,
// in the background: the last things first, since they need the first. It ends only what
// was confirmed, unless the service may know of the others too.
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
	if len(unused) == 0 || !connected { // a next connection begins without
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), c.Options.filled().Timeout)
		defer cancel()
		for _, stage := range slices.Backward(stages(unused)) {
			for _, topics := range batches(stage) {
				c.sendUnsubscribe(ctx, topics)
			}
		}
	}()
}

// sendUnsubscribe ends those of one batch that nobody uses.
func (c *Client) sendUnsubscribe(ctx context.Context, topics []topic) {
	_, err := c.doVia(ctx, unsubscribeRequest(topics), func(ctx context.Context, conn *Conn, req message.Message) (message.Message, error) {
		return c.inTurn(ctx, conn, req, func() message.Message { return unsubscribeRequest(c.unused(topics)) })
	})
	if err != nil && !errors.Is(err, ErrClosed) {
		c.Options.filled().Log.Warn("a subscription could not be ended", "error", err)
	}
}

// unused are those of the topics that nobody uses.
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
