package service

import "os"

// quiet is not known here: what a coprocess said too much is then found by Ask, if it has been heard already.
type quiet struct{}

func (*quiet) of(*os.File) {}

func (*quiet) check() error { return nil }
