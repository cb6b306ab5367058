// Package formats opens checkpoints: whatever their format, however they are
// cut into shards. [Open] returns a [Checkpoint], which is a tensor.Model and
// also knows its files, its vocabulary, and what the files say about where
// the model comes from.
//
// Files are judged strictly: docs/FORMATS.md lists what is read, what is
// refused and what Options.Lenient forgives. A checkpoint opens only if the
// headers of all its shards are in order and fit together.
package formats
