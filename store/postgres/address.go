package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/venuekey/venuekey"
)

// address.go owns the address of the database: how it is parsed, what is filled in, and
// what of it may be shown.

const (
	// defaultSchema is the schema unless the address names one.
	defaultSchema = "venuekey"
	// defaultConns bounds the connections of a Store unless the address does. A fleet has
	// many Stores, and a server few connections.
	defaultConns = 4
	// connectTimeout bounds connecting unless the address does.
	connectTimeout = 10 * time.Second
	// longestRow is many times the size of any real row. An attacker who can write to the
	// table, or impersonate the server, must not be able to exhaust memory.
	longestRow = 16 << 20
)

// schemaName matches schema names that need no escaping anywhere. It is compiled when it
// is first used: programs start without PostgreSQL too.
var schemaName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`) })

// configure parses an address.
func configure(dsn string) (config *pgxpool.Config, schema string, err error) {
	plain, err := pgx.ParseConfig(dsn)
	if err == nil {
		config, err = pgxpool.ParseConfig(dsn)
	}
	if err == nil && strings.Contains(config.ConnConfig.Database+config.ConnConfig.User, "://") {
		err = errors.New("address contains another address") // whose password would be shown
	}
	if err != nil {
		return nil, "", unreadable(err)
	}
	if _, given := plain.RuntimeParams["pool_max_conns"]; !given {
		config.MaxConns = defaultConns
	}
	conn := config.ConnConfig
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = connectTimeout
	}
	parameters := conn.RuntimeParams
	if parameters["application_name"] == "" {
		parameters["application_name"] = "venuekey"
	}
	parameters["client_encoding"] = "UTF8"
	schema = defaultSchema
	if name, given := parameters["schema"]; given {
		schema = name
		delete(parameters, "schema") // ours, not the server's
	}
	if !schemaName().MatchString(schema) || strings.HasPrefix(schema, "pg_") {
		return nil, "", fault(placeOf(conn), venuekey.ClassMisconfigured, nil, fmt.Sprintf("cannot have a schema named %q", schema),
			"choose a name of lower-case letters, digits and _ that does not begin with pg_")
	}
	verify(&conn.Config)
	if conn.RequireAuth == "" && !proven(&conn.Config) {
		conn.RequireAuth = secretive
	}
	conn.MaxProtocolMessageBodyLen = longestRow
	// These connections do not listen, but behind a pooler another client may have; by
	// default the driver would keep what arrives.
	conn.OnNotification = func(*pgconn.PgConn, *pgconn.Notification) {}
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error { return sizeUp(ctx, c) }
	return config, schema, nil
}

// verify makes sslmode=prefer, libpq's default, mean verify-full for servers on other
// machines.
func verify(config *pgconn.Config) {
	targets := []*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig}}
	targets = append(targets, config.Fallbacks...)
	var kept []*pgconn.FallbackConfig
	for i := 0; i < len(targets); i++ {
		target := targets[i]
		kept = append(kept, target)
		if target.TLSConfig == nil || !away(target.Host) || i+1 == len(targets) {
			continue
		}
		if next := targets[i+1]; next.TLSConfig == nil && next.Host == target.Host && next.Port == target.Port {
			target.TLSConfig = target.TLSConfig.Clone()
			target.TLSConfig.InsecureSkipVerify = false
			target.TLSConfig.ServerName = target.Host
			i++ // skip the same target without TLS
		}
	}
	config.TLSConfig, config.Fallbacks = kept[0].TLSConfig, kept[1:]
}

// secretive excludes the authentication methods that give the password away to an
// impostor: in clear, and as MD5, which can be guessed offline. SCRAM gives nothing away.
// The syntax is that of libpq's require_auth.
const secretive = "!password,!md5"

// proven reports whether every server proves its identity before it can ask for the
// password. A Unix socket does if no other user can put one in its place. On a port of
// this machine any program may listen while the server does not, and in /tmp, where many
// servers have their socket, any user may create one.
func proven(config *pgconn.Config) bool {
	sure := func(host string, port uint16, secured *tls.Config) bool {
		if network, address := pgconn.NetworkAddress(host, port); network == "unix" {
			return sheltered(filepath.Dir(address))
		}
		// With verify-ca the driver verifies in a function of its own.
		return secured != nil && (!secured.InsecureSkipVerify || secured.VerifyPeerCertificate != nil)
	}
	for _, other := range config.Fallbacks {
		if !sure(other.Host, other.Port, other.TLSConfig) {
			return false
		}
	}
	return sure(config.Host, config.Port, config.TLSConfig)
}

// sheltered reports whether only privileged users can put something into a folder, or one
// above it, in the place of a missing socket.
func sheltered(folder string) bool {
	behind, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return false
	}
	for _, at := range []string{folder, behind} {
		for above := ""; at != above; at, above = filepath.Dir(at), at {
			if info, err := os.Stat(at); err != nil || info.Mode().Perm()&0o002 != 0 {
				return false
			}
		}
	}
	return true
}

// away reports whether a host is another machine.
func away(host string) bool {
	if network, _ := pgconn.NetworkAddress(host, 1); network == "unix" || host == "localhost" {
		return false
	}
	ip := net.ParseIP(host)
	return ip == nil || !ip.IsLoopback()
}

// placeOf names the database for people, without secrets.
func placeOf(config *pgx.ConnConfig) string {
	server := config.Host
	if network, _ := pgconn.NetworkAddress(config.Host, config.Port); network != "unix" {
		server = net.JoinHostPort(config.Host, fmt.Sprint(config.Port))
	}
	name := config.Database
	if name == "" {
		name = config.User // the server's default
	}
	return fmt.Sprintf("database %s on %s", name, server)
}

// unreadable is the error for an invalid address. The parser's text may quote a part of
// the address that it did not recognise as a password, so only known fixed phrases are
// repeated.
func unreadable(err error) error {
	reason := "address of the database cannot be read"
	var file *fs.PathError
	if errors.As(err, &file) {
		reason += ": " + file.Error()
	} else {
		for _, known := range []string{
			"invalid port", "sslmode is invalid", "invalid connect_timeout", "pool_max_conns", "pool_min_conns",
			"pool_max_conn_lifetime", "pool_max_conn_idle_time", "pool_health_check_period", "failed to read service",
			"sslcert", "sslkey", "default_query_exec_mode", "target_session_attrs",
		} {
			if strings.Contains(err.Error(), known) {
				reason += ": " + strings.Replace(known, "failed to read service", "the service is not known", 1)
				break
			}
		}
	}
	return &venuekey.Error{Class: venuekey.ClassMisconfigured, Reason: reason,
		Remedy: "write it as postgres://user@host:5432/database, with special characters of a password as %xx, or as host=/run/postgresql dbname=venuekey"}
}
