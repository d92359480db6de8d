// Frames PORT COUNT hears COUNT lines of 100 bytes from any number of callers
// in one loop over parley's Listener.Frames. It prints
// "FRAMES SECONDS ALLOCATIONS".
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"runtime"
	"strconv"
	"time"

	"parley"
)

const textSize = 99 // a line of 100 bytes without its newline

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: frames PORT COUNT")
	}
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	ln, err := parley.Listen(ctx, "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}

	var before, after runtime.MemStats
	var start time.Time
	heard := 0
	for f, err := range ln.Frames(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		checkLine(f.Data)
		if heard == 0 { // the clock starts with the first line
			runtime.ReadMemStats(&before)
			start = time.Now()
		}
		heard++
		if heard == count {
			break
		}
	}
	elapsed := time.Since(start)
	runtime.ReadMemStats(&after)
	fmt.Println(heard-1, elapsed.Seconds(), after.Mallocs-before.Mallocs)
}

func checkLine(p []byte) {
	if len(p) != textSize || p[0] != 'c' {
		log.Fatalf("this is not a whole line: %q", p)
	}
}
