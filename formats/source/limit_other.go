//go:build !unix

package source

// descriptors is how many files the process may have open, as far as is known.
func descriptors() int { return 512 }
