package cli

// onSignals does nothing: there are no such signals on Windows.
func (s *serving) onSignals([]*post) (stop func()) { return func() {} }
