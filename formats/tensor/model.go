package tensor

// Model is the set of named tensors a checkpoint yields. Implementations are
// safe for concurrent use.
type Model interface {
	// Tensors lists the tensors in stored order: shard by shard, then by
	// position in the file.
	Tensors() []*Tensor
	// Tensor returns the tensor of that name.
	Tensor(name string) (*Tensor, bool)
	// Metadata returns what the files say about themselves. It is declared,
	// never evidence.
	Metadata() Metadata
}

// Metadata holds declared facts under dotted keys: a GGUF file's own keys, a
// safetensors file's __metadata__ under "safetensors.", a config.json under
// "config.". Values are string, bool, int64, uint64, float64, or a *List.
type Metadata map[string]any

// List is an array of metadata whose elements stay in the file until asked
// for: tokenizers hold hundreds of thousands of strings.
type List struct {
	Len     int
	Strings func() ([]string, error)  // error when the elements are no strings
	Floats  func() ([]float64, error) // error when the elements are no numbers
}

// String returns the string under the first of the keys that holds one.
func (m Metadata) String(keys ...string) (string, bool) {
	for _, k := range keys {
		if s, ok := m[k].(string); ok {
			return s, true
		}
	}
	return "", false
}

// Int returns the integer under the first of the keys that holds one that
// fits an int of 32 bits. Metadata never sizes memory; larger numbers are
// treated as absent.
func (m Metadata) Int(keys ...string) (int, bool) {
	const limit = 1<<31 - 1
	for _, k := range keys {
		switch v := m[k].(type) {
		case int64:
			if v >= -limit && v <= limit {
				return int(v), true
			}
		case uint64:
			if v <= limit {
				return int(v), true
			}
		}
	}
	return 0, false
}

// Bool returns the boolean under the first of the keys that holds one.
func (m Metadata) Bool(keys ...string) (value, ok bool) {
	for _, k := range keys {
		if b, is := m[k].(bool); is {
			return b, true
		}
	}
	return false, false
}
