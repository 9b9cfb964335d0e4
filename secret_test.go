package venuekey_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/venuekey/venuekey"
	"github.com/venuekey/venuekey/agent"
	"github.com/venuekey/venuekey/agent/consumer"
	"github.com/venuekey/venuekey/agent/notify"
	"github.com/venuekey/venuekey/agent/proxy"
	"github.com/venuekey/venuekey/backup"
	"github.com/venuekey/venuekey/internal/keepertest"
	"github.com/venuekey/venuekey/local"
	"github.com/venuekey/venuekey/oauth"
	"github.com/venuekey/venuekey/store/memory"
	"github.com/venuekey/venuekey/terminal"
	"github.com/venuekey/venuekey/venue/ctrader"
	"github.com/venuekey/venuekey/venue/ctrader/openapi"
	"github.com/venuekey/venuekey/venue/ctrader/openapi/message"
	"github.com/venuekey/venuekey/venue/tradovate"
	"github.com/venuekey/venuekey/venue/tradovate/socket"
	"github.com/venuekey/venuekey/venue/venuetest"
)

const sentinel = "SENTINEL-do-not-print"

// formatted is what fmt and a log make of values.
func formatted(t *testing.T, values ...any) string {
	t.Helper()
	var out bytes.Buffer
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} { // %p asks no method, and go vet finds it
			fmt.Fprintf(&out, verb+"\n", value)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("value", "it", value, slog.Group("group", "of", value))
		slog.New(slog.NewTextHandler(&out, nil)).Info("value", "it", value, "in", []any{value})
	}
	return out.String()
}

// printed is everything that the standard library makes of values, in one text.
func printed(t *testing.T, values ...any) string {
	t.Helper()
	var out bytes.Buffer
	out.WriteString(formatted(t, values...))
	for _, value := range values {
		for _, logger := range []*slog.Logger{slog.New(slog.NewJSONHandler(&out, nil)), slog.New(slog.NewTextHandler(&out, nil))} {
			logger.Info("value", "it", value, "in", []any{value}, slog.Group("group", "of", value))
		}
		log.New(&out, "", 0).Print(value)
		// What cannot be encoded is an error, which says why.
		for _, encode := range []func(any) error{json.NewEncoder(&out).Encode, xml.NewEncoder(&out).Encode, gob.NewEncoder(&out).Encode} {
			if err := encode(value); err != nil {
				fmt.Fprintf(&out, "%v %+v %#v\n", err, err, err)
			}
		}
		fmt.Fprintln(&out, fmt.Errorf("failed: %w, %v", errors.New("x"), value))
	}
	return out.String()
}

// mustNotTell looks for the sentinel in all forms in which it could be printed.
func mustNotTell(t *testing.T, what, text string) {
	t.Helper()
	numbers := strings.Trim(fmt.Sprint([]byte(sentinel)), "[]")
	for _, trace := range []string{sentinel, fmt.Sprintf("%x", sentinel), fmt.Sprintf("%X", sentinel), numbers, strings.ReplaceAll(numbers, " ", ","),
		strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(sentinel)), "=")[:20], fmt.Sprintf("%#v", []byte(sentinel))[8:60]} {
		if at := strings.Index(text, trace); at >= 0 {
			t.Errorf("%s prints %q: …%.120q", what, trace, text[max(0, at-60):])
			return
		}
	}
}

// filled gives a value of a type with the sentinel in every secret that it has.
func filled(kind reflect.Type, depth int) reflect.Value {
	value := reflect.New(kind).Elem()
	switch {
	case kind == reflect.TypeFor[venuekey.Secret]():
		value.SetString(sentinel)
	case kind == reflect.TypeFor[venuekey.SealKey]():
		reflect.Copy(value, reflect.ValueOf([]byte(sentinel + sentinel)[:value.Len()]))
	case depth > 8:
	case kind.Kind() == reflect.Struct:
		for i := range kind.NumField() {
			if value.Field(i).CanSet() {
				value.Field(i).Set(filled(kind.Field(i).Type, depth+1))
			}
		}
	case kind.Kind() == reflect.Pointer:
		value.Set(reflect.New(kind.Elem()))
		value.Elem().Set(filled(kind.Elem(), depth+1))
	case kind.Kind() == reflect.Slice:
		value.Set(reflect.Append(value, filled(kind.Elem(), depth+1)))
	case kind.Kind() == reflect.Map:
		value.Set(reflect.MakeMap(kind))
		value.SetMapIndex(filled(kind.Key(), depth+1), filled(kind.Elem(), depth+1))
	}
	return value
}

// confidential are the types of the library in which a secret can lie. Another one
// that comes to be is asked for by TestSecretsLieInExportedFieldsOnly.
var confidential = map[string]reflect.Type{
	".App": reflect.TypeFor[venuekey.App](), ".Keeper": reflect.TypeFor[venuekey.Keeper](), ".SealKey": reflect.TypeFor[venuekey.SealKey](),
	".Secret": reflect.TypeFor[venuekey.Secret](), ".Source": reflect.TypeFor[venuekey.Source](), ".Token": reflect.TypeFor[venuekey.Token](),
	".Transport": reflect.TypeFor[venuekey.Transport](), ".Vault": reflect.TypeFor[venuekey.Vault](), ".Snapshot": reflect.TypeFor[venuekey.Snapshot](),
	".Ticket": reflect.TypeFor[venuekey.Ticket](), ".Tickets": reflect.TypeFor[venuekey.Tickets](),
	"/agent.Client": reflect.TypeFor[agent.Client](), "/agent.Server": reflect.TypeFor[agent.Server](), "/agent.Source": reflect.TypeFor[agent.Source](),
	"/backup.Backup": reflect.TypeFor[backup.Backup](), "/backup.Outcome": reflect.TypeFor[backup.Outcome](),
	"/agent/consumer.Book": reflect.TypeFor[consumer.Book](), "/agent/notify.Courier": reflect.TypeFor[notify.Courier](), "/agent/notify.Webhook": reflect.TypeFor[notify.Webhook](),
	"/agent/proxy.Handler": reflect.TypeFor[proxy.Handler](),
	"/local.CTrader":       reflect.TypeFor[local.CTrader](), "/local.Tradovate": reflect.TypeFor[local.Tradovate](), "/local.Vault": reflect.TypeFor[local.Vault](),
	"/oauth.Answer": reflect.TypeFor[oauth.Answer](), "/oauth.Attempt": reflect.TypeFor[oauth.Attempt](), "/terminal.UI": reflect.TypeFor[terminal.UI](), "/venue/ctrader.Auth": reflect.TypeFor[ctrader.Auth](),
	"/venue/ctrader/openapi.Client": reflect.TypeFor[openapi.Client](), "/venue/ctrader/openapi.Conn": reflect.TypeFor[openapi.Conn](),
	"/venue/tradovate/socket.Client": reflect.TypeFor[socket.Client](), "/venue/tradovate/socket.Conn": reflect.TypeFor[socket.Conn](),
	"/venue/tradovate/socket.Error":                                 reflect.TypeFor[socket.Error](),
	"/venue/ctrader/openapi.Subscription":                           reflect.TypeFor[openapi.Subscription](),
	"/venue/ctrader/openapi/message.AccountAuthReq":                 reflect.TypeFor[message.AccountAuthReq](),
	"/venue/ctrader/openapi/message.ApplicationAuthReq":             reflect.TypeFor[message.ApplicationAuthReq](),
	"/venue/ctrader/openapi/message.GetAccountListByAccessTokenReq": reflect.TypeFor[message.GetAccountListByAccessTokenReq](),
	"/venue/ctrader/openapi/message.GetAccountListByAccessTokenRes": reflect.TypeFor[message.GetAccountListByAccessTokenRes](),
	"/venue/ctrader/openapi/message.GetCtidProfileByTokenReq":       reflect.TypeFor[message.GetCtidProfileByTokenReq](),
	"/venue/ctrader/openapi/message.RefreshTokenReq":                reflect.TypeFor[message.RefreshTokenReq](),
	"/venue/ctrader/openapi/message.RefreshTokenRes":                reflect.TypeFor[message.RefreshTokenRes](),
	"/venue/tradovate.AccessTokenRequest":                           reflect.TypeFor[tradovate.AccessTokenRequest](),
	"/venue/tradovate.AccessTokenResponse":                          reflect.TypeFor[tradovate.AccessTokenResponse](),
	"/venue/tradovate.OAuthToken":                                   reflect.TypeFor[tradovate.OAuthToken](),
	"/venue/tradovate.OAuthTokenResponse":                           reflect.TypeFor[tradovate.OAuthTokenResponse](),
	"/venue/tradovate.OAuthMeResponse":                              reflect.TypeFor[tradovate.OAuthMeResponse](),
	"/venue/venuetest.Subject":                                      reflect.TypeFor[venuetest.Subject](),
	"/venue/tradovate.Penalty":                                      reflect.TypeFor[tradovate.Penalty](),
}

func TestAttackATypeThatPrintsItsSecrets(t *testing.T) {
	for name, kind := range confidential {
		value := filled(kind, 0)
		print := printed
		if strings.Contains(name, "/message.") {
			print = formatted // as JSON, messages are what goes over the wire, and their documentation says so
		}
		mustNotTell(t, name, print(t, value.Interface()))
		mustNotTell(t, "*"+name, print(t, value.Addr().Interface()))
	}
	mustNotTell(t, "many", printed(t, []venuekey.Secret{sentinel}, []venuekey.SealKey{venuekey.SealKey([]byte(sentinel + sentinel)[:32])}))
	if fmt.Sprint(venuekey.Secret("")) != "" {
		t.Error("an empty secret should print as nothing")
	}
}

// Where a pointer stands within something else fmt follows it for %v only; for other
// verbs it prints what lies there raw, unless the type prints itself.
func TestAttackATypeThatIsPrintedBehindAPointer(t *testing.T) {
	for name, kind := range confidential {
		if !strings.HasPrefix(name, ".") || kind.Kind() == reflect.Pointer {
			continue // what is handed on as a pointer is the library's
		}
		value := filled(kind, 0).Addr().Interface()
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c", "%U", "%t", "%e", "%5.2s"} {
			for _, within := range []any{value, struct{ In any }{value}, []any{value}, map[string]any{"in": value}} {
				mustNotTell(t, name+" "+verb, fmt.Sprintf(verb, within))
			}
		}
	}
	var none struct{ In *venuekey.Token }
	if text := fmt.Sprintf("%s", any(none)); text != "{<nil>}" {
		t.Errorf("no token prints as %q", text)
	}
}

// A Keeper in use holds more than its fields say: tokens that the store refuses,
// with the key that they are sealed with.
func TestAttackAKeeperThatIsPrinted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		venue := &keepertest.Venue{}
		store := &keepertest.Store{Store: &memory.Store{}}
		keeper := keepertest.New(t, store, venue)
		keeper.Vault.Key = venuekey.SealKey([]byte(sentinel + sentinel)[:32])
		keeper.Spills, keeper.SaveBudget = nil, time.Second
		if _, err := keeper.Adopt(t.Context(), keepertest.Alice, venuekey.Token{Access: sentinel, Refresh: sentinel, Expires: time.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		store.Refuse(func(record venuekey.Record) error {
			if record.Generation > 0 {
				return errLost
			}
			return nil
		})
		if _, err := keeper.Adopt(t.Context(), keepertest.Alice, venuekey.Token{Access: sentinel, Refresh: sentinel, Expires: time.Now().Add(2 * time.Hour)}); err == nil {
			t.Fatal("the store took a token that it refuses")
		}
		source := keeper.Source(keepertest.Alice)
		_, _ = source.Token(t.Context())
		transport := &venuekey.Transport{Source: source}
		synctest.Wait() // fmt reads what others write atomically
		for _, value := range []any{keeper, source, transport, keeper.Vault, source.Client()} {
			mustNotTell(t, fmt.Sprintf("%T", value), printed(t, value, reflect.ValueOf(value).Elem().Interface(), struct{ In any }{value}, []any{value}))
		}
		store.Refuse(nil)
		if err := keeper.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// The law about where secrets lie. fmt reads unexported
// fields without asking the methods of what is in them, so a Secret or a Key there,
// however deep within maps, slices and other structs, would be printed in full.

// compiled is a package as go list tells of it.
type compiled struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// checkedTypes reads every package of this repository with its types.
func checkedTypes(t *testing.T) []*types.Package {
	t.Helper()
	checked, _ := checkedCode(t, "./...", nil)
	return checked
}

// checkedCode reads the packages of this repository that a pattern names or needs, with
// what info asks for, and gives the parsed files by package.
func checkedCode(t *testing.T, pattern string, info *types.Info) (checked []*types.Package, code map[string][]*ast.File) {
	t.Helper()
	output, err := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", pattern).Output()
	if err != nil {
		t.Fatal(err)
	}
	var ours []compiled
	exports := map[string]string{}
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var p compiled
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/") {
			ours = append(ours, p)
		}
	}
	files := token.NewFileSet()
	config := types.Config{Importer: importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
	code = map[string][]*ast.File{}
	for _, p := range ours {
		var parsed []*ast.File
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, file)
		}
		one, err := config.Check(p.ImportPath, files, parsed, info)
		if err != nil {
			t.Fatal(err)
		}
		checked, code[p.ImportPath] = append(checked, one), parsed
	}
	return checked, code
}

// prying follows types to the secrets in them.
type prying struct {
	pointers bool // also through pointers, where fmt stops within a value
	seen     map[string]bool
}

// path is how a secret is reached within a type without a method that hides it;
// "" where none is. Hidden says that an unexported field was passed.
func (p *prying) path(kind types.Type, hidden bool) string {
	kind = types.Unalias(kind)
	name := types.TypeString(kind, nil)
	key := fmt.Sprint(name, hidden)
	if p.seen[key] {
		return ""
	}
	p.seen[key] = true
	if slices.Contains(secretTypes, name) {
		if hidden {
			return "!"
		}
		return ""
	}
	if named, ok := kind.(*types.Named); ok {
		if !hidden && has(named, "Format") {
			return ""
		}
		if strings.HasPrefix(name, "sync/atomic.Pointer[") {
			return p.path(types.NewPointer(named.TypeArgs().At(0)), true)
		}
	}
	switch under := kind.Underlying().(type) {
	case *types.Pointer:
		if p.pointers && (hidden || !has(kind, "Format")) {
			return p.path(under.Elem(), hidden)
		}
	case *types.Slice:
		return p.path(under.Elem(), hidden)
	case *types.Array:
		return p.path(under.Elem(), hidden)
	case *types.Map:
		if _, pointer := under.Key().Underlying().(*types.Pointer); !pointer && holds(under.Key(), map[types.Type]bool{}) {
			return "!" // encoding/json writes a string as the key that it is
		}
		return p.path(under.Elem(), hidden)
	case *types.Struct:
		for field := range under.Fields() {
			if found := p.path(field.Type(), hidden || !field.Exported()); found != "" {
				return "." + field.Name() + found
			}
		}
	}
	return ""
}

// has reports whether values of a type have a method.
func has(kind types.Type, method string) bool {
	return types.NewMethodSet(kind).Lookup(nil, method) != nil
}

// ofUsers reports whether programs of others can have a package's types.
func ofUsers(path string) bool {
	return !strings.Contains(path+"/", "/internal/") && !strings.HasPrefix(path, module+"/cmd/") && !strings.HasPrefix(path, module+"/examples/")
}

// secretTypes are the types that are secrets.
var secretTypes = []string{module + ".Secret", module + ".SealKey"}

// holds reports whether a secret lies anywhere in a type.
func holds(kind types.Type, seen map[types.Type]bool) bool {
	kind = types.Unalias(kind)
	if name := types.TypeString(kind, nil); slices.Contains(secretTypes, name) {
		return true
	}
	if seen[kind] {
		return false
	}
	seen[kind] = true
	switch under := kind.Underlying().(type) {
	case *types.Pointer:
		return holds(under.Elem(), seen)
	case *types.Slice:
		return holds(under.Elem(), seen)
	case *types.Array:
		return holds(under.Elem(), seen)
	case *types.Map:
		return holds(under.Key(), seen) || holds(under.Elem(), seen)
	case *types.Struct:
		for field := range under.Fields() {
			if holds(field.Type(), seen) {
				return true
			}
		}
	}
	return false
}

func TestSecretsLieInExportedFieldsOnly(t *testing.T) {
	for _, one := range checkedTypes(t) {
		for _, name := range secretTypes {
			if bare, ok := strings.CutPrefix(name, one.Path()+"."); ok && one.Scope().Lookup(bare) == nil {
				t.Errorf("there is no %s any more", name)
			}
		}
		for _, name := range one.Scope().Names() {
			object, ok := one.Scope().Lookup(name).(*types.TypeName)
			if !ok || object.IsAlias() {
				continue
			}
			kind := object.Type()
			where := strings.TrimPrefix(one.Path(), module) + "." + name
			if found := (&prying{seen: map[string]bool{}}).path(kind, false); found != "" {
				t.Errorf("%s%s is printed", where, found)
			}
			if !object.Exported() || !ofUsers(one.Path()) {
				continue
			}
			if holds(kind, map[types.Type]bool{}) && confidential[where] == nil {
				t.Errorf("%s holds a secret: let TestAttackATypeThatPrintsItsSecrets print it", where)
			}
			if has(types.NewPointer(kind), "Format") {
				continue
			}
			if found := (&prying{pointers: true, seen: map[string]bool{}}).path(kind, false); found != "" {
				t.Errorf("%s%s is printed by who follows pointers, and %s has no Format", where, found, name)
			}
		}
	}
}
