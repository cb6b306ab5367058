package fingerprint_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/bitexact"
)

func ExampleCompute() {
	model := bitexact.Input(0) // formats.Open gives a checkpoint's
	f, err := fingerprint.Compute(context.Background(), model, nil)
	if err != nil {
		panic(err)
	}
	var file bytes.Buffer
	if _, err := f.WriteTo(&file); err != nil {
		panic(err)
	}
	again, err := fingerprint.Read(&file)
	if err != nil {
		panic(err)
	}
	fmt.Println(again.Complete, again.Root == f.Root, len(again.Tokens.Rows))
	// Output: true true 96
}
