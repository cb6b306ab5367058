package weightprint_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/report"
)

// Compare two checkpoints and look at the verdict.
func Example() {
	dir, err := os.MkdirTemp("", "weightprint")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := demo.Extract(dir); err != nil { // two small models to compare
		panic(err)
	}

	r, err := report.Compare(context.Background(), filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"), nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Verdict.Relation, r.Verdict.Tier)
	for _, c := range r.Components {
		fmt.Println(c.Name, c.Relation)
	}
	// Output:
	// related exact
	// embeddings related
	// attention related
	// mlp related
}
