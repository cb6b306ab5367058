package html

import (
	"html/template"
	"testing"

	"github.com/stretchr/testify/require"
)

// A number is not broken at its minus, and text stays text.
func TestNumbersStayInOneLine(t *testing.T) {
	require.Equal(t, template.HTML(`p ≤ <span class="whole">1.5e-32</span> &lt;b&gt; under H0; a line-up`), prose("p ≤ 1.5e-32 <b> under H0; a line-up"))
}
