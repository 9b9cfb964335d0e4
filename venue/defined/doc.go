// Package defined makes a venue out of a definition, which is data: see package
// venue/defined/definition, and doc/definitions.md for how to write one.
//
// Everything that uses a token up goes through package oauth, which sends a request once. A
// definition changes what requests look like and where the values are in the answers; it
// changes neither what is believed nor what is tried again.
package defined
