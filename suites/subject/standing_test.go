package subject

import (
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/kindlytest/kindlytest/internal/wire"
)

// Who is just restarted takes no connection, or resets one that its listener had taken; who
// cuts one off on which it was asked has listened.
func TestWhereNobodyListens(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		op  string
		err syscall.Errno
		is  bool
	}{
		{"dial", syscall.ECONNREFUSED, true},
		{"dial", syscall.ECONNRESET, true},
		{"dial", syscall.EHOSTUNREACH, false},
		{"read", syscall.ECONNRESET, false},
	} {
		ex := wire.Exchange{Err: &net.OpError{Op: row.op, Net: "tcp", Err: os.NewSyscallError(row.op, row.err)}}
		if nobodyListens(ex) != row.is {
			t.Errorf("%v: %t", ex.Err, !row.is)
		}
	}
}
