package store_test

import (
	"context"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/store"
	"github.com/weightprint/weightprint/store/storetest"
)

// The embedded index answers the same twice, and meets what the scenarios require.
func TestFiles(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return store.Files(filepath.Join(t.TempDir(), "x")) })
}

func TestDSN(t *testing.T) {
	for text, is := range map[string]bool{"postgres://h/d": true, "postgresql:///d": true, "models.wpi": false, "postgres": false, "mysql://h/d": false} {
		require.Equal(t, is, store.IsDSN(text), text)
	}
	_, err := store.Open(context.Background(), "mysql://h/d", io.Discard)
	require.ErrorContains(t, err, "postgres://")
	t.Setenv("PATH", "")
	_, err = store.Open(context.Background(), "postgres://h/d", io.Discard)
	require.ErrorIs(t, err, store.ErrNoProgram)
}
