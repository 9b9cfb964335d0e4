package openapi_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
)

// far_bench_test.go owns the cost of a request that is in flight so long that all goroutines
// sleep meanwhile. The service is another process, which runs this binary: only our own
// side is measured.

const (
	// farServer makes this binary the service.
	farServer = "VENUEKEY_TEST_FAR_SERVER"
	// underWay is longer than any goroutine would spin, and longer than near.
	underWay = time.Millisecond
)

// serveFar serves until its input ends. It says how to reach it.
func serveFar() {
	f := newFake()
	f.careless = true
	f.hook = func(*peer, message.Envelope, message.Message) bool {
		<-time.After(underWay)
		return false
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	_ = pem.Encode(os.Stdout, &pem.Block{Type: "CERTIFICATE", Bytes: identity().server.Certificate[0]})
	_ = os.Stdout.Close()
	go func() {
		for {
			nc, err := listener.Accept()
			if err != nil {
				return
			}
			go f.serve(nc)
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func far(b *testing.B) openapi.Endpoint {
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), farServer+"=1")
	server.Stderr = os.Stderr
	hold, err := server.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		hold.Close()
		_ = server.Wait()
	})
	said := bufio.NewReader(out)
	address, err := said.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	certificate, err := io.ReadAll(said)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(certificate) {
		b.Fatal("no certificate", err)
	}
	e := newFake().endpoint()
	e.TLS = &tls.Config{RootCAs: roots}
	e.Dial = dialer(strings.TrimSpace(address))
	return e
}

// A request to its answer, while quotes have a listener.
func BenchmarkFarRoundTripWithListener(b *testing.B) {
	farRoundTrip(b, func(c *openapi.Conn) { openapi.Handle(c, func(*message.SpotEvent) {}) })
}

// A request to its answer.
func BenchmarkFarRoundTrip(b *testing.B) { farRoundTrip(b, func(*openapi.Conn) {}) }

// farRoundTrip compares ours, bare frames, and bare frames that a goroutine reads for the
// callers. The last is the minimum for a program that wants events as well and has only what
// Go offers: it passes answers on by a channel.
func farRoundTrip(b *testing.B, prepare func(*openapi.Conn)) {
	e := far(b)
	ours, alone, handed := benchConn(b, e), bareConn(b, e), bareConn(b, e)
	prepare(ours)
	answers := make(chan message.Message, 1)
	reading := make(chan struct{})
	handed.send(b, &message.VersionReq{}) // and with it TLS begins
	go func() {
		defer close(reading)
		for {
			frame, err := handed.frames.Next()
			var e message.Envelope
			if err != nil || e.UnmarshalBinary(frame) != nil {
				return
			}
			m, _ := message.Decode(e.Type, e.Payload)
			answers <- m
		}
	}()
	<-answers
	ways := []func(){
		func() { alone.ask(b, &message.VersionReq{}) },
		func() {
			if _, err := ours.Version(b.Context(), &message.VersionReq{}); err != nil {
				b.Fatal(err)
			}
		},
		func() {
			handed.send(b, &message.VersionReq{})
			<-answers
		},
	}
	took := inTurn(b, ways)
	handed.NetConn().Close()
	<-reading
	if took[0] > 0 {
		b.ReportMetric(float64(took[1])/float64(took[0]), "of-raw-processor-time")
		b.ReportMetric(float64(took[2])/float64(took[0]), "handed-on-of-raw-processor-time")
		b.ReportMetric(float64(took[0].Nanoseconds())/float64(b.N), "raw-processor-ns/op")
	}
}

// inTurn does each way b.N times, a few at a time, and says what processor time
// each took.
func inTurn(b *testing.B, ways []func()) []time.Duration {
	const few = 20
	took := make([]time.Duration, len(ways))
	for n := -few; n < b.N; n += few { // the first do not count
		for i, way := range ways {
			began := processorTime()
			for range min(few, b.N-n) {
				way()
			}
			if n >= 0 {
				took[i] += processorTime() - began
			}
		}
	}
	return took
}
