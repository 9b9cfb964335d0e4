package venuekey

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/venuekey/venuekey/internal/words"
)

// words.go owns the text forms of classes and policies, so that a file can define a
// venue. The words are stable.

var (
	classWords      = words.List{Kind: "class", Words: []string{"unknown", "refused", "misconfigured", "not-sent", "later", "damaged", "failed", "declined"}}
	renewalWords    = words.List{Kind: "renewal", Words: []string{"refresh-token", "access-token", "app-key"}}
	lostAnswerWords = words.List{Kind: "answer to a lost answer", Words: []string{"never", "once", "until-refused", "freely"}}
	endingWords     = words.List{Kind: "ending", Words: []string{"unknown", "never", "after-login", "after-issue", "after-use"}}
)

// MarshalText returns the word of a class: unknown, refused, misconfigured, not-sent,
// later, damaged, failed or declined.
func (c Class) MarshalText() ([]byte, error) { return words.Of(classWords, c) }

// UnmarshalText reads such a word. An error names the known ones.
func (c *Class) UnmarshalText(word []byte) error { return words.Read(classWords, word, c) }

// MarshalText returns the word of a renewal: refresh-token, access-token or app-key.
func (r Renewal) MarshalText() ([]byte, error) { return words.Of(renewalWords, r) }

// UnmarshalText reads such a word. An error names the known ones.
func (r *Renewal) UnmarshalText(word []byte) error { return words.Read(renewalWords, word, r) }

// MarshalText returns the word of the rule after a lost answer: never, once,
// until-refused or freely.
func (l LostAnswer) MarshalText() ([]byte, error) { return words.Of(lostAnswerWords, l) }

// UnmarshalText reads such a word. An error names the known ones.
func (l *LostAnswer) UnmarshalText(word []byte) error { return words.Read(lostAnswerWords, word, l) }

// MarshalText returns the word of an ending: unknown, never, after-login, after-issue or
// after-use.
func (e Ending) MarshalText() ([]byte, error) { return words.Of(endingWords, e) }

// UnmarshalText reads such a word. An error names the known ones.
func (e *Ending) UnmarshalText(word []byte) error { return words.Read(endingWords, word, e) }

// policyFields is a Policy without its methods.
type policyFields Policy

// policyText is the JSON form of a Policy: its fields, shadowed by those that are text.
type policyText struct {
	*policyFields
	Doubt         words.Duration `json:"doubt,omitzero"`
	Grace         words.Duration `json:"grace,omitzero"`
	RenewalLife   words.Duration `json:"renewal_life,omitzero"`
	LeastInterval words.Duration `json:"least_interval,omitzero"`
	DefaultLife   words.Duration `json:"default_life,omitzero"`
	CodeLife      words.Duration `json:"code_life,omitzero"`
	Pace          words.Duration `json:"pace,omitzero"`

	Warn []words.Duration `json:"warn,omitzero"`
}

// MarshalJSON writes durations as text such as "80m", and omits zero values.
func (p Policy) MarshalJSON() ([]byte, error) {
	fields := policyFields(p)
	var warn []words.Duration
	for _, d := range p.Warn {
		warn = append(warn, words.Duration(d))
	}
	return json.Marshal(policyText{
		Warn:         warn,
		policyFields: &fields, Doubt: words.Duration(p.Doubt), Grace: words.Duration(p.Grace), RenewalLife: words.Duration(p.RenewalLife), LeastInterval: words.Duration(p.LeastInterval),
		DefaultLife: words.Duration(p.DefaultLife), CodeLife: words.Duration(p.CodeLife), Pace: words.Duration(p.Pace),
	})
}

// UnmarshalJSON reads what MarshalJSON writes. An unknown field or word is an error: a
// typing error must not pass for the default.
func (p *Policy) UnmarshalJSON(data []byte) error {
	text := policyText{policyFields: new(policyFields)}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&text); err != nil {
		return err
	}
	read := Policy(*text.policyFields)
	for _, d := range text.Warn {
		read.Warn = append(read.Warn, time.Duration(d))
	}
	read.Doubt = time.Duration(text.Doubt)
	read.Grace, read.RenewalLife, read.LeastInterval = time.Duration(text.Grace), time.Duration(text.RenewalLife), time.Duration(text.LeastInterval)
	read.DefaultLife, read.CodeLife, read.Pace = time.Duration(text.DefaultLife), time.Duration(text.CodeLife), time.Duration(text.Pace)
	*p = read
	return nil
}
