package pipeline_test

import (
	"context"
	"fmt"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/pipeline"
)

func ExampleSelect() {
	m, err := formats.Open(context.Background(), "testdata/flux.safetensors", nil)
	if err != nil {
		panic(err)
	}
	defer m.Close()
	tensors, err := pipeline.Select(m, "transformer", m.Ref)
	if err != nil {
		panic(err)
	}
	fmt.Println(pipeline.Components(m), len(m.Tensors()), len(tensors))
	// Output: [transformer] 92 126
}
