// Package tensor is the vocabulary every other package speaks: element types,
// stored tensors that decode on demand, models as sets of named tensors, and
// the error every reader of weight files returns. It refuses to interpret:
// which role a tensor plays is decided in formats/roles.
//
// A tensor is read in three ways, all through [Tensor]:
//
//   - ReadRows decodes any run of rows of the 2-D view, without touching the rest;
//   - Chunks streams all values in row-major order through a caller's buffer;
//   - Data gives the bytes as stored, when it is a *[Stored].
//
// Values decode to float32 and are bit-equal to what the reference
// implementations of each format compute; integers and F64 are rounded to the
// nearest float32, ties to even.
package tensor
