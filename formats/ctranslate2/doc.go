// Package ctranslate2 reads the model.bin of CTranslate2 and faster-whisper: named variables one
// behind the other, as specs/model_spec.py of CTranslate2 writes them, versions 2 to 6 of the
// file. Integers are given as the numbers that they stand for, code·(1/scale) in float32, as
// CTranslate2 itself decodes them. Queries, keys and values, which the converters put into one matrix, are
// cut apart again, and all variables of known places get the names that the transformers library has for
// them.
package ctranslate2
