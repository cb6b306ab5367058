package flax_test

import (
	"context"
	"fmt"
	"os"

	"github.com/weightprint/weightprint/formats/flax"
)

func Example() {
	f, err := os.Open("testdata/chunked.msgpack")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	info, _ := f.Stat()
	m, err := flax.Read(context.Background(), f.Name(), f, info.Size())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range m.Tensors() {
		fmt.Println(t.Name, t.DType, t.Shape)
	}
	// Output:
	// a.kernel F32 [7 11]
	// deep F32 [3 4 5]
	// half F16 [5 9]
	// small F32 [3]
}
