"""One module per dashboard; each has one function, `build`."""
