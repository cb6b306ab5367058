// Package packtest writes quantised copies of a model for tests: folders in
// the layouts that published checkpoints use, rounded to nearest. It knows
// the layouts from their descriptions, not from the reader it tests.
package packtest

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
)

// Folder collects the tensors and the configuration of a checkpoint.
type Folder struct {
	Config  map[string]any
	entries []entry
}

type entry struct {
	name, dtype string
	shape       []int64
	data        []byte
}

// Add appends a tensor as it is to be stored.
func (f *Folder) Add(name, dtype string, data []byte, shape ...int64) {
	f.entries = append(f.entries, entry{name, dtype, shape, data})
}

// Floats appends a float32 tensor: as BF16 where that loses nothing.
func (f *Folder) Floats(name string, v []float32, shape ...int64) {
	short := make([]byte, 0, 2*len(v))
	for _, x := range v {
		b := math.Float32bits(x)
		if b&0xffff != 0 {
			f.Add(name, "F32", f32s(v), shape...)
			return
		}
		short = binary.LittleEndian.AppendUint16(short, uint16(b>>16))
	}
	f.Add(name, "BF16", short, shape...)
}

// Write writes model.safetensors and config.json into dir.
func (f *Folder) Write(dir string) error {
	header := map[string]any{}
	at := 0
	var data []byte
	for _, e := range f.entries {
		header[e.name] = map[string]any{"dtype": e.dtype, "shape": e.shape, "data_offsets": []int{at, at + len(e.data)}}
		at += len(e.data)
		data = append(data, e.data...)
	}
	h, err := json.Marshal(header)
	if err != nil {
		return err
	}
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(h))), h...)
	if err := os.WriteFile(filepath.Join(dir, "model.safetensors"), append(file, data...), 0o600); err != nil {
		return err
	}
	c, err := json.Marshal(f.Config)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.json"), c, 0o600)
}

func f32s(v []float32) []byte {
	out := make([]byte, 0, 4*len(v))
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}

func i32s(v []int32) []byte {
	out := make([]byte, 0, 4*len(v))
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, uint32(x))
	}
	return out
}
