package forward

import (
	"slices"
	"strings"
)

// traits is what the weights of an architecture do not show. Where a
// configuration declares one of the numbers, its word counts.
type traits struct {
	types string // config.json model_type values, and GGUF architectures

	layerNorm   bool    // norms take the mean off and may have a bias
	eps         float64 // of norms
	activation  string  // of the MLP
	fixed       bool    // the activation is this one, whatever is declared
	encoder     bool    // every token sees every other, and norms follow what they act on
	parallel    bool    // attention and MLP read the same stream
	either      bool    // use_parallel_residual says which; parallel where it does not
	scaled      bool    // embeddings are multiplied by the root of the width
	firstPlace  int     // row of the first token in the table of positions
	localEvery  int     // all layers but each of this number turn by localTheta
	localTheta  float64 // 0 = all alike
	softScores  float64 // bound of attention scores where none is declared; 0 = none
	softAnswers float64 // bound of the scores of tokens
	untied      bool    // there is a head or none, whatever is declared
}

// architectures lists what can be run.
var architectures = []traits{
	{types: "llama mistral ministral", eps: 1e-6, activation: "silu"},
	{types: "qwen2 qwen3", eps: 1e-6, activation: "silu"},
	{types: "phi3", eps: 1e-5, activation: "silu"},
	{types: "olmo2", eps: 1e-5, activation: "silu"},
	{types: "gemma", eps: 1e-6, activation: "gelu_new", fixed: true, scaled: true},
	{types: "gemma2", eps: 1e-6, activation: "gelu_new", fixed: true, scaled: true, softScores: 50, softAnswers: 30},
	{types: "gemma3_text gemma3", eps: 1e-6, activation: "gelu_new", fixed: true, scaled: true, localEvery: 6, localTheta: 1e4},
	{types: "phi phi2", layerNorm: true, eps: 1e-5, activation: "gelu_new", parallel: true},
	{types: "gptj", layerNorm: true, eps: 1e-5, activation: "gelu_new", parallel: true},
	{types: "gpt_neox gptneox", layerNorm: true, eps: 1e-5, activation: "gelu", either: true},
	{types: "gpt2", layerNorm: true, eps: 1e-5, activation: "gelu_new"},
	{types: "bert", layerNorm: true, eps: 1e-12, activation: "gelu", encoder: true, untied: true},
	{types: "roberta xlm-roberta camembert", layerNorm: true, eps: 1e-5, activation: "gelu", encoder: true, untied: true, firstPlace: 2},
}

// traitsOf finds the traits of a model type.
func traitsOf(modelType string) (traits, bool) {
	for _, t := range architectures {
		if slices.Contains(strings.Fields(t.types), modelType) {
			return t, true
		}
	}
	return traits{}, false
}

// supported lists the types that can be run.
func supported() string {
	var all []string
	for _, t := range architectures {
		all = append(all, strings.Fields(t.types)...)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
