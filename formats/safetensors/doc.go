// Package safetensors reads safetensors files: a length, a JSON header, and
// the tensors' bytes without hole, overlap or rest. It has its own tokenizer
// for the header's small grammar, because general JSON readers merge keys
// that differ in case, let a repeated name win silently, and fold names that
// are not UTF-8 into one.
package safetensors
