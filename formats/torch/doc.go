// Package torch reads the zip checkpoints that torch.save writes (.pt, .pth,
// .bin, .ckpt). A checkpoint's description is a pickle, a program for a small
// stack machine that in Python can call anything. Here it runs on a machine
// that has only the instructions such files use and can build only plain
// values and descriptions of tensors: nothing named by a file is ever looked
// up, loaded or called. Everything else is refused with the instruction, its
// place and the name it asked for.
//
// Values stay in the file until they are asked for. A tensor that is a view
// with strides of its own is read in logical row-major order.
package torch
