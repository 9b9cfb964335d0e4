package socket_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/venuekey/venuekey/venue/tradovate/message"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
)

// pour_test.go owns the benchmark of quotes. Its venue writes the same quotes over and over, many
// in one write and without a WebSocket library, so that it is not what is measured.

// pouring is a venue that takes every request, and answers a subscription with quotes without end.
type pouring struct{}

// fullQuote has all entries, as the venue sends them when a contract is traded.
var fullQuote = []byte(`a[{"e":"md","d":{"quotes":[{"timestamp":"2026-01-02T03:04:05.678Z","contractId":3001,"entries":{` +
	`"Bid":{"price":6012.25,"size":33},"TotalTradeVolume":{"size":1200345},"Offer":{"price":6012.5,"size":12},"LowPrice":{"price":5988.75},` +
	`"Trade":{"price":6012.25,"size":1},"OpenInterest":{"size":2054321},"OpeningPrice":{"price":6000.5},"HighPrice":{"price":6020.25},` +
	`"SettlementPrice":{"price":5999.75}}}]}}]`)

func (pouring) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, both, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) // RFC 6455 §1.3
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	_, _ = conn.Write(plainFrame([]byte("o")))
	many := bytes.Repeat(plainFrame(fullQuote), 100)
	for {
		text, err := maskedFrame(both.Reader)
		if err != nil {
			return
		}
		lines := bytes.SplitN(text, []byte("\n"), 3)
		if len(lines) < 3 {
			continue // a heartbeat
		}
		_, _ = conn.Write(plainFrame(fmt.Appendf(nil, `a[{"s":200,"i":%s,"d":{}}]`, lines[1])))
		if string(lines[0]) == "md/subscribeQuote" {
			go func() {
				for {
					if _, err := conn.Write(many); err != nil {
						return
					}
				}
			}()
		}
	}
}

// plainFrame is a frame of text as a server writes it (RFC 6455 §5.2).
func plainFrame(text []byte) []byte {
	if len(text) < 126 {
		return append([]byte{0x81, byte(len(text))}, text...)
	}
	return append(binary.BigEndian.AppendUint16([]byte{0x81, 126}, uint16(len(text))), text...)
}

// maskedFrame reads a short frame of a client.
func maskedFrame(r *bufio.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := int(head[1] & 0x7f)
	if size == 126 {
		var long [2]byte
		if _, err := io.ReadFull(r, long[:]); err != nil {
			return nil, err
		}
		size = int(binary.BigEndian.Uint16(long[:]))
	}
	masked := make([]byte, 4+size)
	if _, err := io.ReadFull(r, masked); err != nil {
		return nil, err
	}
	text := masked[4:]
	for i := range text {
		text[i] ^= masked[i%4]
	}
	return text, nil
}

// poured is a bare connection to which quotes come, and room for a frame.
func poured(b *testing.B, at socket.Endpoint) func() []byte {
	ws := bareSocket(b, at)
	ws.SetReadLimit(-1)
	if err := ws.Write(b.Context(), websocket.MessageText, []byte("md/subscribeQuote\n1\n\n{}")); err != nil {
		b.Fatal(err)
	}
	var room bytes.Buffer
	read := func() []byte {
		_, r, err := ws.Reader(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		room.Reset()
		if _, err := room.ReadFrom(r); err != nil {
			b.Fatal(err)
		}
		return room.Bytes()
	}
	read() // the answer
	return read
}

// Typed quotes through a Client, compared with the least that a program can do over the same
// WebSocket library and TLS: a scanner by hand, and encoding/json into structs.
func BenchmarkQuotes(b *testing.B) {
	at := serveTLS(b, pouring{})
	stream, err := (&echo{}).client(b, at).Quotes(b.Context(), 3001, socket.Buffer{Block: true})
	if err != nil {
		b.Fatal(err)
	}
	defer stream.Close()
	byHand, byJSON := poured(b, at), poured(b, at)
	var quote message.Quote
	check := func(price float64, err error) {
		if err != nil || price != 6012.25 {
			b.Fatal(price, err)
		}
	}
	ways := []func(){
		func() {
			q, err := stream.Next(b.Context())
			check(q.Bid.Price.Value, err)
		},
		func() {
			text := byHand()
			err := quote.Decode(text[len(`a[{"e":"md","d":{"quotes":[`) : len(text)-len(`]}}]`)])
			check(quote.Bid.Price.Value, err)
		},
		func() {
			var frame []struct {
				E string
				D struct {
					Quotes []struct {
						Timestamp  time.Time
						ContractID int64
						Entries    map[string]struct{ Price, Size *float64 }
					}
				}
			}
			err := json.Unmarshal(byJSON()[1:], &frame)
			check(*frame[0].D.Quotes[0].Entries["Bid"].Price, err)
		},
	}
	const batch = 2000
	var took [3]time.Duration
	var allocated uint64
	turn := func() {
		for i, way := range ways {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			for range batch {
				way()
			}
			took[i] += time.Since(began)
			if runtime.ReadMemStats(&after); i == 0 {
				allocated += after.Mallocs - before.Mallocs
			}
		}
	}
	turn() // unmeasured
	took, allocated = [3]time.Duration{}, 0
	n := 0
	b.ResetTimer()
	for ; n < b.N; n += batch {
		turn()
	}
	b.ReportMetric(float64(took[0].Nanoseconds())/float64(n), "venuekey-ns/op")
	b.ReportMetric(float64(took[1].Nanoseconds())/float64(n), "raw-ns/op")
	b.ReportMetric(float64(took[2].Nanoseconds())/float64(n), "json-ns/op")
	b.ReportMetric(float64(took[1])/float64(took[0]), "of-raw-speed")
	b.ReportMetric(float64(took[2])/float64(took[0]), "times-json-speed")
	b.ReportMetric(float64(allocated)/float64(n), "allocs/quote")
}
