// Package numpy reads NumPy's .npy files and .npz archives: arrays of plain
// numbers in either byte order and either order of dimensions. Arrays of
// objects are pickles; they are refused, nothing is executed. Source: NumPy's
// numpy/lib/format.py, versions 1 to 3 of the format.
package numpy
