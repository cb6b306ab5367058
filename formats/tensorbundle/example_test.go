package tensorbundle_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/weightprint/weightprint/formats/tensorbundle"
)

func ExampleRead() {
	open := func(name string) (*tensorbundle.Part, error) {
		f, err := os.Open(filepath.Join("testdata", name))
		if err != nil {
			return nil, err
		}
		info, err := f.Stat()
		return &tensorbundle.Part{ReaderAt: f, Label: name, Size: info.Size()}, err
	}
	index, err := open("model.ckpt.index")
	if err != nil {
		panic(err)
	}
	m, err := tensorbundle.Read(context.Background(), index.Label, "model.ckpt.index", index, index.Size, open)
	if err != nil {
		panic(err)
	}
	x := m.Tensors()[0]
	fmt.Println(len(m.Tensors()), x.Name, x.DType, x.Shape)
	// Output: 4 bert/encoder/layer_0/attention/self/key/kernel F32 [4 4]
}
