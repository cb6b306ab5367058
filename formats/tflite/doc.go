// Package tflite reads the weights of TensorFlow Lite (LiteRT) models: the
// tensors of all subgraphs that have a buffer, quantised ones as the numbers
// that their integers stand for. Nothing is executed. The flatbuffer is read
// by a small reader of its own in which every offset is checked. Source: the
// format's schema.fbs, and FlatBuffers' binary format.
package tflite
