// Package tensorbundle reads the variables of TensorFlow's checkpoints and
// SavedModels: an .index file, which is a sorted table of names in the layout of
// LevelDB, and .data files beside it that hold the values. Sources: tensorflow's
// tensor_bundle.proto and tensor_bundle.cc, and LevelDB's table_format.md.
package tensorbundle
