// Package hdf5 reads the weights of HDF5 files as Keras, TensorFlow and h5py
// write them: .h5, .hdf5, .weights.h5, tf_model.h5, and the model.weights.h5
// within a .keras archive. Every dataset of numbers is a tensor whose name is
// its path.
//
// The reader is written after the HDF5 File Format Specification 3.0. It knows
// what such files hold: superblocks 0 to 3, object headers 1 and 2, groups as
// symbol tables and as links, compact, contiguous and chunked layouts, the
// filters gzip, shuffle and fletcher32. Everything else is refused by its name,
// or listed where it holds no weights. No link leaves the file.
package hdf5
