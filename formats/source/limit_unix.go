//go:build unix

package source

import (
	"math"
	"syscall"
)

// descriptors is how many files the process may have open.
func descriptors() int {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return 256
	}
	return int(min(uint64(r.Cur), math.MaxInt32))
}
