package source_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/formats/source/sourcetest"
)

// A file on a server is read like one on disk, and only what is asked for is
// transferred.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "model.safetensors"), make([]byte, 10<<20), 0o600); err != nil {
		log.Fatal(err)
	}
	server, err := sourcetest.Serve(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	ctx := context.Background()
	places, err := source.Find(ctx, server.URL+"model.safetensors", &source.Options{AllowPrivate: true})
	if err != nil {
		log.Fatal(err)
	}
	folder := places[0].Folder
	defer folder.Close()
	blob, err := folder.Open(ctx, places[0].File)
	if err != nil {
		log.Fatal(err)
	}
	defer blob.Close()
	n, err := blob.ReadAt(make([]byte, 1000), 5<<20)
	fmt.Println(blob.Size(), n, err, folder.(source.Metered).Transferred())
	// Output: 10485760 1000 <nil> 67560
}
