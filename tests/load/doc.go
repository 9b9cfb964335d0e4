// Package load renews many sign-ins over a long virtual time: ten thousand in a year, and
// more than a venue's budget allows. It has only tests.
package load
