package audit_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/audit"
)

// What a model shares with a reference is named, in either direction alike: the
// reference may have been made from the model. A reference of another seed contradicts
// nothing.
func TestScratch(t *testing.T) {
	dir := demoModels(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	o := &report.Options{Nonce: "a beacon"}
	for _, c := range []struct {
		model      string
		references []string
		outcome    audit.Outcome
		frozen     bool
	}{
		{"fine-tune", []string{"base", "other-seed"}, audit.Unproven, false},
		{"base", []string{"fine-tune"}, audit.Unproven, false},
		{"fine-tune-q8_0", []string{"fine-tune"}, audit.Unproven, true},
	} {
		var refs []string
		for _, r := range c.references {
			refs = append(refs, at(r))
		}
		got, err := audit.Scratch(context.Background(), at(c.model), refs, nil, o)
		require.NoError(t, err)
		require.Equal(t, c.outcome, got.Outcome, "%v", got.Because)
		require.Len(t, got.References, len(refs))
		frozen := false
		for _, x := range got.Components {
			require.Equal(t, len(refs), x.Unrelated+x.Open+len(x.Shared), x.Name)
			for _, s := range x.Shared {
				frozen = frozen || s.Frozen
			}
		}
		require.Equal(t, c.frozen, frozen)
		var text, js bytes.Buffer
		require.NoError(t, got.WriteText(&text))
		require.NoError(t, got.WriteJSON(&js))
		require.Contains(t, text.String(), string(c.outcome))
	}
	got, err := audit.Scratch(context.Background(), at("base"), []string{at("other-seed")}, nil, o)
	require.NoError(t, err)
	require.NotEqual(t, audit.Contradicted, got.Outcome, "%v", got.Because)
	require.Equal(t, got.Outcome == audit.Confirmed, got.Floor != nil, "a floor is stated where all reach it")

	// an index gives leads and clears nothing, not even beside models that were cleared
	searched := []audit.Searched{{Index: "models.wpi", Entries: 12, Leads: []audit.Lead{{Name: "fine-tune", Note: "the sketches correspond"}}}}
	for _, refs := range [][]string{nil, {at("other-seed")}} {
		c, err := audit.Scratch(context.Background(), at("base"), refs, searched, o)
		require.NoError(t, err)
		require.Equal(t, audit.Unproven, c.Outcome)
		require.NotEmpty(t, c.Model.Ref)
		var text bytes.Buffer
		require.NoError(t, c.WriteText(&text))
		for _, words := range []string{"12 fingerprints of models.wpi", "lead: fine-tune", "clear no entry", "never of fingerprints"} {
			require.Contains(t, strings.Join(strings.Fields(text.String()), " "), words)
		}
	}

	_, err = audit.Scratch(context.Background(), at("base"), nil, nil, o)
	require.Error(t, err)
	all, err := audit.References(context.Background(), dir, o)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(all), 4)
}
