package redteam_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/redteam"
)

// holds runs an attack whose limit has to hold.
func holds(t *testing.T, r redteam.Result, err error) {
	t.Helper()
	require.NoError(t, err)
	t.Log(r)
	require.True(t, r.Holds, "%s", r)
}

func TestTheAttackSeesWhatIsPublished(t *testing.T) {
	e := redteam.NewEdit(3, 256, 96, 0.1)
	units, signs, err := e.Published(context.Background())
	require.NoError(t, err)
	require.Equal(t, e.Signs(units, fingerprint.SketchBits), signs)
}

func TestLinearRecoveryFailsAtTheCap(t *testing.T) {
	for _, r := range redteam.LinearRecovery(40) {
		holds(t, r, nil)
	}
}

func TestSketchRecoveryFails(t *testing.T) {
	r, err := redteam.SketchRecovery(context.Background(), 256, 96, 0.01, 60)
	holds(t, r, err)
	if !testing.Short() {
		r, err = redteam.SketchRecovery(context.Background(), 2048, 256, 1, 60)
		holds(t, r, err)
	}
	holds(t, redteam.SketchRecoveryUnbounded(1024, 60), nil)
}

func TestTokenRecoveryFails(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long under the race detector")
	}
	r, err := redteam.TokenRecovery(context.Background(), 1024, 96, 0.3, 60)
	holds(t, r, err)
	holds(t, redteam.TokenRecoveryUnbounded(150), nil)
}

func TestAnswerRecoveryFails(t *testing.T) {
	r, err := redteam.AnswerRecovery(context.Background(), 4096, 256, 0.1, 1)
	holds(t, r, err)
}

func TestGrinding(t *testing.T) {
	r, err := redteam.GrindCommitment(context.Background(), 100)
	holds(t, r, err)
	alone, beacon, err := redteam.GrindOpenings(context.Background(), 8, 12, 400)
	holds(t, alone, err)
	holds(t, beacon, err)
}

func TestPoisonedIndex(t *testing.T) {
	all, err := redteam.PoisonedIndex(context.Background())
	require.NoError(t, err)
	for _, r := range all {
		holds(t, r, nil)
	}
}
