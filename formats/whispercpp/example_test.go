package whispercpp_test

import (
	"context"
	"fmt"
	"os"

	"github.com/weightprint/weightprint/formats/whispercpp"
)

func ExampleRead() {
	f, err := os.Open("testdata/model.bin")
	if err != nil {
		panic(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	m, err := whispercpp.Read(context.Background(), f.Name(), f, info.Size())
	if err != nil {
		panic(err)
	}
	x, _ := m.Tensor("encoder.blocks.0.attn.query.weight")
	fmt.Println(len(m.Tensors()), x.DType, x.Shape)
	// Output: 50 F16 [8 8]
}
