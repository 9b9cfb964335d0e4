// Package core is what the emulated venues are made of, and nobody else needs:
// codes and tokens in all the ways in which venues rotate them, the consent page,
// faults on the wire, settings and the admin endpoint.
//
// A venue's server embeds [Base], gets its [Core] at its [Start], keeps its knobs in
// [Settings], answers its endpoints through [Core.Serve] so that faults can strike, asks the user with
// [Core.Ask], and gives out codes and tokens with [Core.SendCode], [Core.Exchange],
// [Core.Refresh] and [Core.Renew], which also write the event log. The package
// knows nothing of the client library: the two meet on the wire only.
package core
