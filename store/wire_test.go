package store

import (
	"context"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/stats"
)

// A p-value of 1 and a missing one stay apart on the way.
func TestHitsKeepTheirPValues(t *testing.T) {
	certain := stats.LogP(0)
	all := []index.Hit{{Name: "a", Evidence: similarity.Evidence{P: &certain}}, {Name: "b", Agreement: similarity.Evidence{Warnings: []string{"w"}}}}
	require.Equal(t, all, unpackHits(packHits(all)))
}

func TestErrorsKeepTheirKind(t *testing.T) {
	for _, k := range kinds {
		err := errorOf(faultOf(k.err))
		require.ErrorIs(t, err, k.err)
		require.Equal(t, k.err.Error(), err.Error())
	}
	require.EqualError(t, errorOf(faultOf(io.ErrNoProgress)), io.ErrNoProgress.Error())
}

// Through the streams of a helper program, a store answers as it does itself.
func TestConversation(t *testing.T) {
	p, served := pipes(t, Files(filepath.Join(t.TempDir(), "x")))
	ctx := context.Background()
	_, err := p.List(ctx)
	require.ErrorIs(t, err, index.ErrMissing)
	f := fingerprinttest.Of(fingerprinttest.Middle, 1, nil)
	a, err := p.Add(ctx, []index.Entry{{Name: "a", Fingerprint: f}, {Name: "b", Fingerprint: f}})
	require.NoError(t, err)
	require.Equal(t, index.Added{New: 2, Copies: []index.Copy{{Name: "b", Of: "a"}}}, a)
	found, err := p.Search(ctx, f, 5, -7)
	require.NoError(t, err)
	require.Len(t, found.Hits, 2)
	_, err = p.Remove(ctx, []string{"c"}, nil)
	require.ErrorIs(t, err, index.ErrNoEntry)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	_, err = p.Search(gone, f, 5, -7)
	require.ErrorIs(t, err, context.Canceled)
	l, err := p.List(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, l.Names)
	require.NoError(t, p.in.Close())
	require.NoError(t, <-served)
	<-p.ended
	_, err = p.List(ctx)
	require.Error(t, err)
}

// pipes connects a caller and a server.
func pipes(t *testing.T, s Store) (p *program, served chan error) {
	t.Helper()
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	served = make(chan error, 1)
	go func() {
		err := Serve(context.Background(), s, in, out)
		out.Close()
		served <- err
	}()
	p = newProgram("test", toServer)
	require.NoError(t, p.greet(context.Background(), fromServer))
	return p, served
}
