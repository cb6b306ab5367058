package formats_test

import (
	"context"
	"fmt"
	"os"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/zoo"
)

// Open finds the files of a checkpoint by itself; values are read when asked for.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "weightprint")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	tensors := []zoo.Spec{{Name: "model.embed_tokens.weight", Shape: []int64{40, 8}}, {Name: "model.norm.weight", Shape: []int64{8}}}
	if err := zoo.WriteBF16(dir, tensors, `{"model_type":"llama"}`, 1, 0, 0); err != nil {
		panic(err)
	}

	c, err := formats.Open(context.Background(), dir, nil)
	if err != nil {
		panic(err)
	}
	defer c.Close()
	kind, _ := c.Metadata().String("config.model_type")
	fmt.Println(c.Format, kind)
	for _, t := range c.Tensors() {
		fmt.Println(t.Name, t.DType, t.Shape)
	}
	// Output:
	// safetensors llama
	// model.embed_tokens.weight BF16 [40 8]
	// model.norm.weight BF16 [8]
}
