package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/internal/foreign"
)

// fault.go owns the errors for whatever is wrong with the database.

// errClosed is the error of a closed Store.
var errClosed = os.ErrClosed

// explain turns an error of the server or the network into one that names the database
// and says what to do. The errors that a Store promises are left as they are. Nothing of
// the address but the place gets into it: the driver's errors carry the whole
// configuration, so only the cause inside them is kept.
func explain(ctx context.Context, place string, err error) error {
	var known *venuekey.Error
	var server *pgconn.PgError
	switch {
	case err == nil, errors.As(err, &known),
		errors.Is(err, venuekey.ErrNotFound), errors.Is(err, venuekey.ErrConflict):
		return err
	case ctx.Err() != nil:
		return ctx.Err() // in place of the driver's error
	case errors.Is(err, errClosed):
		return fault(place, venuekey.ClassFailed, errClosed, "is closed", "")
	case errors.As(err, &server):
		return explainServer(place, server)
	}
	return explainNetwork(place, err)
}

// remark explains one of the server's error codes.
type remark struct {
	class         venuekey.Class
	state, remedy string
}

// The explanation for a read-only server, such as one during a failover. What it has can
// be served meanwhile, and the next attempt may reach another one.
const (
	readOnly = "is read-only"
	primary  = "wait until a failover is over; or give the address of the primary server, or of both with target_session_attrs=read-write"
)

// remarks are by code, or by the two or three characters that a class of codes begins
// with. https://www.postgresql.org/docs/current/errcodes-appendix.html
var remarks = map[string]remark{
	"28P01": {venuekey.ClassMisconfigured, "rejects the password", "correct the password in the address, in PGPASSWORD or in the password file"},
	"28":    {venuekey.ClassMisconfigured, "does not let this user in", "correct the user in the address, or the server's pg_hba.conf"},
	"3D000": {venuekey.ClassMisconfigured, "does not exist", "create it, or correct its name in the address"},
	"42501": {venuekey.ClassMisconfigured, "refuses for lack of privileges", "as the schema's owner, grant what is missing, see the documentation of store/postgres"},
	"42704": {venuekey.ClassMisconfigured, "does not know a parameter of the address", "correct the address"},
	demoted: {venuekey.ClassLater, readOnly, primary},
	"42P01": {venuekey.ClassDamaged, "lost a table while it was in use", "restore it from a backup"},
	"42703": {venuekey.ClassDamaged, "lost a column while it was in use", "restore it from a backup"},
	"3F000": {venuekey.ClassDamaged, "lost its schema while it was in use", "restore it from a backup"},
	"22021": {venuekey.ClassMisconfigured, "does not accept text that is not UTF-8", ""},
	"54000": {venuekey.ClassMisconfigured, "does not accept a key that long", ""},
	"53100": {venuekey.ClassFailed, "has no room to grow, the server's disk is full", "free some space and try again; nothing that was stored is lost"},
	"53":    {venuekey.ClassLater, "has no free connection", "raise max_connections, lower pool_max_conns in the address, or put a pooler in between"},
	"57P":   {venuekey.ClassNotSent, "is stopping or starting", "wait until the server has started"},
	"XX001": {venuekey.ClassDamaged, "is damaged", "restore it from a backup"},
	"XX002": {venuekey.ClassDamaged, "has a damaged index", "run REINDEX, or restore it from a backup"},
}

func explainServer(place string, said *pgconn.PgError) error {
	for _, code := range []string{said.Code, said.Code[:min(3, len(said.Code))], said.Code[:min(2, len(said.Code))]} {
		if r, found := remarks[code]; found {
			return fault(place, r.class, said, r.state, r.remedy)
		}
	}
	return fault(place, venuekey.ClassFailed, said, "could not be used", "")
}

func explainNetwork(place string, err error) error {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verifying *tls.CertificateVerificationError
		lookup    *net.DNSError
		network   *net.OpError
		large     *pgproto3.ExceededMaxBodyLenErr
	)
	const certificate = "give the certificate that signed it as sslrootcert in the address, or choose another sslmode"
	switch {
	case errors.As(err, &large):
		return fault(place, venuekey.ClassDamaged, nil, "sent a row that is larger than any real one", "find out who can write to the table record, and delete the row")
	case errors.As(err, &authority), errors.As(err, &name), errors.As(err, &invalid), errors.As(err, &verifying):
		return fault(place, venuekey.ClassMisconfigured, bare(err), "has a certificate that is not trusted", certificate)
	case errors.Is(err, pgconn.ErrReadOnlyConnection):
		return fault(place, venuekey.ClassLater, nil, readOnly, primary)
	case errors.As(err, &network) && network.Op == "remote error" && mistrusts().MatchString(network.Error()):
		return fault(place, venuekey.ClassMisconfigured, bare(err), "rejects this machine's certificate", "give one that the server trusts as sslcert and sslkey in the address")
	case strings.Contains(err.Error(), "require_auth check failed"):
		return fault(place, venuekey.ClassMisconfigured, nil, "asks for the password in a way that gives it away, and nothing proves that it is the right server",
			"add sslmode=verify-full to the address, let the server store the password as scram-sha-256, or put its socket in a folder that other users cannot write to; if the network is private, add require_auth=password or md5")
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return fault(place, venuekey.ClassMisconfigured, nil, "does not speak TLS", "enable TLS on the server, or, if the network is private, add sslmode=disable to the address")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fault(place, venuekey.ClassNotSent, nil, "does not answer in time", "check that the server runs and can be reached from here")
	case errors.As(err, &lookup):
		return fault(place, venuekey.ClassNotSent, lookup, "cannot be found", "correct the host in the address, or repair the network")
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fault(place, venuekey.ClassNotSent, bare(err), "cannot be reached", "start the server, or correct host and port in the address")
	case errors.As(err, &network), fateOf(err) != decided:
		return fault(place, venuekey.ClassNotSent, bare(err), "cannot be reached", "check that the server runs and can be reached from here")
	}
	return fault(place, venuekey.ClassFailed, bare(err), "could not be used", "")
}

// mistrusts matches the texts of crypto/tls for a server's alert about a client's
// certificate. The alerts have no type of their own there.
var mistrusts = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`tls: .*certificate|tls: access denied`) })

// doubtful is the error for a write that was sent and whose answer was lost for good.
func doubtful(ctx context.Context, place string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault(place, venuekey.ClassUnknown, bare(err), "did not say whether it wrote: the connection broke", "read the record before writing it again")
}

// bare returns the cause of an error, without the driver's wrapping.
func bare(err error) error {
	var server *pgconn.PgError
	var network *net.OpError
	var lookup *net.DNSError
	switch {
	case errors.As(err, &server):
		return server
	case errors.As(err, &lookup):
		return lookup
	case errors.As(err, &network):
		return network
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err
}

func fault(place string, class venuekey.Class, err error, state, remedy string) error {
	reason := place + " " + state
	if server, ok := err.(*pgconn.PgError); ok {
		// Its other fields may quote rows.
		err = errors.New(foreign.Line(fmt.Sprintf("%s (%s)", server.Message, server.Code)))
	}
	err = foreign.FitError(err)
	if err != nil {
		reason += ": " + err.Error()
	}
	// A state may quote names from the catalog, which others can choose.
	return &venuekey.Error{Class: class, Reason: foreign.Fit(reason), Remedy: foreign.Fit(remedy), Err: err}
}

func codeOf(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return server.Code
	}
	return ""
}
