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
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/venuekey/venuekey"
)

// address.go owns the address of the database: what is read out of it, what is
// filled in, and what of it may be shown.

const (
	// defaultSchema is where everything lies unless the address says otherwise.
	defaultSchema = "venuekey"
	// defaultConns bounds the connections of a Store unless the address does. A
	// fleet has many Stores, and a server few connections.
	defaultConns = 4
	// connectTimeout bounds the making of a connection unless the address does.
	connectTimeout = 10 * time.Second
	// longestRow is more than a row of ours has, many times. Who may write to the
	// table, or stands in the server's place, must not fill the memory.
	longestRow = 16 << 20
)

// schemaName is what the schema may be called: what needs no escape anywhere.
var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// configure reads an address.
func configure(dsn string) (config *pgxpool.Config, schema string, err error) {
	plain, err := pgx.ParseConfig(dsn)
	if err == nil {
		config, err = pgxpool.ParseConfig(dsn)
	}
	if err == nil && strings.Contains(config.ConnConfig.Database+config.ConnConfig.User, "://") {
		err = errors.New("an address stands within the address") // whose password would be shown
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
		delete(parameters, "schema") // it is ours, not the server's
	}
	if !schemaName.MatchString(schema) || strings.HasPrefix(schema, "pg_") {
		return nil, "", fault(placeOf(conn), venuekey.ClassMisconfigured, nil, fmt.Sprintf("cannot have a schema named %q", schema),
			"choose a name of lower-case letters, digits and _ that does not begin with pg_")
	}
	verify(&conn.Config)
	if conn.RequireAuth == "" && !proven(&conn.Config) {
		conn.RequireAuth = secretive
	}
	conn.MaxProtocolMessageBodyLen = longestRow
	// Nobody listens on these, but behind a pooler somebody may have; the driver
	// would keep what arrives.
	conn.OnNotification = func(*pgconn.PgConn, *pgconn.Notification) {}
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error { return sizeUp(ctx, c) }
	return config, schema, nil
}

// verify makes sslmode=prefer, which is what libpq does when nothing is said,
// mean verify-full for servers on other machines.
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
			i++ // the same without TLS
		}
	}
	config.TLSConfig, config.Fallbacks = kept[0].TLSConfig, kept[1:]
}

// secretive refuses the ways to authenticate that give the password away to
// whoever asks: in clear, and as MD5, which is as good as clear to those who can
// guess. SCRAM gives nothing away. It is written as libpq's require_auth.
const secretive = "!password,!md5"

// proven reports whether every server has proved who it is before it may ask for
// the password. One on a socket has where nobody else may put one; on a port of
// this machine anybody may listen while the server does not, and in /tmp, where many
// servers have their socket, anybody may put his.
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

// sheltered reports whether not everybody may put something into a folder, or into
// one above it, in the place of what is not there.
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

// placeOf names the database for people, without anything secret.
func placeOf(config *pgx.ConnConfig) string {
	server := config.Host
	if network, _ := pgconn.NetworkAddress(config.Host, config.Port); network != "unix" {
		server = net.JoinHostPort(config.Host, fmt.Sprint(config.Port))
	}
	name := config.Database
	if name == "" {
		name = config.User // as the server has it
	}
	return fmt.Sprintf("database %s on %s", name, server)
}

// unreadable says that an address is none. What the parser says may quote a part
// of the address that it did not take for a password, so only its fixed words
// are repeated.
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
