//go:build !linux && !darwin

package sys

// BindToInterface is not for this system: an error that wraps
// [errors.ErrUnsupported].
func BindToInterface(fd uintptr, name string) error {
	return unsupported("binding to interface " + name)
}
