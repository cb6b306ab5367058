package tensor_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
)

// A tensor decodes what is asked of it, here three rows of half-precision
// numbers.
func Example() {
	raw := []byte{0x00, 0x3c, 0x00, 0x40, 0x00, 0x42, 0x00, 0x44, 0x00, 0xbc, 0xff, 0x7b}
	t := &tensor.Tensor{Name: "w", DType: tensor.F16, Shape: []int64{3, 2}, Data: &tensor.Stored{R: bytes.NewReader(raw), Bytes: 12, DType: tensor.F16}}

	row := make([]float32, 2)
	if err := t.ReadRows(context.Background(), row, 2, 1); err != nil {
		panic(err)
	}
	fmt.Println("row 2:", row)
	sum := float32(0)
	for part, err := range t.Chunks(context.Background(), make([]float32, 4)) {
		if err != nil {
			panic(err)
		}
		for _, v := range part {
			sum += v
		}
	}
	fmt.Println("sum:", sum)
	fmt.Println(t.ReadRows(context.Background(), row, 3, 1))
	// Output:
	// row 2: [-1 65504]
	// sum: 65513
	// w: rows: rows [3, 4) into 2 values: the tensor has 3 rows of 2
}
