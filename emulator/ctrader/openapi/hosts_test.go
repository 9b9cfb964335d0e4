package openapi

import (
	"crypto/tls"
	"testing"

	"github.com/venuekey/venuekey/emulator/ctrader"
)

// A client that verifies, and whose host is fixed, can be led here.
func TestTheCertificateNamesTheHostsItIsAskedTo(t *testing.T) {
	server := &Server{Venue: &ctrader.Server{}, Hosts: []string{"live.ctraderapi.com", "192.0.2.7"}}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for name, good := range map[string]bool{"live.ctraderapi.com": true, "192.0.2.7": true, "localhost": true, "127.0.0.1": true, "demo.ctraderapi.com": false} {
		connection, err := tls.Dial("tcp", server.Addresses().LiveProtobuf, &tls.Config{RootCAs: server.CA(), ServerName: name})
		if err == nil {
			connection.Close()
		}
		if (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
	}
}
