package oauth

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/venuekey/venuekey/internal/words"
)

// words.go owns the text forms of a Config, so that it can be kept in a file. The words
// are stable.

// clientAuthWords has no word for authNone, which no venue uses.
var clientAuthWords = words.List{Kind: "client authentication", Words: []string{"body", "basic", "basic-plain", "basic-and-id", "public"}}

// MarshalText returns body, basic, basic-plain, basic-and-id or public.
func (a ClientAuth) MarshalText() ([]byte, error) { return words.Of(clientAuthWords, a) }

// UnmarshalText reads such a word; the error for another lists the known ones.
func (a *ClientAuth) UnmarshalText(word []byte) error { return words.Read(clientAuthWords, word, a) }

// configFields is a Config without its methods.
type configFields Config

// configText is the JSON form of a Config: its fields, with durations as text.
type configText struct {
	*configFields
	CodeLife    words.Duration `json:"code_life,omitzero"`
	DefaultLife words.Duration `json:"default_life,omitzero"`
	RefreshLife words.Duration `json:"refresh_life,omitzero"`
}

// MarshalJSON writes durations as text such as "80m", and omits zero fields.
func (c Config) MarshalJSON() ([]byte, error) {
	fields := configFields(c)
	return json.Marshal(configText{&fields, words.Duration(c.CodeLife), words.Duration(c.DefaultLife), words.Duration(c.RefreshLife)})
}

// UnmarshalJSON reads what MarshalJSON writes. An unknown field is an error.
func (c *Config) UnmarshalJSON(data []byte) error {
	text := configText{configFields: new(configFields)}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&text); err != nil {
		return err
	}
	read := Config(*text.configFields)
	read.CodeLife, read.DefaultLife, read.RefreshLife = time.Duration(text.CodeLife), time.Duration(text.DefaultLife), time.Duration(text.RefreshLife)
	*c = read
	return nil
}
