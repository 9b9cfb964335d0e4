package oauth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/venuekey/venuekey"
)

// gate_test.go owns the attacks of whoever answers, or stands in between, on who reads
// what was answered: the secrets that a request holds come back in some form, and what
// is shown is obeyed by a terminal.

const (
	hotRefresh = "hvQ7/zR+u2Lx&9TnKp4WbYs1DcEm6GaJ"
	hotSecret  = "Xw3=kN8f/Tz0qVh5+MrB7yUj2PsLd9Ce"
)

var hotApp = venuekey.App{ClientID: "an-app", ClientSecret: hotSecret}

// again are the forms in which they come back.
var again = map[string]func(string) string{
	"plain":     func(s string) string { return s },
	"a form":    url.QueryEscape,
	"base64":    func(s string) string { return base64.StdEncoding.EncodeToString([]byte("an-app:" + s)) },
	"hex":       func(s string) string { return hex.EncodeToString([]byte(s)) },
	"HTML":      html.EscapeString,
	"quoted":    func(s string) string { return fmt.Sprintf("%q", s) },
	"split":     func(s string) string { return s[:16] + " " + s[16:] },
	"one more":  func(s string) string { return s[:16] + "." + s[16:] },
	"upper":     strings.ToUpper,
	"backwards": func(s string) string { return reversed(s) },
}

func reversed(s string) string {
	turned := []byte(s)
	for i, j := 0, len(turned)-1; i < j; i, j = i+1, j-1 {
		turned[i], turned[j] = turned[j], turned[i]
	}
	return string(turned)
}

// everyWay is an error as it may be printed: alone, with its causes, and in a log.
func everyWay(err error) string {
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Error("failed", "error", err)
	slog.New(slog.NewJSONHandler(&log, nil)).Error("failed", "error", err)
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		fmt.Fprintf(&log, "%v %+v %#v\n", inner, inner, inner)
	}
	return log.String()
}

// clean fails where a text holds a piece of a secret in some form, or what a terminal
// obeys.
func clean(t *testing.T, what, text string) {
	t.Helper()
	for _, secret := range []string{hotRefresh, hotSecret} {
		for form, encode := range again {
			encoded := bareOf(encode(secret))
			for at := 0; at+12 <= len(encoded); at += 3 {
				if strings.Contains(bareOf(text), encoded[at:at+12]) && !strings.Contains(bareOf("an-app:"), encoded[at:at+6]) {
					t.Errorf("%s: a secret in %s: %q", what, form, text)
					break
				}
			}
		}
	}
	if at := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); at >= 0 {
		t.Errorf("%s: a control character at %d: %q", what, at, text)
	}
}

func bareOf(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}

// A gateway that cannot speak HTTP, or does not want to, repeats what it got.
func TestAttackAGatewayThatRepeatsTheRequest(t *testing.T) {
	for kind, head := range map[string]string{
		"status line":      "%s\r\n\r\n",
		"protocol":         "%s/1.1 200 OK\r\n\r\n",
		"version":          "HTTP/%s 200 OK\r\n\r\n",
		"status":           "HTTP/1.1 %s OK\r\n\r\n",
		"a field's name":   "HTTP/1.1 200 OK\r\n%s\r\n\r\n",
		"a folded field":   "HTTP/1.1 200 OK\r\n %s\r\n\r\n",
		"a length":         "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n",
		"two lengths":      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: %s\r\n\r\n",
		"transfer coding":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n",
		"a chunk's length": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
		"a trailer":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: %s\r\n\r\n0\r\n%[1]s\r\n\r\n",
		"a redirect":       "HTTP/1.1 302 Found\r\nLocation: https://%s/x\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(kind, func(t *testing.T) {
			for form, encode := range again {
				for _, byGet := range []bool{false, true} {
					at := repeating(t, func(string) string {
						return fmt.Sprintf(head, "\x1b[31m"+encode(hotRefresh)+" "+encode(hotSecret))
					})
					client := Client{Config: Config{TokenURL: at + "/token", TokenByGet: byGet, ClientAuth: []ClientAuth{AuthInBody, AuthBasic}[len(form)%2]}}
					_, err := client.Refresh(t.Context(), hotApp, hotRefresh)
					if err == nil {
						t.Fatal("it is a grant")
					}
					clean(t, form, everyWay(err))
				}
			}
		})
	}
}

// The plain TCP echo of a developer's machine is enough.
func TestAttackAnEcho(t *testing.T) {
	for _, byGet := range []bool{false, true} {
		client := Client{Config: Config{TokenURL: repeating(t, func(request string) string { return request }) + "/token", TokenByGet: byGet}}
		_, err := client.Refresh(t.Context(), hotApp, hotRefresh)
		if err == nil {
			t.Fatal("it is a grant")
		}
		clean(t, "echo", everyWay(err))
	}
}

// repeating listens, and answers each request with what it makes of it.
func repeating(t *testing.T, answer func(request string) string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			request := make([]byte, 64<<10)
			n, _ := conn.Read(request)
			_, _ = io.WriteString(conn, answer(string(request[:n])))
			_ = conn.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

// A venue, or something in front of it, repeats secrets in the words of an error.
func TestAttackAVenueThatRepeatsSecretsInItsError(t *testing.T) {
	for form, encode := range again {
		for _, field := range []string{"error", "error_description", "error_uri", "both"} {
			said := encode(hotRefresh) + "\u202e\u001b[2J\n" + strings.Repeat("and ", 30) + encode(hotSecret)
			fields := map[string]string{"error": "odd_error", "error_description": "no"}
			if fields[field] = said; field == "both" {
				fields["error"], fields["error_description"] = encode(hotSecret), said
			}
			client, _ := answering(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(400)
				fmt.Fprintf(w, `{"error":%s,"error_description":%s,"error_uri":%s}`, spelled(fields["error"]), spelled(fields["error_description"]), spelled(fields["error_uri"]))
			})
			client.ClientAuth = []ClientAuth{AuthInBody, AuthBasic, AuthBasicPlain}[len(form)%3]
			_, err := client.Refresh(t.Context(), hotApp, hotRefresh)
			if err == nil {
				t.Fatal("it is a grant")
			}
			clean(t, form+" in "+field, everyWay(err))
		}
	}
}

func spelled(text string) string {
	var out bytes.Buffer
	for _, r := range text {
		fmt.Fprintf(&out, `\u%04x`, r)
	}
	return `"` + out.String() + `"`
}

// What an error means must not depend on what is struck from it: a secret of words
// would else hide the venue's word for the end of a token.
func TestASecretOfWordsHidesNoMeaning(t *testing.T) {
	client, _ := answering(t, says(400, `{"error":"invalid_grant","error_description":"Refresh token has expired"}`))
	client.Meanings = []Meaning{{Text: "refresh token has expired", Class: venuekey.ClassRefused, Reason: "it expired"}}
	app := venuekey.App{ClientID: "an-app", ClientSecret: "refresh token has"}
	if _, err := client.Refresh(t.Context(), app, "invalid_grant"); !venuekey.NeedsSignIn(err) || !strings.Contains(err.Error(), "it expired") {
		t.Fatal(err)
	}
}

// A token becomes part of a header, and a file, and a command line.
func TestAttackATokenThatBreaksOutOfItsHeader(t *testing.T) {
	for name, row := range map[string]struct {
		access, refresh, kind string
		taken, kept           bool
	}{
		"good":                   {`a1`, `r2`, `bearer`, true, true},
		"good, in capitals":      {`a1`, `r2`, `BEARER`, true, true},
		"white space around":     {`\r\na1 \n`, `r2`, `Bearer\n`, true, true},
		"a second field":         {`a1\r\nX-Admin: 1`, `r2`, `bearer`, false, true},
		"a line feed":            {`a\n1`, `r2`, ``, false, true},
		"NUL":                    {`a\u00001`, `r2`, ``, false, true},
		"a space":                {`a 1`, `r2`, ``, false, true},
		"not ASCII":              {`a\u00e91`, `r2`, ``, false, true},
		"an escape":              {`a\u001b[2J`, `r2`, ``, false, true},
		"a MAC":                  {`a1`, `r2`, `mac`, false, true},
		"DPoP":                   {`a1`, `r2`, `DPoP`, false, true},
		"a type with a field":    {`a1`, `r2`, `bearer x\r\nX-Admin: 1`, false, true},
		"no new refresh token":   {`a\r\n1`, ``, `bearer`, false, false},
		"the same refresh token": {`a\r\n1`, hotRefresh, `bearer`, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			client, asked := answering(t, says(200, fmt.Sprintf(`{"access_token":"%s","refresh_token":"%s","token_type":"%s","scope":"trade \u001b[2J"}`, row.access, row.refresh, row.kind)))
			token, err := client.Refresh(t.Context(), hotApp, hotRefresh)
			if asked.Load() != 1 {
				t.Fatalf("presented %d times", asked.Load())
			}
			if !row.taken && !row.kept {
				if venuekey.ClassOf(err) != venuekey.ClassUnknown { // it may have ended the token at hand
					t.Fatalf("%s: %v", venuekey.ClassOf(err), err)
				}
				clean(t, "the error", everyWay(err))
				return
			}
			if err != nil || (token.Access == "a1") != row.taken || (token.Refresh == "r2") != row.kept || token.Access != "a1" && token.Access != "" {
				t.Fatalf("taken %v, kept %v: %v", token.Access != "", token.Refresh != "", err)
			}
			if strings.ContainsAny(token.TypeOrBearer(), "\r\n") || strings.Join(token.Scopes, "") != "trade" {
				t.Fatalf("%q %q", token.TypeOrBearer(), token.Scopes)
			}
			clean(t, "the notes", strings.Join(token.Notes, "; "))
		})
	}
}

// An answer of the size that is read, made to cost: each of its scopes is searched for
// secrets, and the secrets are its own.
func TestAttackAnAnswerThatTakesLongToRead(t *testing.T) {
	for name, row := range map[string]struct{ token, scopes string }{
		"scopes without end": {strings.Repeat("a1", 16), strings.Repeat("scope-of-letters ", 50_000)},
		"secrets as well":    {strings.Repeat("aB3", 100_000), strings.Repeat("scope-of-letters ", 20_000)},
	} {
		client, _ := answering(t, says(200, `{"access_token":"`+row.token+`","refresh_token":"r`+row.token+`","scope":"`+row.scopes+`"}`))
		began := time.Now()
		token, err := client.Refresh(t.Context(), hotApp, hotRefresh)
		if err != nil || len(token.Scopes) == 0 || len(token.Scopes) > 1000 {
			t.Fatalf("%s: %d scopes: %v", name, len(token.Scopes), err)
		}
		if took := time.Since(began); took > 10*time.Second { // it took minutes
			t.Errorf("%s: %s", name, took)
		}
	}
}

// What renews is in no header: it is kept as the venue gave it, and comes back to it so.
func TestARefreshTokenOfAnyCharactersComesBack(t *testing.T) {
	for _, odd := range []string{"r\n2", "r\x002", "r\x1b[2J", "r 2", "\u00e4\u4f60\u202e", "<&>+%=;", "\x7f", strings.Repeat("r\n2", 100_000)} {
		for name, access := range map[string]string{"beside a good one": "a1", "alone": "a\n1"} {
			var presented string
			client, _ := answering(t, func(w http.ResponseWriter, r *http.Request) {
				presented = r.PostFormValue("refresh_token")
				answer, _ := json.Marshal(map[string]string{"access_token": access, "refresh_token": odd})
				_, _ = w.Write(answer)
			})
			token, err := client.Refresh(t.Context(), hotApp, hotRefresh)
			if err != nil || string(token.Refresh) != odd {
				t.Fatalf("%s: %.20q became %.20q: %v", name, odd, string(token.Refresh), err)
			}
			clean(t, "the notes", strings.Join(token.Notes, "; "))
			if _, err := client.Refresh(t.Context(), hotApp, token.Refresh); presented != odd {
				t.Fatalf("%s: %.20q came back as %.20q: %v", name, odd, presented, err)
			}
		}
	}
}

// A certificate that does not verify has names that its maker chose.
func TestAttackACertificateThatSpeaks(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "you\x1b[2Jwin\n"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"venue\x1b]0;owned\x07.test", "two\r\nlines.test"},
	}
	made, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{made}, PrivateKey: key}}}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	server.StartTLS()
	defer server.Close()
	for name, app := range map[string]venuekey.App{
		"unknown":    hotApp,
		"other name": {ClientID: "an-app", ClientSecret: hotSecret, Params: map[string]venuekey.Secret{CAParam: venuekey.Secret(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made}))}},
	} {
		client := Client{Config: Config{TokenURL: server.URL}, Transport: Trusting(nil, app)}
		_, err := client.Refresh(t.Context(), app, hotRefresh)
		if venuekey.ClassOf(err) != venuekey.ClassMisconfigured {
			t.Fatal(err)
		}
		clean(t, name, everyWay(err))
	}
}

// A proxy that refuses writes what it likes, and repeats the user's password for it.
func TestAttackAProxyThatRepeatsItsPassword(t *testing.T) {
	const password, child = "proxy-Pass-w0rd:9x", "VENUEKEY_TEST_PROXIED"
	if os.Getenv(child) != "" { // net/http reads the environment once in a process
		_, err := Client{Config: Config{TokenURL: "https://venue.test/token"}}.Refresh(t.Context(), hotApp, hotRefresh)
		fmt.Println(everyWay(err))
		return
	}
	basic := base64.StdEncoding.EncodeToString([]byte("joe:" + password))
	for name, answer := range map[string]string{
		"its status":    "HTTP/1.1 407 \x1b[31m" + basic + " " + password + "\r\n\r\n",
		"its echo":      "Proxy-Authorization: Basic " + basic + "\r\n\r\n",
		"no address":    "",
		"what it hears": "HTTP/1.1 502 " + url.QueryEscape(password) + " \x9b2J\r\n\r\n",
	} {
		proxy := strings.Replace(repeating(t, func(string) string { return answer }), "http://", "http://joe:"+url.QueryEscape(password)+"@", 1)
		if answer == "" {
			proxy = "http://joe:" + password + "@[::1"
		}
		command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		command.Env = append(os.Environ(), child+"=1", "HTTPS_PROXY="+proxy)
		said, err := command.CombinedOutput()
		if err != nil || !strings.Contains(string(said), "failed") {
			t.Fatalf("%v: %s", err, said)
		}
		clean(t, name, string(said))
		for _, secret := range []string{password, basic, url.QueryEscape(password)} {
			if strings.Contains(string(said), secret) {
				t.Errorf("%s: the password stands in %s", name, said)
			}
		}
	}
}
