// Package torch reads what torch.save writes and has written (.pt, .pth, .bin,
// .ckpt): zip archives, the chains of pickles of torch before 1.6, the tar
// archives of torch 0.1; and what is built on it: TorchScript archives, pickled
// modules, NeMo's archives, torch.distributed.checkpoint.
//
// A checkpoint's description is a pickle, a program for a small stack machine
// that in Python can call anything. Here it runs on a machine that has only the
// instructions such files use and can build only plain values and descriptions
// of tensors: nothing named by a file is ever looked up, loaded or called. A
// name that is not on the list becomes an object that does nothing, and is an
// error where a tensor of the model depends on it.
//
// Values stay in the file until they are asked for. A tensor that is a view
// with strides of its own is read in logical row-major order.
package torch
