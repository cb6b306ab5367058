package sourcetest_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"

	"github.com/weightprint/weightprint/formats/source/sourcetest"
)

// A folder on a server that counts what it sends.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("weights"), 0o600); err != nil {
		log.Fatal(err)
	}
	server, err := sourcetest.Serve(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	resp, err := http.Get(server.URL + "f")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	fmt.Println(string(b), err, server.Bytes.Load())
	// Output: weights <nil> 7
}
