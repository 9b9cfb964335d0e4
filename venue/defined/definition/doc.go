// Package definition reads the description of a venue from a file: its addresses, what it is
// sent and what it answers, how long its tokens live and what its errors mean. A definition is
// data. It has no loops and no conditions, and names no host that a secret could be sent to by
// a template.
//
// [Parse] is strict: a field that is not known, a name that is given twice and a rule that
// contradicts another are mistakes, and all mistakes of a file are reported at once, each with
// its line and what to do. Package venue/defined acts on a [Definition] as a client, and
// package emulator/defined as the venue. Both read it here and share nothing else.
//
// doc/definitions.md is for whoever writes such a file, and schema.json beside this comment
// for editors.
package definition
