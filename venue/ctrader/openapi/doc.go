// Package openapi is the cTrader Open API: connections that are authorised and
// stay so. Its messages are in package message; this package imports nothing
// else of venuekey's but the type of a secret.
package openapi
