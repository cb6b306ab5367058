package hdf5_test

import (
	"context"
	"fmt"
	"os"

	"github.com/weightprint/weightprint/formats/hdf5"
)

func Example() {
	f, err := os.Open("testdata/tf_model.h5")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	info, _ := f.Stat()
	m, err := hdf5.Read(context.Background(), f.Name(), f, info.Size())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range m.Tensors() {
		fmt.Println(t.Name, t.DType, t.Shape)
	}
	// Output:
	// bert/tf_bert_model/bert/embeddings/word_embeddings/weight:0 F32 [11 4]
	// bert/tf_bert_model/bert/encoder/layer_._0/attention/self/query/bias:0 F32 [6]
	// bert/tf_bert_model/bert/encoder/layer_._0/attention/self/query/kernel:0 F32 [4 6]
}
