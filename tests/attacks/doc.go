// Package attacks plays the attacks of doc/security.md on what the root package trusts
// least: a foreign venue, a store that others can write to, folders that are shared. It
// has only tests.
package attacks
