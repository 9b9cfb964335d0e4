package openapi

import (
	"context"
	"slices"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/internal/link"
)

// restore.go owns restoring the subscriptions of accounts that were just authorised.

// restore subscribes again for accounts that were just authorised, and then marks them
// ready. An error from it ends the connection.
func (c *Client) restore(ctx context.Context, conn *Conn, due []*account) error {
	c.mu.Lock()
	var topics []topic
	epochs := map[int64]int{}
	for _, a := range due {
		if a.state == accountAuthorised {
			epochs[a.id] = a.epoch
		}
	}
	for t, i := range c.topics {
		if _, ok := epochs[t.account]; ok && !i.confirmed {
			topics = append(topics, t)
		}
	}
	c.mu.Unlock()
	for _, stage := range stages(topics) {
		// Depth and bars of an account whose spots failed would be refused for good.
		stage = slices.DeleteFunc(stage, func(t topic) bool { return !c.inSession(t.account, epochs[t.account]) })
		if err := c.restoreAll(ctx, conn, c.restoreRequests(stage), epochs); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range due {
		if a.state == accountAuthorised && a.epoch == epochs[a.id] {
			a.state, a.unanswered = accountReady, 0
		}
	}
	c.mu.Changed()
	return nil
}

// restoreRequests are the requests for topics: those that the service may still have are
// not mixed with others, so that an answer is about all topics of its request.
func (c *Client) restoreRequests(topics []topic) []message.Message {
	var kept, others []topic
	for _, t := range topics {
		if c.hadBefore(t) {
			kept = append(kept, t)
		} else {
			others = append(others, t)
		}
	}
	return slices.Concat(subscribeRequests(kept), subscribeRequests(others))
}

func (c *Client) restoreAll(ctx context.Context, conn *Conn, reqs []message.Message, epochs map[int64]int) error {
	errs := conn.pipeline(ctx, reqs)
	var single []message.Message
	for i, err := range errs {
		id, _ := accountOf(reqs[i])
		topics, _ := topicsOf(reqs[i])
		class, kind := link.ClassOf(err), kindOf(err)
		switch {
		case err == nil, kind == KindAlreadyDone && (len(topics) == 1 || c.hadBefore(topics...)):
			c.confirm(reqs[i], epochs[id])
		case kind == KindAppLost || conn.Err() != nil || ctx.Err() != nil:
			return err
		case len(topics) > 1 && class == venuekey.ClassDeclined:
			for _, t := range topics {
				single = append(single, subscribeRequest(t))
			}
		case class == venuekey.ClassDeclined || link.Final(err):
			c.dropTopic(topics[0], err)
			conn.opts.Log.Error("cannot restore a subscription", "error", err)
		case unanswered(err) && !c.otherAuthorised(id):
			return err
		default:
			c.postpone(id, err)
		}
	}
	if len(single) > 0 {
		return c.restoreAll(ctx, conn, single, epochs)
	}
	return nil
}

// otherAuthorised reports whether another account is authorised.
func (c *Client) otherAuthorised(id int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.accounts {
		if a.id != id && (a.state == accountAuthorised || a.state == accountReady) {
			return true
		}
	}
	return false
}

// postpone makes an account wait for its next try after one of its subscriptions could
// not be restored.
func (c *Client) postpone(id int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.accounts[id]
	switch {
	case a == nil:
	case unanswered(err):
		c.retryUnanswered(a, err)
	default:
		c.retryLater(a, err)
	}
}

// inSession reports whether an account is still in the session of that epoch.
func (c *Client) inSession(id int64, epoch int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.accounts[id]
	return a != nil && a.state == accountAuthorised && a.epoch == epoch
}

// hadBefore reports whether the service had all of the topics before the account's session
// was announced as lost, which went on.
func (c *Client) hadBefore(topics ...topic) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !slices.ContainsFunc(topics, func(t topic) bool { return c.topics[t] == nil || !c.topics[t].before })
}

// dropTopic gives up a topic that the service no longer offers, and ends the streams fed
// by it.
func (c *Client) dropTopic(t topic, err error) {
	c.mu.Lock()
	var users []*Subscription
	if i := c.topics[t]; i != nil {
		for s := range i.users {
			users = append(users, s)
		}
	}
	delete(c.topics, t)
	c.mu.Unlock()
	for _, s := range users {
		s.end(err)
	}
}
