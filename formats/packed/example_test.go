package packed_test

import (
	"context"
	"fmt"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/packtest"
)

// A GPTQ checkpoint stores a matrix as packed codes, packed zero-points,
// scales and an index of groups. Unpacked it is one matrix of outputs ×
// inputs, any row of which can be read on its own.
func ExampleUnpack() {
	var folder packtest.Folder
	layout := packtest.Layouts[0]
	layout.Pack(&folder, packtest.Matrix{Name: "layers.0.mlp.up_proj", Rows: 8, Cols: 32, V: make([]float32, 256)})
	stored := folder.Model(tensor.Metadata{"config.quantization_config.checkpoint_format": "gptq"})

	ctx := context.Background()
	m, err := packed.Unpack(ctx, stored)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(stored.Tensors()), "stored tensors,", m.Layouts)
	for _, t := range m.Tensors() {
		row := make([]float32, t.Cols())
		err := t.ReadRows(ctx, row, 5, 1)
		fmt.Println(t.Name, t.Shape, t.DType, t.Data, row[:2], err)
	}
	// Output:
	// 4 stored tensors, [gptq]
	// layers.0.mlp.up_proj.weight [8 32] INT4 GPTQ 4-bit, groups by index [0 0] <nil>
}
