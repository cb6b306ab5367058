//go:build !unix

package main

import "time"

// processTime is not known here.
func processTime() time.Duration { return 0 }

// processMemory is not known here.
func processMemory() int64 { return 0 }
