package torch_test

import (
	"context"
	"fmt"
	"os"

	"github.com/weightprint/weightprint/formats/torch"
)

// A checkpoint of a training run: the model's tensors are found among the
// optimiser's, and what was chosen is said.
func Example() {
	r, err := os.Open("testdata/training.pt")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := torch.Read(context.Background(), "training.pt", r, info.Size(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range f.Tensors() {
		fmt.Println(t.Name, t.DType, t.Shape)
	}
	fmt.Println(f.Warnings[0])
	// Output:
	// a.weight F32 [4 3]
	// a.bias F32 [4]
	// b.weight F32 [2 4]
	// b.bias F32 [2]
	// the model is what stands under model; tensors outside it are left out: optimizer, rng_state
}
