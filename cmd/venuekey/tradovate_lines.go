package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// tradovate_lines.go owns the lines of "tradovate stream", for a program.

// streamLine is an event as a program reads it.
type streamLine struct {
	// Time is when it came: RFC 3339 with milliseconds.
	Time string `json:"time"`
	// Event is snapshot, created, updated, deleted, quote, dom, resync or shutdown, or
	// the venue's own word in lower case.
	Event    string `json:"event"`
	Entity   string `json:"entity,omitempty"`
	Symbol   string `json:"symbol,omitempty"`
	Contract int64  `json:"contract_id,omitempty"`
	// From and To are the ends of a gap: what happened in between is in no line.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Data is as Tradovate sent it.
	Data json.RawMessage `json:"data,omitempty"`
}

// lines is the sink that writes JSON lines.
type lines struct {
	p  *program
	mu sync.Mutex
}

func (l *lines) write(line streamLine) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	line.Time = time.Now().UTC().Format(quoteTime)
	text, err := jsonLine(line)
	if err == nil {
		_, err = fmt.Fprintf(l.p.stdout, "%s\n", text)
	}
	return err
}

func (l *lines) market(kind, symbol string, contract int64, part json.RawMessage) error {
	return l.write(streamLine{Event: kind, Symbol: symbol, Contract: contract, Data: part})
}

func (l *lines) event(e socket.Event) error {
	switch e.Kind {
	case socket.EventGap:
		return l.write(streamLine{Event: "resync", From: e.From.UTC().Format(quoteTime), To: e.To.UTC().Format(quoteTime)})
	case socket.EventProps:
		change, err := readChange(e.Data)
		if err != nil {
			return l.write(streamLine{Event: e.Kind, Data: e.Data})
		}
		for _, entity := range change.entities() {
			if err := l.write(streamLine{Event: strings.ToLower(change.EventType), Entity: change.EntityType, Data: entity}); err != nil {
				return err
			}
		}
		return nil
	}
	return l.write(streamLine{Event: strings.ToLower(oneLine(e.Kind)), Data: e.Data})
}

// change is what an event of a user sync says: an entity, or a list of them, was Created,
// Updated or Deleted (Tradovate facts §5).
type change struct {
	EntityType string          `json:"entityType"`
	EventType  string          `json:"eventType"`
	Entity     json.RawMessage `json:"entity"`
}

func readChange(data json.RawMessage) (c change, err error) {
	if err = json.Unmarshal(data, &c); err == nil {
		c.EntityType, c.EventType = oneLine(c.EntityType), oneLine(c.EventType)
	}
	return c, err
}

func (c change) entities() []json.RawMessage {
	var several []json.RawMessage
	if bytes.HasPrefix(bytes.TrimSpace(c.Entity), []byte("[")) && json.Unmarshal(c.Entity, &several) == nil {
		return several
	}
	return []json.RawMessage{c.Entity}
}
