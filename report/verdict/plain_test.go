package verdict

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What holds of parts only is not said of the whole, and the parts are named.
func TestPlainWordsOfAPart(t *testing.T) {
	whole := Verdict{Relation: Related, Kinds: []Kind{FineTuned}, Because: []string{"embeddings: all units"}}
	part := Verdict{Relation: Related, Kinds: []Kind{FineTuned, Partial}, Because: []string{"embeddings: all units", "partial: a common origin was found of the embeddings alone, and none of mlp"}}
	stored := Verdict{Relation: Reencoded, Kinds: []Kind{QuantisedKind}}
	require.NotContains(t, stored.Plain(), "the same values,", "quantised values are not the same")
	require.Equal(t, "A and B hold the same values, stored in different ways.", (&Verdict{Relation: Reencoded, Kinds: []Kind{Repackaged}}).Plain())
	require.Equal(t, "What was found supports a common trained origin of A and B: one was made from the other, or both from a third. Who took from whom, weights do not tell.", whole.Plain())
	require.Equal(t, "What was found supports a common trained origin of parts of A and B, not of the whole: a common origin was found of the embeddings alone, and none of mlp. Who took from whom, weights do not tell.", part.Plain())
}

// Of an unknown architecture nobody knows whether it begins at random numbers or at a table.
func TestPlainWordsOfABeginning(t *testing.T) {
	known := Verdict{Relation: SharedInit, Alternatives: []string{earlyCopy}}
	unknown := Verdict{Relation: SharedInit, Alternatives: []string{earlyCopy, byTable}}
	open := Verdict{Relation: SharedInit, Alternatives: []string{earlyCopy, trainedAlike, byTable}}
	require.NotContains(t, known.Plain(), "table")
	require.Contains(t, unknown.Plain(), "a table that strangers may take too. What training learned")
	require.Contains(t, open.Plain(), "a table that strangers may take too. Whether training's results")
}
