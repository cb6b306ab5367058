// Package flax reads the msgpack files that flax.serialization writes
// (flax_model.msgpack): a tree of maps whose leaves are arrays, each an
// extension of type 1 that holds shape, element type and bytes, or several of
// these where an array has more than 2^30 bytes. Names are the keys on the way
// to an array, joined by dots.
package flax
