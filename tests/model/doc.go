// Package model plays a model of the refresh against the Keeper: programs, a vault
// and an emulated venue, in virtual time, with whatever can go wrong in any order. It
// has tests alone.
package model
