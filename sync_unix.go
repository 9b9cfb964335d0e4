//go:build !windows

package venuekey

import (
	"errors"
	"os"
)

// syncFolder makes the entries of a folder durable.
func syncFolder(folder string) error {
	open, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(open.Sync(), open.Close())
}
