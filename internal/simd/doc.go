// Package simd tells which vector instructions may be used. Whoever uses them keeps a
// twin in plain Go that gives the same bits, and compares the two in a test; the build
// tag purego leaves all of them out.
package simd
