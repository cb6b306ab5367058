//go:build linux || darwin || freebsd || netbsd || openbsd

package index

import (
	"os"
	"syscall"
)

// lock waits for the only right to write; closing the file gives it back.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }
