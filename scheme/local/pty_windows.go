package local

import (
	"errors"
	"fmt"
	"os"
)

var errNoTerminals = fmt.Errorf("no pseudo-terminals on Windows: %w", errors.ErrUnsupported)

func openMaster(size) (*master, error)              { return nil, errNoTerminals }
func (*master) openSlave() (*os.File, error)        { return nil, errNoTerminals }
func (*master) makeRaw() error                      { return errNoTerminals }
func (*master) await(bool) (kept *os.File, _ error) { return nil, errNoTerminals }

func isCanonical(*os.File) bool { return false }
func isHungUp(error) bool       { return false }
