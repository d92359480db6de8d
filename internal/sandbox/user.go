package sandbox

import "fmt"

// FindUser looks for the user called name: "user", "user:group", or numbers for either, which need not have a name.
//
// become makes this process, all of its threads, one of his, for good. Without a group it gets the user's main group and all
// others that he is in; with one, only that. Root can do that; another user can only become himself. What the user may
// not read must be found and restricted before. The errors name the user, and wrap errors.ErrUnsupported on systems without
// users of that kind. After an error of become the process may be half of each: end it.
func FindUser(name string) (become func() error, err error) {
	change, err := findUser(name)
	if err != nil {
		return nil, userError(name, err)
	}
	return func() error {
		if err := change(); err != nil {
			return userError(name, err)
		}
		return nil
	}, nil
}

func userError(name string, err error) error { return fmt.Errorf("become user %s: %w", name, err) }
