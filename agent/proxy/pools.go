package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"sync"
	"time"
)

// pools.go owns the connections to venues, the buffers, and how long a program may take to
// read.

const (
	// headPatience is how long a venue may take to begin its answer.
	headPatience = 2 * time.Minute
	// readPatience is how long a program may take to read what is written at once.
	readPatience = time.Minute
	// bufferSize is that of the pieces in which bodies are copied.
	bufferSize = 32 << 10
)

// pools are the transports by the authorities that an app trusts besides the system's. The
// zero value is ready to use.
type pools struct {
	mu  sync.Mutex
	all map[string]*http.Transport
}

// of returns the transport for an app's authorities; base, unless nil, for an app that has
// none.
func (p *pools) of(authorities string, base http.RoundTripper) http.RoundTripper {
	if authorities == "" && base != nil {
		return base
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.all[authorities]; ok {
		return known
	}
	made := http.DefaultTransport.(*http.Transport).Clone()
	made.ResponseHeaderTimeout, made.MaxIdleConnsPerHost, made.DisableCompression = headPatience, 64, true
	if authorities != "" {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		roots.AppendCertsFromPEM([]byte(authorities)) // none of them if it is no PEM: then nothing is trusted that is not anyway
		made.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		made.ForceAttemptHTTP2 = true
	}
	if p.all == nil {
		p.all = map[string]*http.Transport{}
	}
	p.all[authorities] = made
	return made
}

func (p *pools) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.all {
		one.CloseIdleConnections()
	}
}

// buffers implements httputil.BufferPool.
type buffers struct{ pool sync.Pool }

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[]byte); ok {
		return *buffer
	}
	return make([]byte, bufferSize)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }

// patientWriter ends an answer that its program does not read.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Write implements io.Writer.
func (w *patientWriter) Write(text []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(readPatience))
	return w.ResponseWriter.Write(text)
}

// Unwrap is for http.ResponseController.
func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
