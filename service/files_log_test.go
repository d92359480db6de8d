package service

import (
	"bytes"
	"log"
	"log/slog"
	"strings"
	"testing"
)

// What net/http complains of, such as a directory that cannot be read, goes where the user wants it, or nowhere.
func TestFilesLog(t *testing.T) {
	var f FileServer
	complain := log.New(complaints{&f}, "", 0)
	complain.Print("to nobody")
	var text bytes.Buffer
	f.Log = slog.New(slog.NewTextHandler(&text, nil))
	complain.Print("a directory cannot be read")
	if got := text.String(); !strings.HasSuffix(got, "level=WARN msg=http says=\"a directory cannot be read\"\n") {
		t.Errorf("the log is %q", got)
	}
}
