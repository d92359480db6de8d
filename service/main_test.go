package service_test

import (
	"os"
	"testing"

	"parley/parleytest"
)

func TestMain(m *testing.M) { os.Exit(parleytest.CheckLeaks(m)) }
