package clients_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/venuekey/venuekey/emulator"
	"github.com/venuekey/venuekey/emulator/ctrader"
)

// tls_test.go tests consumers elsewhere: an agent that listens with TLS, and clients of it.

// certificates writes a certificate, its key and its authority into files.
func certificates(t *testing.T) (authority *emulator.Authority, certificate, key, ca string) {
	t.Helper()
	authority = emulator.NewAuthority()
	leaf := authority.Config().Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, text []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return authority, write("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Certificate[0]})),
		write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), write("ca.pem", authority.PEM())
}

// Programs elsewhere get what their rules say, with the right token, over TLS and not without.
func TestConsumersOverTLS(t *testing.T) {
	s := newStage(t, ctrader.Knobs{})
	path, err := command()
	if err != nil {
		t.Fatal(err)
	}
	add := exec.Command(path, "consumer", "add", "bot", "--allow", alice.String()+":token,status")
	add.Env = s.environ
	token, err := add.Output()
	if err != nil {
		t.Fatal(err)
	}
	authority, certificate, key, ca := certificates(t)
	running := exec.Command(path, "agent", "--socket", s.socket, "--listen", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key)
	running.Env = s.environ
	output, err := running.StderrPipe()
	if err == nil {
		err = running.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer kill(running)
	address := ""
	lines := bufio.NewScanner(output)
	for address == "" && lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "serving consumers at "); ok {
			address, _, _ = strings.Cut(rest, ",")
		}
	}
	bearer := strings.TrimSpace(string(token))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool()}, DisableKeepAlives: true}}
	for _, row := range []struct {
		url, bearer, origin string
		status              int
	}{
		{"https://" + address + "/v1/token/" + alice.String(), bearer, "", 200},
		{"https://" + address + "/v1/token/" + alice.String(), "", "", 401},
		{"https://" + address + "/v1/token/" + alice.String(), bearer + "x", "", 401},
		{"https://" + address + "/v1/token/" + alice.String(), bearer, "https://evil.example", 403},
		{"https://" + address + "/v1/token/ctrader/bob", bearer, "", 404},
		{"http://" + address + "/v1/token/" + alice.String(), bearer, "", 400},
	} {
		request, err := http.NewRequestWithContext(t.Context(), "GET", row.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if row.bearer != "" {
			request.Header.Set("Authorization", "Bearer "+row.bearer)
		}
		if row.origin != "" {
			request.Header.Set("Origin", row.origin)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Errorf("%+v: %v", row, err)
			continue
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != row.status || (row.status == 200) != strings.Contains(string(text), "access_token") {
			t.Errorf("%+v: %d %s", row, response.StatusCode, text)
		}
	}
	for _, program := range [][]string{
		{"python", "python3", "-c", "import os,ssl,venuekey;a=venuekey.Agent(url=os.environ['URL'],consumer=os.environ['CONSUMER'],context=ssl.create_default_context(cafile=os.environ['CA']));" +
			"print(a.token('ctrader/alice'), next(a.events()).kind)"},
		{"js", "node", "--input-type=module", "-e", "import {readFileSync} from 'node:fs'; import {Agent} from '" + filepath.ToSlash(absolute(t, "../../clients/js/venuekey.mjs")) + "';" +
			"const a = new Agent({url: process.env.URL, consumer: process.env.CONSUMER, ca: readFileSync(process.env.CA)});" +
			"const e = a.events(); console.log(String(await a.token('ctrader/alice')), (await e.next()).value.kind); process.exit(0)"},
	} {
		run := s.runs(filepath.Join("..", "..", "clients", program[0]), program[1], program[2:]...)
		run.Env = append(run.Env, "URL=https://"+address, "CONSUMER="+bearer, "CA="+ca)
		said, err := run.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(said), "Token(ctrader/alice, ") || !strings.Contains(string(said), " found") {
			t.Errorf("%s: %v\n%s", program[0], err, said)
		}
	}
}
