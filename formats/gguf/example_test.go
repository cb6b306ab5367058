package gguf_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/weightprint/weightprint/formats/gguf"
)

func ExampleRead() {
	var file bytes.Buffer
	write := func(values ...any) {
		for _, v := range values {
			if s, ok := v.(string); ok { // a length and bytes
				binary.Write(&file, binary.LittleEndian, uint64(len(s)))
				v = []byte(s)
			}
			binary.Write(&file, binary.LittleEndian, v)
		}
	}
	write([]byte("GGUF"), uint32(3), uint64(1), uint64(1))             // version, tensors, pairs
	write("general.architecture", uint32(8), "llama")                  // 8 is a string
	write("output.weight", uint32(2), uint64(2), uint64(3), uint32(0)) // innermost dimension first; 0 is F32
	write(uint64(0), make([]byte, -(file.Len()+8)&31), []float32{0, 1, 2, 3, 4, 5})

	f, err := gguf.Read(context.Background(), "m.gguf", bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		panic(err)
	}
	t, row := f.Tensors()[0], make([]float32, 2)
	if err := t.ReadRows(context.Background(), row, 2, 1); err != nil {
		panic(err)
	}
	fmt.Println(f.Version, f.Metadata()["general.architecture"], t.Name, t.Shape, row)
	// Output: 3 llama output.weight [3 2] [4 5]
}
