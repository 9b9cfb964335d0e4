package sqlite

import (
	"errors"
	"net/url"
	"os"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
)

// readonly.go owns the vault on a disk that has become read-only, as Linux remounts one
// with errors: it can still be read.

// openReadOnly opens a file on such a disk. SQLite also reads its log, as long as the log
// and its index are next to the file.
func openReadOnly(path string) (*sqlite3.Conn, error) {
	const name = "venuekey-readonly"
	vfs.Register(name, readOnlyFiles{vfs.Find("").(vfs.VFSFilename)}) // repeating it does no harm
	address := url.URL{Scheme: "file", Path: path, RawQuery: "vfs=" + name}
	return sqlite3.OpenFlags(address.String(), sqlite3.OPEN_READONLY|sqlite3.OPEN_URI)
}

// readOnlyFiles opens for reading what cannot be opened for writing. SQLite relies on
// that for its log, and the driver does it only for the log's index.
type readOnlyFiles struct{ vfs.VFSFilename }

func (f readOnlyFiles) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, given, err := f.VFSFilename.OpenFilename(name, flags)
	if flags&vfs.OPEN_READWRITE != 0 && errors.Is(err, syscall.EROFS) {
		flags = flags&^(vfs.OPEN_READWRITE|vfs.OPEN_CREATE) | vfs.OPEN_READONLY
		file, given, err = f.VFSFilename.OpenFilename(name, flags)
	}
	return file, given, err
}

// readOnlyDisk reports whether an error says, or may be caused by, that the disk is
// read-only. That includes a disk that has become writable since: the next call will
// notice.
func readOnlyDisk(path string, err error) bool {
	if errors.Is(err, syscall.EROFS) {
		return true
	}
	if !errors.Is(err, sqlite3.READONLY) && !errors.Is(err, sqlite3.IOERR) {
		return false
	}
	file, tried := os.OpenFile(path, os.O_WRONLY, 0)
	if tried == nil {
		_ = file.Close() // nothing was written
		return errors.Is(err, sqlite3.READONLY)
	}
	return errors.Is(tried, syscall.EROFS)
}
