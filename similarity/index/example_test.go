package index_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/similarity/index"
)

func Example() {
	dir, err := os.MkdirTemp("", "index")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "known")
	model := fingerprinttest.Of(fingerprinttest.Middle, 1, nil) // fingerprint.Compute of a model
	if _, err := index.Add(path, index.Entry{Name: "known model", Fingerprint: model}); err != nil {
		panic(err)
	}
	x, err := index.Open(path)
	if err != nil {
		panic(err)
	}
	defer x.Close()
	found, err := x.Search(context.Background(), model, 10, -7)
	if err != nil {
		panic(err)
	}
	fmt.Println(found.Searched, found.Hits[0].Name, found.Hits[0].Same)
	// Output: 1 known model true
}
