package ctranslate2_test

import (
	"context"
	"fmt"
	"os"

	"github.com/weightprint/weightprint/formats/ctranslate2"
)

func ExampleRead() {
	f, err := os.Open("testdata/whisper-int8.bin")
	if err != nil {
		panic(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	m, err := ctranslate2.Read(context.Background(), f.Name(), f, info.Size())
	if err != nil {
		panic(err)
	}
	x, _ := m.Tensor("encoder.layers.0.self_attn.k_proj.weight")
	fmt.Println(len(m.Tensors()), x.DType, x.Shape, x.Data)
	// Output: 74 INT8 [8 8] INT8 scaled along dimension 0
}
