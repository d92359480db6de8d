package sandbox

import "fmt"

// SetUser makes this process, all of its threads, one of the user called name, for good: "user", "user:group", or numbers for
// either, which need not have a name. Without a group it gets the user's main group and all others that he is in; with
// one, only that. Root can do that; another user can only become himself. The error names the user, and wraps
// errors.ErrUnsupported on systems without users of that kind. After an error the process may be half of each: end it.
func SetUser(name string) error {
	if err := setUser(name); err != nil {
		return fmt.Errorf("become user %s: %w", name, err)
	}
	return nil
}
