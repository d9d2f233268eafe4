"""What runs in the interpreter of the zygote and of its children. Kept light: see `zygote`."""
