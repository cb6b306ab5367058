package safetensors_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/weightprint/weightprint/formats/safetensors"
)

func ExampleRead() {
	header := `{"w":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}}`
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	file = append(file, header...)
	file = append(file, 0x80, 0x3f, 0x00, 0xc0, 0x00, 0x3f, 0x00, 0x00) // 1, -2, 0.5, 0

	f, err := safetensors.Read(context.Background(), "w.safetensors", bytes.NewReader(file), int64(len(file)), nil)
	if err != nil {
		panic(err)
	}
	row := make([]float32, 2)
	if err := f.Tensors()[0].ReadRows(context.Background(), row, 0, 1); err != nil {
		panic(err)
	}
	fmt.Println(f.Tensors()[0].Shape, row)

	// Every byte behind the header belongs to one tensor.
	file = append(file, 0)
	_, err = safetensors.Read(context.Background(), "w.safetensors", bytes.NewReader(file), int64(len(file)), nil)
	fmt.Println(err)
	// Output:
	// [2 2] [1 -2]
	// w.safetensors: offset 73: data: 1 bytes follow the last tensor
}
