package openapi_test

import (
	"context"
	"net"
	"os"
	"reflect"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(farServer) != "" {
		serveFar()
		return
	}
	goleak.VerifyTestMain(m)
}

// talkative is a server that speaks first and no TLS.
func talkative(context.Context, string, string) (net.Conn, error) {
	ours, theirs := pipe()
	_, _ = theirs.Write([]byte("220 mail.example.org ESMTP ready\r\n"))
	return ours, nil
}

// silent is a server that says nothing.
func silent(context.Context, string, string) (net.Conn, error) {
	ours, _ := pipe()
	return ours, nil
}

func methods(of any) map[string]string {
	list := map[string]string{}
	v := reflect.ValueOf(of)
	for i := range v.NumMethod() {
		list[v.Type().Method(i).Name] = v.Method(i).Type().String()
	}
	return list
}
