// Package mutants damages files with their format in mind: it takes a file
// apart into its fields, drops, doubles, exchanges and alters some of them, and
// puts the rest together again with lengths, counts and checksums that agree.
// Damage of bytes alone rarely gets behind those.
package mutants
