package oauth

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// sent.go owns the list of a request's secrets. They are removed from everything that is
// said about it later: by the venue, by a gateway or a proxy on the way, and by net/http,
// which quotes what it cannot read.

// notSecret are the parameters that are not secret. Every other counts as one.
var notSecret = map[string]bool{
	"client_id": true, "grant_type": true, "redirect_uri": true, "response_type": true, "scope": true, "token_type_hint": true, "resource": true, "oauth": true,
	// Tradovate's; its user name is needed in what it says of it.
	"name": true, "appId": true, "appVersion": true, "cid": true, "deviceId": true,
}

// notSecretFields are the header fields that are not secret. Every other that a venue's code
// sets counts as one, if it is long enough to be: a key may travel in a field of any name.
var notSecretFields = map[string]bool{"Accept": true, "Content-Type": true, "User-Agent": true, "Authorization": true}

// shortestField is the least length of a secret in a header field. A version is shorter.
const shortestField = 8

// secretsIn returns the secrets in a request.
func secretsIn(request *http.Request) []venuekey.Secret {
	secrets := secretsOfForm(request.URL.Query())
	for name, values := range request.Header {
		for _, value := range values {
			if !notSecretFields[name] && len(value) >= shortestField {
				secrets = append(secrets, venuekey.Secret(value))
			}
		}
	}
	if _, credentials, ok := strings.Cut(request.Header.Get("Authorization"), " "); ok {
		secrets = append(secrets, venuekey.Secret(credentials))
	}
	if _, password, ok := request.BasicAuth(); ok {
		plain, _ := url.QueryUnescape(password)
		secrets = append(secrets, venuekey.Secret(password), venuekey.Secret(plain))
	}
	return append(append(secrets, secretsInBody(request)...), secretsOfProxies()...)
}

func secretsInBody(request *http.Request) []venuekey.Secret {
	if request.GetBody == nil {
		return nil
	}
	reader, err := request.GetBody()
	if err != nil {
		return nil
	}
	defer reader.Close()
	body, _ := io.ReadAll(io.LimitReader(reader, maxAnswer))
	var fields map[string]any
	if json.Unmarshal(body, &fields) == nil {
		var secrets []venuekey.Secret
		for name, value := range fields {
			if text, ok := value.(string); ok && !notSecret[name] {
				secrets = append(secrets, venuekey.Secret(text))
			}
		}
		return secrets
	}
	form, _ := url.ParseQuery(string(body))
	return secretsOfForm(form)
}

func secretsOfForm(form url.Values) (secrets []venuekey.Secret) {
	for name, values := range form {
		for _, value := range values {
			if !notSecret[name] {
				secrets = append(secrets, venuekey.Secret(value))
			}
		}
	}
	return secrets
}

// secretsOfProxies returns the user's proxy passwords, which net/http takes from the
// environment. A proxy that refuses may repeat them, and so does net/http if the address
// is malformed.
func secretsOfProxies() (secrets []venuekey.Secret) {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		_, rest, found := strings.Cut(os.Getenv(name), "://")
		if !found {
			rest = os.Getenv(name)
		}
		at := strings.LastIndexByte(rest, '@')
		if at < 0 {
			continue
		}
		_, password, _ := strings.Cut(rest[:at], ":")
		plain, err := url.PathUnescape(rest[:at])
		if err != nil {
			plain = rest[:at]
		}
		secrets = append(secrets, venuekey.Secret(rest[:at]), venuekey.Secret(password), venuekey.Secret(base64.StdEncoding.EncodeToString([]byte(plain))))
		if _, password, ok := strings.Cut(plain, ":"); ok {
			secrets = append(secrets, venuekey.Secret(password))
		}
	}
	return secrets
}

// Says returns a text from the answer as one line that is safe to show: without control
// characters and without the secrets of the request.
func (a Answer) Says(text string) string { return foreign.LineWithout(text, a.Sent...) }
