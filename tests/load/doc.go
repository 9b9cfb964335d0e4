// Package load has many sign-ins renewed over a long virtual time: ten thousand in a
// year, and more than the venue's budget allows. It has tests alone.
package load
