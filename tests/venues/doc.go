// Package venues takes every venue, against its emulator, through what it has to pass
// with a Keeper and a clock: from sign-in to the end, every outage and every answer
// under every policy. It has tests alone.
package venues
