package strictjson

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	for text, ok := range map[string]bool{
		`{}`: true, `[1,"a",null,{"a":{"a":1}}]`: true, `"x"`: true, " {\"a\":1}\n": true,
		`{"a":1,"a":2}`: false, `{"a":1,"A":2}`: false, `{"a":1,"\u0061":2}`: false, `{"s":1,"ſ":2}`: false, `{"k":1,"\u212a":2}`: false, `[{"x":{"b":1,"b":1}}]`: false,
		`{} {}`: false, `{}x`: false, `{`: false, `[1`: false, ``: false, "\"\xff\"": false,
		strings.Repeat("[", 60) + strings.Repeat("]", 60): true, strings.Repeat("[", 70) + strings.Repeat("]", 70): false,
	} {
		require.Equal(t, ok, Check([]byte(text)) == nil, "%s: %v", text, Check([]byte(text)))
	}
}

func TestKnown(t *testing.T) {
	var v struct{ A int }
	require.NoError(t, Known([]byte(`{"a":1}`), &v))
	require.Error(t, Known([]byte(`{"b":1}`), &v))
	require.NoError(t, Unmarshal([]byte(`{"b":1}`), &v))
	require.ErrorIs(t, Unmarshal([]byte(`{"a":1,"A":2}`), &v), ErrAmbiguous)
}

// What passes is JSON that the standard library reads as well.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":null}]}`, `{"a":1,"A":2}`, `[[[]]]`, `"\ud800"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<10 { // longer ones show nothing else, and take the time of many
			return
		}
		if Check(b) == nil {
			var v any
			require.NoError(t, json.Unmarshal(b, &v))
		}
	})
}

// What takes little text and much memory is refused before it is read into
// anything.
func TestLimits(t *testing.T) {
	list := func(piece string, n int) []byte { return []byte("[" + strings.Repeat(piece+",", n-1) + piece + "]") }
	for _, c := range []struct {
		text []byte
		ok   bool
	}{
		{list("{}", maxContainers-1), true}, {list("{}", maxContainers), false},
		{list("[]", maxContainers), false}, {list("1", maxValues-1), true}, {list("1", maxValues), false},
	} {
		err := Check(c.text)
		if c.ok {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, ErrLimit)
		}
	}
}
