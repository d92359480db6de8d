// Package parleytest helps to test programs that talk by parley, and schemes that it can talk over.
//
// A [Network] is a network in memory: conversations over it need no ports and no files, and run in the virtual time of
// testing/synctest. [TestScheme] holds a scheme against the rules that every scheme keeps. [CheckLeaks] and [Leaks] fail
// tests that leave goroutines behind.
package parleytest
