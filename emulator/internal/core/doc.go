// Package core has what the emulated venues are built from: codes and tokens with all
// kinds of rotation, the consent page, faults on the wire, settings and the admin
// endpoint.
//
// The server of a venue embeds [Base], gets its [Core] from [Start] and keeps its knobs in
// [Settings]. It serves its endpoints through [Core.Serve], so that faults can strike,
// asks the user with [Core.Ask], and issues codes and tokens with [Core.SendCode],
// [Core.Exchange], [Core.Refresh] and [Core.Renew], which also write the event log.
//
// The package does not use the client library: the two meet on the wire only, so neither
// can hide a mistake of the other.
package core
