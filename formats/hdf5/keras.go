package hdf5

import (
	"archive/zip"
	"bytes"
	"context"
	"io"

	"github.com/weightprint/weightprint/formats/tensor"
)

// kerasWeights is the entry of a .keras archive that holds its weights.
const kerasWeights = "model.weights.h5"

// kerasEntries are the names with which such archives begin.
var kerasEntries = []string{"metadata.json", "config.json", kerasWeights}

// RecognisesKeras tells from a file's first bytes whether it is a .keras
// archive: a zip archive whose first entry is one of Keras'.
func RecognisesKeras(head []byte) bool {
	if len(head) < 30 || string(head[:4]) != "PK\x03\x04" {
		return false
	}
	for _, name := range kerasEntries {
		if int(le.Uint16(head[26:])) == len(name) && bytes.HasPrefix(head[30:], []byte(name)) {
			return true
		}
	}
	return false
}

// ReadKeras reads the weights within a .keras archive of size bytes. They must
// be stored as they are, as Keras stores them.
func ReadKeras(ctx context.Context, name string, r io.ReaderAt, size int64) (*File, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		class := err
		if err == zip.ErrFormat { // the record that ends an archive is not there
			return nil, tensor.Errorf(io.ErrUnexpectedEOF, name, size, "archive", "the archive's directory cannot be read, the file may be cut short: %v", err)
		}
		if err == zip.ErrAlgorithm || err == zip.ErrChecksum {
			class = tensor.ErrFormat
		}
		return nil, tensor.Errorf(class, name, -1, "archive", "%v", err)
	}
	var found *zip.File
	for _, e := range z.File {
		if e.Name != kerasWeights {
			continue
		}
		if found != nil {
			return nil, tensor.Errorf(tensor.ErrFormat, name, -1, "entry "+kerasWeights, "the name stands twice in the archive")
		}
		found = e
	}
	if found == nil {
		return nil, tensor.Errorf(tensor.ErrNotModel, name, -1, "archive", "no entry %s", kerasWeights)
	}
	at, err := found.DataOffset()
	if err != nil {
		return nil, tensor.Errorf(tensor.ErrFormat, name, -1, "entry "+kerasWeights, "%v", err)
	}
	n := int64(found.UncompressedSize64)
	switch {
	case found.Flags&1 != 0:
		return nil, tensor.Errorf(tensor.ErrUnsupported, name, at, "entry "+kerasWeights, "the entry is encrypted")
	case found.Method != zip.Store:
		return nil, tensor.Errorf(tensor.ErrUnsupported, name, at, "entry "+kerasWeights, "the entry is compressed; unzip the archive and name the file")
	case found.CompressedSize64 != found.UncompressedSize64 || n < 0 || n > size-at:
		return nil, tensor.Errorf(tensor.ErrFormat, name, at, "entry "+kerasWeights, "%d and %d bytes in an archive of %d", found.CompressedSize64, found.UncompressedSize64, size)
	}
	return Read(ctx, name+"/"+kerasWeights, io.NewSectionReader(r, at, n), n)
}
