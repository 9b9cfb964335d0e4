// Package otlp sends spans to an OpenTelemetry collector: OTLP over HTTP with JSON, as the
// specification of OTLP 1.x has it, and only if the standard environment variables ask for
// it.
//
// It is our own because the SDK with its exporter makes every start of the command, also of
// "venuekey token", a quarter slower and the binary a sixth larger (doc/dependencies.md), and
// only two kinds of spans are sent. A span has no token, and no ID of a sign-in unless its
// sender puts it there.
package otlp
