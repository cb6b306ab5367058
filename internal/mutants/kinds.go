package mutants

import "bytes"

// Kind is how files of one format are taken apart.
type Kind struct {
	Name  string
	parts func([]byte) (*part, error)
	fix   func([]byte)
}

// kinds are all formats. What cannot be taken apart is damaged byte by byte.
var kinds = []Kind{
	{"safetensors", safetensorsTree, nil},
	{"gguf", ggufTree, nil},
	{"torch", torchTree, tarSums},
	{"numpy", numpyTree, nil},
	{"onnx", protoTree, nil},
	{"tflite", func(b []byte) (*part, error) { return words(b, 4), nil }, nil},
	{"openvino", func(b []byte) (*part, error) { return xmlTree(b), nil }, nil},
	{"hdf5", func(b []byte) (*part, error) { return words(b, 8), nil }, hdf5Sums},
	{"keras", kerasTree, nil},
	{"flax", msgpackTree, nil},
	{"json", func(b []byte) (*part, error) { return jsonTree(b), nil }, nil},
	{"own", func(b []byte) (*part, error) { return words(b, 4), nil }, sealed},
}

// Named finds the kind of a name.
func Named(name string) (Kind, bool) {
	for _, k := range kinds {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

// Seed takes a file apart. One that is not of the kind is kept whole, and
// damaged as bytes.
func (k Kind) Seed(file []byte) *Seed {
	b := bytes.Clone(file)
	p, err := k.parts(b)
	if err != nil {
		p = leaf(b)
	}
	return seedOf(p, k.fix)
}
