// Package venues takes every venue, against its emulator, through what any venue has
// to pass: from sign-in to the end, every fault, every outage and every answer under
// every policy. It has tests alone.
package venues
