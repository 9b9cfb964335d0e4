// Package attacks has the attacks of doc/security.md on what the root package trusts
// least: a foreign venue, a store that others write, folders that others share. It has
// tests alone.
package attacks
