//go:build nonet || js

package source

import (
	"context"
	"fmt"
)

// Built with the tag nonet, or for a browser, this package opens no sockets and links
// neither net/http nor TLS: hubs and addresses are refused.

type tlsConfig struct{}

func onHub(r hubRef, _ string, _ Options) ([]Found, error) {
	return nil, fmt.Errorf("%v: %w: it is not in %s, and this program was built without network", r, ErrNotStored, hubCache())
}

func findWeb(_ context.Context, ref string, _ Options) ([]Found, error) {
	return nil, fmt.Errorf("%s: %w: this program was built without network", Redacted(ref), ErrNotStored)
}
