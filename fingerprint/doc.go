// Package fingerprint computes what can be published about a model without
// publishing the model: digests of its exact values and sketches that allow
// screening. It works on any tensor.Model and recorded bits depend on the
// values alone: not on shards, names, container, lossless casts, workers,
// chunk sizes or the processor.
//
// A digest here is always of values. The value digest of a tensor is the root
// of a Merkle tree whose leaves are its rows, each in the smallest of the
// canonical forms (float32, float64, 64-bit integer) that holds all its values
// exactly; so a cast that loses nothing keeps it, and any row can be proved
// against it.
package fingerprint
