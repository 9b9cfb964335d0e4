package venuekey

import (
	"errors"
	"unicode/utf8"

	"github.com/venuekey/venuekey/internal/foreign"
)

// foreign.go owns what passes from a Venue and a Store, which may be anybody's: what
// they say goes into records, logs, events and errors, and what a venue gives becomes
// part of a header.

// venueError is an error of a venue with the secrets struck that it was told: the app's, the
// token's. Its outcome, and what it is caused by, stay.
func venueError(err error, venue Venue, app App, tokens ...Token) error {
	return sanitized(err, secretsOf(venue, app, tokens...), foreign.Tell[Secret])
}

// secretsOf are the secrets that a venue was told. Of the app's parameters they are
// those that the venue calls so: "basic" is none.
func secretsOf(venue Venue, app App, tokens ...Token) []Secret {
	secrets := []Secret{app.ClientSecret}
	if registrar, ok := venue.(Registrar); ok {
		for _, field := range registrar.AppForm().Fields {
			if field.Secret {
				secrets = append(secrets, app.Param(field.Name))
			}
		}
	}
	for _, token := range tokens {
		secrets = append(secrets, token.Access, token.Refresh)
	}
	return secrets
}

// systemError is an error of a store or of this machine, fit to be shown: names of files
// and tables in it may look like tokens.
func systemError(err error) error {
	return sanitized(err, nil, func(text string, _ ...Secret) string { return foreign.Fit(text) })
}

// sanitized is an error whose text passed the gate.
func sanitized(err error, secrets []Secret, gate func(string, ...Secret) string) error {
	var known *Error
	if err == nil {
		return nil
	}
	if !errors.As(err, &known) {
		return foreign.Cause(err, gate(err.Error(), secrets...))
	}
	clean := *known
	clean.Code = foreign.NameWithout(known.Code, secrets...)
	clean.Reason, clean.Remedy = gate(known.Reason, secrets...), gate(known.Remedy, secrets...)
	if known.Err != nil {
		clean.Err = foreign.Cause(known.Err, gate(known.Err.Error(), secrets...))
	}
	return &clean
}

// receivedToken is a venue's token as it may be kept, and why it has no access token where
// it has none. It is without the secrets that the venue was told.
func receivedToken(token Token, secrets ...Secret) (clean Token, why string) {
	clean, why = usable(token)
	return cleaned(clean, append(secrets, token.Access, token.Refresh)...), why
}

// usable is a token without what nobody can use: an access token of characters that none
// has would be more than a header field (RFC 6749 §A.12), and a type that is not
// understood must not be used (RFC 6749 §7.1). What renews stays as the venue gave it: it
// goes into the body of a form, and the one before it is used up.
func usable(token Token) (clean Token, why string) {
	switch {
	case token.Access == "":
		why = "there is no access token"
	case !foreign.IsToken(string(token.Access)):
		why = "the access token holds characters that no token has"
	case !foreign.IsBearer(token.Type):
		why = "the access token is of a type that is not understood"
	}
	if why != "" {
		token.Access, token.Type = "", ""
	}
	return token, why
}

// cleaned is a token of which everything that is shown is fit for that.
func cleaned(token Token, secrets ...Secret) Token {
	token.User = foreign.NameWithout(token.User, secrets...)
	token.Scopes = foreign.NamesWithout(token.Scopes, secrets...)
	notes := token.Notes
	token.Notes = nil
	for _, note := range notes {
		token.Notes = append(token.Notes, foreign.LineWithout(note, secrets...))
	}
	return token
}

// acceptable is a token from elsewhere, as a file holds it. One that nobody can use is
// refused, and nothing is lost by that: whoever brings it still has it.
func acceptable(token Token) (Token, error) {
	clean, why := usable(token)
	if token.Access == "" {
		why = ""
	}
	if !utf8.ValidString(string(token.Refresh)) { // a seal is JSON, which would change it
		why = "the refresh token is no text"
	}
	if why != "" {
		return Token{}, &Error{Class: ClassMisconfigured, Reason: why + ", and cannot be used"}
	}
	return cleaned(clean, token.Access, token.Refresh), nil
}
