// Package porttest has addresses for tests that need one at which nobody listens. One
// that was just closed won't do: another test is given it the next moment.
package porttest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Nobody is where nobody listens, now or later: a port that is assigned to nobody, and
// far below those that a system gives to who asks for any.
const Nobody = "127.0.0.1:4"

// Free is a port of this machine to listen at later. It lies below those that
// systems usually give to who asks for any.
func Free(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 15000 + rand.IntN(15000)
		if l, err := net.Listen("tcp4", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
