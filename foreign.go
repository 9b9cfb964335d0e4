package venuekey

import (
	"errors"
	"unicode/utf8"

	"github.com/venuekey/venuekey/internal/foreign"
)

// foreign.go owns what comes in from a Venue and a Store, which anyone may write: their
// texts go into records, logs, events and errors, and a venue's token becomes part of a
// header.

// venueError returns a venue's error without the secrets that the venue received: the
// app's and the token's. Its class and its causes stay.
func venueError(err error, venue Venue, app App, tokens ...Token) error {
	return sanitized(err, secretsOf(venue, app, tokens...), foreign.Tell[Secret])
}

// secretsOf returns the secrets that a venue received. Of the app's parameters these
// are the ones that its AppForm marks as secret: "basic" is not.
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
		secrets = append(secrets, token.Access, token.Refresh, token.Password)
	}
	return secrets
}

// systemError returns an error of a store or of this machine, safe to show. Names of
// files and tables in it may look like tokens, so those are not struck.
func systemError(err error) error {
	return sanitized(err, nil, func(text string, _ ...Secret) string { return foreign.Fit(text) })
}

// sanitized returns an error whose text has passed the gate.
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

// receivedToken returns a venue's token as it may be kept, and why its access token was
// dropped, if it was. Names and notes in it are without the secrets that the venue
// received.
func receivedToken(token Token, secrets ...Secret) (clean Token, why string) {
	clean, why = usable(token)
	return cleaned(clean, append(secrets, token.Access, token.Refresh)...), why
}

// usable returns a token without an access token that must not be used: one with
// characters outside visible ASCII could be more than one header field (RFC 6749
// §A.12), and a type that the client does not understand must not be used (RFC 6749
// §7.1). The refresh token stays as the venue sent it: it goes into a form body, and
// its predecessor is used up.
func usable(token Token) (clean Token, why string) {
	switch {
	case token.Access == "":
		why = "there is no access token"
	case !foreign.IsToken(string(token.Access)):
		why = "the access token contains characters that no token has"
	case !foreign.IsBearer(token.Type):
		why = "the access token has a type that is not understood"
	}
	if why != "" {
		token.Access, token.Type = "", ""
	}
	return token, why
}

// cleaned returns a token whose displayed fields are safe to show.
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

// acceptable returns a token from elsewhere, such as a file. One that cannot be used is
// refused, which loses nothing: the file still has it.
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
