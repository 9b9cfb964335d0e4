// Package agent lets one program own the sign-ins of a user and hand tokens to all others, in
// any language: HTTP with JSON on a Unix socket.
//
// A Server answers for a [venuekey.Keeper]:
//
//	listener, err := agent.Listen(path)
//	server := &agent.Server{Keeper: keeper}
//	go keeper.Run(ctx)
//	err = server.Serve(ctx, listener)
//
// A Client is the other end. Its Source hands out tokens as that of a Keeper does, so
// venuekey.Transport and the clients of the venues take either:
//
//	client := &agent.Client{Socket: path}
//	token, err := client.Source(id).Token(ctx)
//
// # API v1
//
// openapi.json has all of it, and the agent serves it at /v1/openapi.json. In short:
//
//	GET    /v1/signins                    every sign-in
//	GET    /v1/signins/VENUE/NAME         one
//	DELETE /v1/signins/VENUE/NAME         signs out; ?revoke=false forgets only
//	POST   /v1/signins/VENUE/NAME/refresh renews now; {"again":true} insists
//	GET    /v1/token/VENUE/NAME           a good token; ?newer_than=3&wait=30s waits for a newer one
//	POST   /v1/token/VENUE/NAME/refused   {"access_token":"…"}: the venue did not accept it
//	GET    /v1/events                     server-sent events; ?id=VENUE/NAME for some only
//	GET    /v1/version
//	GET    /healthz  /readyz  /metrics
//
// Times are RFC 3339 in UTC. An error has a class, as [venuekey.Class], a reason and perhaps a
// remedy. A refresh token or a kept password never crosses the socket.
//
// # Who may ask
//
// The socket lies in a folder of the user alone, and the kernel says who connects: only the
// user that the agent runs as gets an answer (SO_PEERCRED; LOCAL_PEERCRED on macOS). On Windows,
// where there is no such word, the folder in the user's profile is what protects it. The number of
// a process that connects is no proof of what it is.
package agent
